import ArgumentParser
import Tenancy

struct CreateKey: TorhausctlCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Create a key; it is printed once, alone on standard output.",
    discussion: "Example: torhausctl key create --tenant mandant-a --project buchhaltung --name laptop > key.txt")

  @OptionGroup var tenant: TenantOptions
  @Option(help: ArgumentHelp("The project it belongs to.", valueName: "slug")) var project: Slug
  @Option(help: "What it is for.") var name: String
  @Option(help: "A role of the policy set; else the installation's standard role for keys.") var role: String?
  @Option(help: ArgumentHelp("The person it acts for.", valueName: "id")) var user: UserID?
  @Option(help: ArgumentHelp("When it ends, as 2026-12-31 or RFC 3339.", valueName: "time")) var expires: String?
  @OptionGroup var server: ServerOptions
  @OptionGroup var output: OutputOptions

  func perform(in session: Session) throws {
    let answer = try session.client(server).post(
      tenant.path("keys"),
      .members(
        ("project", .text(project.text)), ("name", .text(name)), ("role", role.map { .text($0) }),
        ("user", user.map { .text($0.description) }), ("expires_at", expires.map { .text($0) })))
    guard let key = answer["key"].text else {
      throw CommandFailure(.failed, code: "bad_answer", "the server's answer holds no key")
    }
    session.show(secret: key, answer: answer)
    session.talk(
      "note: this key is shown once and never again; its id is \(Cell(answer["record"]["id"]).text)")
  }
}
