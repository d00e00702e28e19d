import ArgumentParser
import Tenancy

struct ShowQuota: TorhausctlCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show the limits of a tenant, or with --key of one key, and their use.")

  @OptionGroup var tenant: TenantOptions
  @Option(help: ArgumentHelp("As 'key list' prints it.", valueName: "id")) var key: KeyID?
  @OptionGroup var server: ServerOptions
  @OptionGroup var output: OutputOptions

  func perform(in session: Session) throws {
    let quota = try session.client(server).get(tenant.path("quota"), query: [("key", key?.description)])
    session.show(QuotaCommand.listing(quota))
  }
}
