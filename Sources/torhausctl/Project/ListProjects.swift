import ArgumentParser

struct ListProjects: TorhausctlCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List the projects of a tenant.")

  @OptionGroup var tenant: TenantOptions
  @OptionGroup var server: ServerOptions
  @OptionGroup var output: OutputOptions

  func perform(in session: Session) throws {
    let rows = try session.client(server).list(tenant.path("projects"))
    session.show(Listing(columns: ProjectCommand.columns, rows: rows, nameMember: "slug"))
  }
}
