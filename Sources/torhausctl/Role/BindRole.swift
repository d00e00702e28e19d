import ArgumentParser
import Tenancy

struct BindRole: TorhausctlCommand {
  static let configuration = CommandConfiguration(
    commandName: "bind", abstract: "Grant a role in a tenant or project, or without --tenant on the installation.",
    discussion: """
      Nobody changes their own roles, and nobody grants more than they hold.
      Example: torhausctl role bind auditor --user 0f3c… --tenant mandant-a --reason "annual review"
      """)

  @Argument(help: "As 'role list' prints it.") var role: String
  @Option(help: ArgumentHelp("As 'user list' prints it.", valueName: "id")) var user: UserID
  @OptionGroup var scope: ScopeOptions
  @Option(help: ArgumentHelp("In this project only.", valueName: "slug")) var project: Slug?
  @Option(help: "Why; kept with the binding and in the audit trail.") var reason: String
  @Option(help: ArgumentHelp("When it ends, as 2026-12-31 or RFC 3339.", valueName: "time")) var expires: String?
  @OptionGroup var server: ServerOptions
  @OptionGroup var output: OutputOptions

  func perform(in session: Session) throws {
    let binding = try session.client(server).post(
      scope.path("bindings"),
      .members(
        ("role", .text(role)), ("user", .text(user.description)), ("project", project.map { .text($0.text) }),
        ("reason", .text(reason)), ("expires_at", expires.map { .text($0) })))
    session.show(Detail(fields: RoleCommand.bindingColumns, value: binding, nameMember: "id"))
    let place = scope.slug.map { " --tenant \($0)" } ?? ""
    session.talk("undo: torhausctl role unbind \(Cell(binding["id"]).text)\(place)")
  }
}
