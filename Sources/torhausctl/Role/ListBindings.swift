import ArgumentParser

struct ListBindings: TorhausctlCommand {
  static let configuration = CommandConfiguration(
    commandName: "bindings", abstract: "List who holds which role in a tenant, or without --tenant on the installation."
  )

  @OptionGroup var scope: ScopeOptions
  @OptionGroup var server: ServerOptions
  @OptionGroup var output: OutputOptions

  func perform(in session: Session) throws {
    let rows = try session.client(server).list(scope.path("bindings"))
    session.show(Listing(columns: RoleCommand.bindingColumns, rows: rows, nameMember: "id"))
  }
}
