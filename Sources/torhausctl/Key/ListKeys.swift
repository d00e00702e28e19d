import ArgumentParser

struct ListKeys: TorhausctlCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the keys of a tenant, without their secrets.")

  @OptionGroup var tenant: TenantOptions
  @OptionGroup var server: ServerOptions
  @OptionGroup var output: OutputOptions

  func perform(in session: Session) throws {
    let rows = try session.client(server).list(tenant.path("keys"))
    session.show(Listing(columns: KeyCommand.columns, rows: rows, nameMember: "id"))
  }
}
