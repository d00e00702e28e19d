import ArgumentParser

struct PolicyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "policy", abstract: "Checks policy files, without a server.", subcommands: [CheckPolicy.self])
}
