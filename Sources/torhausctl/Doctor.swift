import ArgumentParser
import FoundationEssentials

struct Doctor: TorhausctlCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Check the way to the server, the token and the server's own readiness.")

  @OptionGroup var server: ServerOptions
  @OptionGroup var output: OutputOptions

  func perform(in session: Session) throws {
    var rows: [JSONTree] = []
    func note(_ check: String, _ isGood: Bool, _ detail: String) {
      rows.append(
        .members(("check", .text(check)), ("state", .text(isGood ? "ok" : "failed")), ("detail", .text(detail))))
    }
    let address = try session.address(server)
    let open = try session.anonymousClient(server)
    do {
      let live = try open.raw(["livez"])
      note("server", live.status == 200, "\(address.origin) answers with \(live.status)")
      let ready = JSONTree(try open.raw(["readyz"]).body) ?? .null
      for check in ready["checks"].elements {
        note(Cell(check["name"]).text, check["ready"] == .boolean(true), Cell(check["detail"]).text)
      }
      checkToken(session, note: note)
    } catch {
      note("server", false, error.message)
    }
    let failed = rows.filter { $0["state"] == .text("failed") }.count
    session.show(
      Listing(
        columns: [Column("CHECK", "check"), Column("STATE", "state"), Column("DETAIL", "detail")], rows: rows,
        nameMember: "check"))
    guard failed == 0 else {
      throw CommandFailure(.failed, code: "checks_failed", "\(failed) of \(rows.count) checks failed")
    }
  }

  private func checkToken(_ session: Session, note: (String, Bool, String) -> Void) {
    do {
      let identity = try session.client(server).get(["v1", "me"])
      let count = identity["bindings"].elements.count
      note("token", true, "\(Cell(identity["name"]).text), \(count) role binding\(count == 1 ? "" : "s")")
    } catch {
      note("token", false, error.message)
    }
  }
}
