import ArgumentParser

struct ProviderCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "provider", abstract: "The provider register, and whether its providers answer.",
    subcommands: [CheckProviders.self, ListProviders.self])
}
