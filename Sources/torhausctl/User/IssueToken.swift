import ArgumentParser
import Tenancy

struct IssueToken: TorhausctlCommand {
  static let configuration = CommandConfiguration(
    commandName: "token", abstract: "Make an admin token for a person; it is printed once, alone on standard output.",
    discussion: "Only for people who hold no role that you do not hold yourself.")

  @Argument(help: "As 'user list' prints it.") var id: UserID
  @OptionGroup var scope: ScopeOptions
  @Option(help: ArgumentHelp("Seconds until it ends; twelve hours without.", valueName: "seconds")) var lifetime: Int64?
  @OptionGroup var server: ServerOptions
  @OptionGroup var output: OutputOptions

  func perform(in session: Session) throws {
    let answer = try session.client(server).post(
      scope.path("users", id.description, "tokens"), .members(("lifetime_seconds", lifetime.map { .integer($0) })))
    guard let token = answer["token"].text else {
      throw CommandFailure(.failed, code: "bad_answer", "the server's answer holds no token")
    }
    session.show(secret: token, answer: answer)
    session.talk("note: this token is shown once and never again; it ends at \(Cell(answer["expires_at"]).text)")
  }
}
