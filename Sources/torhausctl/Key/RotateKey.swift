import ArgumentParser
import Tenancy

struct RotateKey: TorhausctlCommand {
  static let configuration = CommandConfiguration(
    commandName: "rotate", abstract: "Make a key's successor; it is printed once, alone on standard output.",
    discussion: "The old key lives on for the overlap, one day without --overlap.")

  @Argument(help: "As 'key list' prints it.") var id: KeyID
  @OptionGroup var tenant: TenantOptions
  @Option(help: ArgumentHelp("Seconds that the old key lives on; 0 ends it now.", valueName: "seconds"))
  var overlap: Int64?
  @OptionGroup var server: ServerOptions
  @OptionGroup var output: OutputOptions

  func perform(in session: Session) throws {
    let answer = try session.client(server).post(
      tenant.path("keys", id.description, "rotate"), .members(("overlap_seconds", overlap.map { .integer($0) })))
    guard let key = answer["key"].text else {
      throw CommandFailure(.failed, code: "bad_answer", "the server's answer holds no key")
    }
    session.show(secret: key, answer: answer)
    session.talk(
      "note: this key is shown once and never again; its id is \(Cell(answer["record"]["id"]).text)")
  }
}
