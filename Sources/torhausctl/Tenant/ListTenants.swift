import ArgumentParser

struct ListTenants: TorhausctlCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List the tenants that you may see.")

  @OptionGroup var server: ServerOptions
  @OptionGroup var output: OutputOptions

  func perform(in session: Session) throws {
    let rows = try session.client(server).list(["v1", "tenants"])
    session.show(Listing(columns: TenantCommand.columns, rows: rows, nameMember: "slug"))
  }
}
