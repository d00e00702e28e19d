import ArgumentParser
import Glibc

/// The root of all commands.
struct Torhausctl: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "torhausctl",
    abstract: "Administers a Torhaus installation over its Admin API.",
    discussion: """
      Examples:
        torhausctl tenant create mandant-a
        torhausctl key create --tenant mandant-a --project buchhaltung --name laptop > key.txt
        torhausctl quota set --tenant mandant-a --tokens-per-day 2000000 --money-per-month 400
        torhausctl usage --tenant mandant-a --from 2026-11-01 -o csv
        torhausctl log verify --tenant mandant-a

      TORHAUS_SERVER and TORHAUS_TOKEN_FILE say where and as whom; --server and --token-file win over them.
      """,
    version: "0.1.0",
    subcommands: [
      TenantCommand.self, ProjectCommand.self, KeyCommand.self, UserCommand.self, RoleCommand.self, QuotaCommand.self,
      ShowUsage.self, LogCommand.self, AuditCommand.self, PolicyCommand.self, ProviderCommand.self, RouteCommand.self,
      Doctor.self,
    ])
}

@main
enum Main {
  static func main() {
    do {
      var command = try Torhausctl.parseAsRoot()
      try command.run()
    } catch {
      Torhausctl.exit(withError: error)
    }
  }
}
