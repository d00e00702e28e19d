import ArgumentParser

struct TenantCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tenant", abstract: "The client companies of the installation.",
    subcommands: [CreateTenant.self, ListTenants.self, ShowTenant.self, SuspendTenant.self, ResumeTenant.self])

  static let columns = [
    Column("SLUG", "slug"), Column("NAME", "name"), Column("POLICY", "policy"), Column("STATE", "state"),
    Column("CREATED", "created_at"),
  ]

  static func detail(_ value: JSONTree) -> Detail {
    Detail(fields: columns + [Column("ID", "id")], value: value, nameMember: "slug")
  }
}
