import ArgumentParser
import Installation

struct ConfigCommand: AsyncParsableCommand {
  enum Format: String, ExpressibleByArgument { case table, json }

  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Print the configuration in force and the limits of the data plane.",
    discussion: "Reads the file and starts nothing. Secrets are named by where they are.")

  @Option(help: "The configuration file.") var config = "/etc/torhaus/torhaus.yaml"
  @Option(name: .shortAndLong, help: "table or json.") var output = Format.table

  func run() async throws {
    try await Program.report {
      let report = ConfigurationReport(try ConfigurationFile.load(config))
      Program.show(output == .json ? report.json : report.text)
    }
  }
}
