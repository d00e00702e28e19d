import ArgumentParser
import Tenancy

struct SuspendTenant: TorhausctlCommand {
  static let configuration = CommandConfiguration(
    commandName: "suspend", abstract: "Refuse its traffic; undo with 'tenant resume'.")

  @Argument(help: "As 'tenant list' prints it.") var slug: Slug
  @Option(help: "Why; kept in the audit trail.") var reason: String?
  @Flag(help: "Do not ask.") var yes = false
  @OptionGroup var server: ServerOptions
  @OptionGroup var output: OutputOptions

  func perform(in session: Session) throws {
    let client = try session.client(server)
    try session.confirm("Refuse all traffic of '\(slug)'?", unless: yes)
    let tenant = try client.post(
      ["v1", "tenants", slug.text, "suspend"], .members(("reason", reason.map { .text($0) })))
    session.show(TenantCommand.detail(tenant))
    session.talk("undo: torhausctl tenant resume \(slug)")
  }
}
