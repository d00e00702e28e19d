import ArgumentParser

struct KeyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "key", abstract: "API keys of applications.",
    subcommands: [CreateKey.self, ListKeys.self, RevokeKey.self, RotateKey.self])

  static let columns = [
    Column("ID", "id"), Column("NAME", "name"), Column("PROJECT", "project"), Column("ROLE", "role"),
    Column("STATE", "state"), Column("CREATED", "created_at"), Column("EXPIRES", "expires_at"),
    Column("LAST USED", "last_used_at"),
  ]

  static func detail(_ value: JSONTree) -> Detail { Detail(fields: columns, value: value, nameMember: "id") }
}
