import ArgumentParser
import Installation

/// The server, and what needs its folder. Everything else is `torhausctl`, which speaks to the Admin API.
@main
struct Torhaus: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "torhaus",
    abstract: "A secure multi-tenant gateway to AI models.",
    discussion: """
      Examples:
        torhaus demo                          two tenants, a scripted provider, ready in seconds
        torhaus init --data /var/lib/torhaus  a new installation: folders, keys, policies, first operator
        torhaus serve --config torhaus.yaml   the real thing
        torhaus config --config torhaus.yaml  what is in force, limits and all
      """,
    version: Version.text,
    subcommands: [
      ServeCommand.self, InitCommand.self, ConfigCommand.self, DemoCommand.self, VersionCommand.self,
    ])
}

enum Version {
  static let text = "torhaus \(InstallationVersion.text)"
}

struct VersionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")
  func run() { print(Version.text) }
}
