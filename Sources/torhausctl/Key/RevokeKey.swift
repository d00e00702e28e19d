import ArgumentParser
import Tenancy

struct RevokeKey: TorhausctlCommand {
  static let configuration = CommandConfiguration(
    commandName: "revoke", abstract: "Revoke a key for good, within a second. There is no undo; create a new one.")

  @Argument(help: "As 'key list' prints it.") var id: KeyID
  @OptionGroup var tenant: TenantOptions
  @Option(help: "Why; kept in the audit trail.") var reason: String?
  @Flag(help: "Do not ask.") var yes = false
  @OptionGroup var server: ServerOptions
  @OptionGroup var output: OutputOptions

  func perform(in session: Session) throws {
    let client = try session.client(server)
    try session.confirm("Revoke key \(id) for good?", unless: yes)
    let key = try client.post(
      tenant.path("keys", id.description, "revoke"), .members(("reason", reason.map { .text($0) })))
    session.show(KeyCommand.detail(key))
  }
}
