import ArgumentParser

struct QuotaCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quota", abstract: "Limits of a tenant or of one key, and their use.",
    subcommands: [SetQuota.self, ShowQuota.self])

  static func listing(_ quota: JSONTree) -> Listing {
    Listing(
      columns: [
        Column("LIMIT", "kind"), Column("AMOUNT", "limit", .number), Column("USED", "used", .number),
        Column("RESERVED", "reserved", .number), Column("CURRENCY", "currency"), Column("RESETS", "resets_at"),
      ], rows: quota["limits"].elements, nameMember: "kind", document: quota)
  }
}
