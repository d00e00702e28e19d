import ArgumentParser

struct ShowUsage: TorhausctlCommand {
  static let configuration = CommandConfiguration(
    commandName: "usage", abstract: "What a tenant used: rows by project, key and alias, and their sums.",
    discussion:
      "Without --from and --to: the last 30 days, today included. Days are those of the tenant's time zone; a time "
      + "stands for its whole day, and a day given as --to is not included.")

  @OptionGroup var tenant: TenantOptions
  @Option(help: ArgumentHelp("A day or RFC 3339.", valueName: "time")) var from: String?
  @Option(help: ArgumentHelp("A day or RFC 3339.", valueName: "time")) var to: String?
  @OptionGroup var server: ServerOptions
  @OptionGroup var output: OutputOptions

  func perform(in session: Session) throws {
    let usage = try session.client(server).get(tenant.path("usage"), query: [("from", from), ("to", to)])
    var totals = usage["totals"]
    if case .object(var members) = totals {
      members["project"] = .text("total")
      members["currency"] = usage["currency"]
      totals = .object(members)
    }
    let rows = usage["rows"].elements.map { row -> JSONTree in
      guard case .object(var members) = row else { return row }
      members["currency"] = usage["currency"]
      return .object(members)
    }
    session.show(
      Listing(
        columns: [
          Column("PROJECT", "project"), Column("KEY", "key_name"), Column("ALIAS", "alias"),
          Column("REQUESTS", "requests", .number), Column("INPUT", "input_tokens", .number),
          Column("OUTPUT", "output_tokens", .number), Column("COST", "cost", .number), Column("CURRENCY", "currency"),
        ], rows: rows, nameMember: "key", footer: totals, document: usage))
  }
}
