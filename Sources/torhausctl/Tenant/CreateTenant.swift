import ArgumentParser
import Tenancy

struct CreateTenant: TorhausctlCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Create a tenant.",
    discussion: "Example: torhausctl tenant create mandant-a --name \"Mandant A AG\" --policy fiduciary@5")

  @Argument(help: "Its short name: a–z, 0–9 and -.") var slug: Slug
  @Option(help: "Its name for people.") var name: String?
  @Option(help: ArgumentHelp("The policy it gets, pinned.", valueName: "id@version")) var policy: String?
  @OptionGroup var server: ServerOptions
  @OptionGroup var output: OutputOptions

  func perform(in session: Session) throws {
    let tenant = try session.client(server).post(
      ["v1", "tenants"],
      .members(("slug", .text(slug.text)), ("name", name.map { .text($0) }), ("policy", policy.map { .text($0) })))
    session.show(TenantCommand.detail(tenant))
    session.talk("next: torhausctl project create PROJECT --tenant \(slug)")
  }
}
