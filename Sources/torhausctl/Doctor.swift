import ArgumentParser
import FoundationEssentials

struct Doctor: TorhausctlCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Check the way to the server, the token and the server's own readiness.",
    discussion: "Ends with 69 when the server does not answer, 1 when another check failed.")

  @OptionGroup var server: ServerOptions
  @OptionGroup var output: OutputOptions

  func perform(in session: Session) throws {
    var checks = Checks()
    let address = try session.address(server)
    let open = try session.anonymousClient(server)
    do {
      let live = try open.raw(["livez"])
      checks.note("server", live.status == 200, "\(address.origin) answers with \(live.status)")
      let known = checkToken(session, &checks)
      checkReadiness(try (known ?? open).raw(["readyz"]), &checks)
    } catch {
      checks.note("server", false, error.message)
      checks.isUnreachable = error.exit == .unreachable
    }
    session.show(
      Listing(
        columns: [Column("CHECK", "check"), Column("STATE", "state"), Column("DETAIL", "detail")], rows: checks.rows,
        nameMember: "check"))
    guard checks.failed > 0 else { return }
    if checks.isUnreachable {
      throw CommandFailure(
        .unreachable, code: "unreachable", "the server does not answer", place: address.origin,
        hint: "is torhaus running, and is this its Admin API? --server or TORHAUS_SERVER says another")
    }
    throw CommandFailure(.failed, code: "checks_failed", "\(checks.failed) of \(checks.rows.count) checks failed")
  }

  /// The client that bears the token, if the server knows it.
  private func checkToken(_ session: Session, _ checks: inout Checks) -> AdminClient? {
    do {
      let client = try session.client(server)
      let identity = try client.get(["v1", "me"])
      let count = identity["bindings"].elements.count
      checks.note("token", true, "\(Cell(identity["name"]).text), \(count) role binding\(count == 1 ? "" : "s")")
      return client
    } catch {
      checks.note("token", false, error.message)
      return nil
    }
  }

  /// What stands in the way is told to those who may manage the installation, ready or not to all.
  private func checkReadiness(_ answer: TransportResponse, _ checks: inout Checks) {
    let ready = JSONTree(answer.body) ?? .null
    let parts = ready["checks"].elements
    for part in parts {
      checks.note(Cell(part["name"]).text, part["ready"] == .boolean(true), Cell(part["detail"]).text)
    }
    guard parts.isEmpty else { return }
    checks.note(
      "ready", answer.status == 200 && ready["ready"] == .boolean(true),
      "answers with \(answer.status); installation.manage shows the parts")
  }
}

/// What was looked at, in order.
private struct Checks {
  private(set) var rows: [JSONTree] = []
  private(set) var failed = 0
  /// Whether nothing could be asked at all.
  var isUnreachable = false

  mutating func note(_ check: String, _ isGood: Bool, _ detail: String) {
    if !isGood { failed += 1 }
    rows.append(
      .members(("check", .text(check)), ("state", .text(isGood ? "ok" : "failed")), ("detail", .text(detail))))
  }
}
