import ArgumentParser
import Installation

struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Run the gateway.",
    discussion: """
      SIGTERM drains and ends; a second one ends now. SIGHUP applies the policies and the certificate. SIGUSR2 starts the program \
      anew, maybe in a newer version: it takes over without a refused or cut request.
      """)

  @Option(help: "The configuration file.") var config = "/etc/torhaus/torhaus.yaml"

  func run() async throws {
    try await Program.run {
      let installation = try await RunningInstallation.start(try ConfigurationFile.load(config))
      Program.show("torhaus: serving on \(installation.endpoint), Admin API on \(installation.admin)")
      return installation
    }
  }
}
