import ArgumentParser

struct RoleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "role", abstract: "Roles, and who holds them.",
    subcommands: [ListRoles.self, ListBindings.self, BindRole.self, UnbindRole.self])

  static let bindingColumns = [
    Column("ID", "id"), Column("ROLE", "role"), Column("USER", "user_name"), Column("USER ID", "user"),
    Column("SCOPE", "scope"), Column("PROJECT", "project"), Column("EXPIRES", "expires_at"),
    Column("REASON", "reason"),
  ]
}
