import ArgumentParser

struct ListAudit: TorhausctlCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List acts in a tenant, or without --tenant on the installation, newest first.")

  @OptionGroup var scope: ScopeOptions
  @Flag(help: "All there are.") var all = false
  @Option(help: ArgumentHelp("How many at most.", valueName: "n")) var limit = 100
  @OptionGroup var server: ServerOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard limit > 0 else { throw ValidationError("--limit must be 1 or more.") }
  }

  func perform(in session: Session) throws {
    let rows = try session.client(server).list(
      scope.path("audit"), query: [("limit", String(all ? 1000 : min(limit, 1000)))], limit: all ? nil : limit)
    session.show(
      Listing(
        columns: [
          Column("TIME", "time"), Column("WHO", "actor_name"), Column("ACTION", "action"), Column("TARGET", "target"),
          Column("OUTCOME", "outcome"), Column("REASON", "reason"), Column("REQUEST", "request_id"),
        ], rows: rows, nameMember: "request_id"))
  }
}
