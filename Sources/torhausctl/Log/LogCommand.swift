import ArgumentParser

struct LogCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "log", abstract: "The sealed log of a tenant.",
    subcommands: [ListLog.self, ShowLog.self, VerifyLog.self])

  /// How a request ended, by the rows of `quotas.md` section 5.
  static let exitWords = [
    "1": "complete", "2": "usage missing", "3": "not sent", "4": "upstream error", "5": "upstream error, usage",
    "6": "lost before status", "7": "client gone early", "8": "client gone", "9": "upstream cut", "10": "ended by gate",
    "14": "crash",
  ]

  static let columns = [
    Column("REQUEST", "request_id"), Column("TIME", "time"), Column("PROJECT", "project"), Column("ALIAS", "alias"),
    Column("PROVIDER", "provider"), Column("STATUS", "status", .number), Column("EXIT", "exit", words: exitWords),
    Column("INPUT", "input_tokens", .number), Column("OUTPUT", "output_tokens", .number),
    Column("COST", "cost", .number), Column("MODE", "mode"),
  ]
}
