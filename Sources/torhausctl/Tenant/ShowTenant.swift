import ArgumentParser
import Tenancy

struct ShowTenant: TorhausctlCommand {
  static let configuration = CommandConfiguration(commandName: "show", abstract: "Show one tenant.")

  @Argument(help: "As 'tenant list' prints it.") var slug: Slug
  @OptionGroup var server: ServerOptions
  @OptionGroup var output: OutputOptions

  func perform(in session: Session) throws {
    session.show(TenantCommand.detail(try session.client(server).get(["v1", "tenants", slug.text])))
  }
}
