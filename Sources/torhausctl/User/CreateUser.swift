import ArgumentParser

struct CreateUser: TorhausctlCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Add a person to a tenant, or without --tenant to the operator.")

  @Argument(help: "Their name.") var name: String
  @Option(help: "Their mail address, by which they are told apart.") var email: String
  @OptionGroup var scope: ScopeOptions
  @OptionGroup var server: ServerOptions
  @OptionGroup var output: OutputOptions

  func perform(in session: Session) throws {
    let user = try session.client(server).post(
      scope.path("users"), .members(("name", .text(name)), ("email", .text(email))))
    session.show(Detail(fields: UserCommand.columns, value: user, nameMember: "id"))
    let place = scope.slug.map { " --tenant \($0)" } ?? ""
    session.talk("next: torhausctl role bind ROLE --user \(Cell(user["id"]).text)\(place) --reason WHY")
  }
}
