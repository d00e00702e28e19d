import ArgumentParser
import Installation

struct InitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Make a new installation: folders, master key, policies, configuration and the first operator.",
    discussion: "Nothing that exists is overwritten. Undo: remove the folder.")

  @Option(help: "The data folder.") var data = "/var/lib/torhaus"
  @Option(help: "Where the configuration file is written.") var config = "/etc/torhaus/torhaus.yaml"
  @Option(help: "The first operator's e-mail address.") var email: String

  func run() async throws {
    try await Program.report {
      let made = try InstallationSetup.make(data: data, configuration: config, email: email)
      Program.show(made.tokenFile)
      Program.talk(
        "The operator's token is in the file printed above; keep it safe, it is shown nowhere else.\n"
          + "Next: torhaus serve --config \(config)")
    }
  }
}
