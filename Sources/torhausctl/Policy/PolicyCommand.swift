import ArgumentParser

struct PolicyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "policy", abstract: "Checks and imports policy files, without a server.",
    subcommands: [CheckPolicy.self, ImportPolicy.self])
}
