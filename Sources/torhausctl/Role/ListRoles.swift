import ArgumentParser

struct ListRoles: TorhausctlCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the roles of the policy set in force.")

  @OptionGroup var server: ServerOptions
  @OptionGroup var output: OutputOptions

  func perform(in session: Session) throws {
    let rows = try session.client(server).list(["v1", "roles"])
    session.show(
      Listing(
        columns: [Column("NAME", "name"), Column("SCOPE", "scope"), Column("PERMISSIONS", "permissions")], rows: rows,
        nameMember: "name"))
  }
}
