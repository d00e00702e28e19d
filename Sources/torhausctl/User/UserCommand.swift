import ArgumentParser

struct UserCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "user", abstract: "People, and their admin tokens.",
    subcommands: [CreateUser.self, ListUsers.self, IssueToken.self])

  static let columns = [
    Column("ID", "id"), Column("NAME", "name"), Column("EMAIL", "email"), Column("STATE", "state"),
    Column("CREATED", "created_at"),
  ]
}
