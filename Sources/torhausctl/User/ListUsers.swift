import ArgumentParser

struct ListUsers: TorhausctlCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the people of a tenant, or without --tenant of the operator.")

  @OptionGroup var scope: ScopeOptions
  @OptionGroup var server: ServerOptions
  @OptionGroup var output: OutputOptions

  func perform(in session: Session) throws {
    let rows = try session.client(server).list(scope.path("users"))
    session.show(Listing(columns: UserCommand.columns, rows: rows, nameMember: "id"))
  }
}
