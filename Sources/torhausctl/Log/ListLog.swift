import ArgumentParser

struct ListLog: TorhausctlCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List requests, newest first; metadata only.")

  @OptionGroup var tenant: TenantOptions
  @Flag(help: "All there are.") var all = false
  @Option(help: ArgumentHelp("How many at most.", valueName: "n")) var limit = 100
  @Option(help: ArgumentHelp("A day or RFC 3339.", valueName: "time")) var from: String?
  @Option(help: ArgumentHelp("A day or RFC 3339; not included.", valueName: "time")) var to: String?
  @OptionGroup var server: ServerOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard limit > 0 else { throw ValidationError("--limit must be 1 or more.") }
  }

  func perform(in session: Session) throws {
    let page = all ? 1000 : min(limit, 1000)
    let rows = try session.client(server).list(
      tenant.path("log"), query: [("limit", String(page)), ("from", from), ("to", to)], limit: all ? nil : limit)
    session.show(Listing(columns: LogCommand.columns, rows: rows, nameMember: "request_id"))
  }
}
