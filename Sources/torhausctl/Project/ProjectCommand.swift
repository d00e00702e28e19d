import ArgumentParser

struct ProjectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "project", abstract: "Departments and applications of a tenant.",
    subcommands: [CreateProject.self, ListProjects.self])

  static let columns = [Column("SLUG", "slug"), Column("NAME", "name"), Column("CREATED", "created_at")]
}
