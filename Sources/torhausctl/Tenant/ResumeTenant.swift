import ArgumentParser
import Tenancy

struct ResumeTenant: TorhausctlCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume", abstract: "Serve a suspended tenant again.")

  @Argument(help: "As 'tenant list' prints it.") var slug: Slug
  @Option(help: "Why; kept in the audit trail.") var reason: String?
  @OptionGroup var server: ServerOptions
  @OptionGroup var output: OutputOptions

  func perform(in session: Session) throws {
    let tenant = try session.client(server).post(
      ["v1", "tenants", slug.text, "resume"], .members(("reason", reason.map { .text($0) })))
    session.show(TenantCommand.detail(tenant))
  }
}
