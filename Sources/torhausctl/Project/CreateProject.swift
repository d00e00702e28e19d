import ArgumentParser
import Tenancy

struct CreateProject: TorhausctlCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Create a project.",
    discussion: "Example: torhausctl project create buchhaltung --tenant mandant-a")

  @Argument(help: "Its short name: a–z, 0–9 and -.") var slug: Slug
  @Option(help: "Its name for people.") var name: String?
  @OptionGroup var tenant: TenantOptions
  @OptionGroup var server: ServerOptions
  @OptionGroup var output: OutputOptions

  func perform(in session: Session) throws {
    let project = try session.client(server).post(
      tenant.path("projects"), .members(("slug", .text(slug.text)), ("name", name.map { .text($0) })))
    session.show(
      Detail(fields: ProjectCommand.columns + [Column("ID", "id")], value: project, nameMember: "slug"))
    session.talk("next: torhausctl key create --tenant \(tenant.slug) --project \(slug) --name NAME")
  }
}
