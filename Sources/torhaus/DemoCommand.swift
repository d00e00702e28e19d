import ArgumentParser
import Installation

struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Run a complete installation with two client tenants and a scripted provider.",
    discussion: """
      Everything is real but the provider: keys, quotas, redaction, sealed log. With OPENAI_API_KEY or ANTHROPIC_API_KEY \
      in the environment requests go to OpenAI or Anthropic instead; with both, models named claude… to Anthropic and \
      all others to OpenAI. Stop with Ctrl-C.
      """)

  @Option(help: "State folder; used as it is when it exists.") var state = "demo-state"
  @Option(help: "Port of the unified endpoint; 0 takes a free one.") var port = 8080
  @Option(help: "Port of the Admin API; 0 takes a free one.") var adminPort = 8081
  @Option(help: "OpenAI-compatible base URL to use instead of the scripted provider, such as http://127.0.0.1:9000/v1.")
  var upstream: String?
  @Option(help: "Folder of policies; by default the shipped ones.") var policies: String?
  @Option(help: "Event loops; by default one for each core.") var loops: Int?

  @Flag(help: "Serve the endpoint by TLS, with a certificate that signs itself or the one in STATE/tls.")
  var tls = false

  func run() async throws {
    try await Program.run {
      let demo = try await Demo.start(
        Demo.Options(
          state: state, port: port, adminPort: adminPort, upstream: upstream, policies: policies, loops: loops,
          tls: tls))
      Program.show(demo.greeting)
      return demo.running
    }
  }
}
