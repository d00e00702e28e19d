import ArgumentParser

struct LogCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "log", abstract: "The sealed log of a tenant.",
    subcommands: [ListLog.self, ShowLog.self, VerifyLog.self])

  static let columns = [
    Column("REQUEST", "request_id"), Column("TIME", "time"), Column("PROJECT", "project"), Column("ALIAS", "alias"),
    Column("PROVIDER", "provider"), Column("STATUS", "status", .number), Column("EXIT", "exit"),
    Column("INPUT", "input_tokens", .number), Column("OUTPUT", "output_tokens", .number),
    Column("COST", "cost", .number), Column("MODE", "mode"),
  ]
}
