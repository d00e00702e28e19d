import Admin
import Foundation
import Frontend
import Gateway
import Glibc
import MockProvider
import Policies
import Routing
import Tenancy

/// A complete installation for a first look, for scripts and for tests: two client tenants of one fiduciary with a key
/// each, and the scripted provider behind them.
package struct Demo: Sendable {
  package struct Options: Sendable {
    package var state: String
    package var port: Int
    package var adminPort: Int
    package var upstream: String?
    package var policies: String?
    package var loops: Int?
    /// Whether the endpoint speaks TLS, by what lies in the state folder's `tls`.
    package var tls: Bool

    package init(
      state: String, port: Int, adminPort: Int, upstream: String?, policies: String?, loops: Int?, tls: Bool = false
    ) {
      self.state = state
      self.port = port
      self.adminPort = adminPort
      self.upstream = upstream
      self.policies = policies
      self.loops = loops
      self.tls = tls
    }
  }

  package let running: RunningInstallation
  private let description: Description
  private let mock: MockServer?

  /// What `demo.json` says; scripts and tests stand on it.
  private struct Description: Codable, Sendable {
    struct Tenant: Codable, Sendable {
      var slug: String
      var project: String
      var key: String
      var admin_token_file: String
      var reader_token_file: String
    }
    var endpoint: String
    var admin: String
    var operator_token_file: String
    var upstream: String
    var tenants: [Tenant]
  }

  private static let slugs = ["kanzlei-a", "kanzlei-b"]
  private static let project = "buero"
  private static let policy = "demo"

  package static func start(_ options: Options) async throws -> Demo {
    let state = URL(fileURLWithPath: options.state).standardizedFileURL.path
    try FileBytes.makeFolder(state)
    let master = "\(state)/master.key"
    if access(master, F_OK) != 0 {
      try FileBytes.replace(master, with: Array(try randomHex().utf8))
    }
    var configuration = ServerConfiguration(
      dataFolder: "\(state)/data", policies: try options.policies ?? ShippedPolicies.folder(), masterKey: .file(master))
    configuration.api.port = options.port
    configuration.admin.port = options.adminPort
    configuration.loops = options.loops
    configuration.defaultPolicy = policy
    configuration.drainSeconds = 10
    configuration.limits.connectionsPerSource = configuration.limits.connections
    configuration.limits.connectionsPerTenant = configuration.limits.connections
    if options.tls { configuration.tls = try tls(in: "\(state)/tls") }
    var mock: MockServer?
    configuration.openUpstreams = options.upstream.map { [.init(baseURL: $0)] } ?? accounts()
    if configuration.openUpstreams.isEmpty {
      let server = MockServer()
      try server.start()
      mock = server
      configuration.openUpstreams = [.init(baseURL: "http://127.0.0.1:\(server.port)/v1")]
    }
    let running = try await RunningInstallation.start(configuration, isReady: false)
    let demo = try Demo(
      running: running, description: describe(running, state, configuration.openUpstreams[0].baseURL), mock: mock)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try FileBytes.replace("\(state)/demo.json", with: Array(try encoder.encode(demo.description)))
    await running.serve()  // whoever sees /readyz at 200 finds demo.json complete
    return demo
  }

  /// The real providers whose keys stand in the environment; models named `claude…` are Anthropic's.
  static func accounts(environment: (String) -> Bool = { getenv($0) != nil }) -> [ServerConfiguration.OpenUpstream] {
    var found: [ServerConfiguration.OpenUpstream] = []
    if environment("OPENAI_API_KEY") {
      found.append(
        .init(
          adapter: .openAI, baseURL: "https://api.openai.com/v1", credential: .environment("OPENAI_API_KEY")))
    }
    if environment("ANTHROPIC_API_KEY") {
      found.append(
        .init(
          adapter: .anthropic, baseURL: "https://api.anthropic.com/v1", credential: .environment("ANTHROPIC_API_KEY"),
          prefix: "claude"))
    }
    return found
  }

  /// A pair that lies there is used; else one is made that signs itself. A `client-ca.pem` demands clients' certificates.
  private static func tls(in folder: String) throws -> ServerConfiguration.TLS {
    try FileBytes.makeFolder(folder)
    let chain = "\(folder)/chain.pem"
    let key = "\(folder)/key.pem"
    if access(chain, F_OK) != 0 {
      let pair = try SelfSignedPair(names: ["DNS:localhost", "IP:127.0.0.1"], until: 365 * 86_400)
      try FileBytes.replace(key, with: pair.key)
      try FileBytes.replace(chain, with: pair.certificate, mode: 0o644)
    }
    let authorities = "\(folder)/client-ca.pem"
    return ServerConfiguration.TLS(
      certificate: chain, key: .file(key), clientAuthorities: access(authorities, F_OK) == 0 ? authorities : nil)
  }

  private static func randomHex() throws -> String {
    var generator = SystemRandomNumberGenerator()
    return (0..<4).map { _ in
      let text = String(generator.next(), radix: 16)
      return String(repeating: "0", count: 16 - text.count) + text
    }.joined()
  }

  // MARK: People and keys

  private static func describe(_ running: RunningInstallation, _ state: String, _ upstream: String) throws
    -> Description
  {
    var description = Description(
      endpoint: running.endpoint, admin: running.admin, operator_token_file: "\(state)/operator.token",
      upstream: upstream, tenants: [])
    // A state folder that was used before keeps its tenants, people and keys.
    if let bytes = FileBytes.read("\(state)/tenants.json", limit: 1 << 20) {
      description.tenants = try JSONDecoder().decode([Description.Tenant].self, from: Data(bytes))
      return description
    }
    let seeding = Seeding(core: running.core)
    let token = try seeding.person(
      name: "Demo Operator", email: "operator@demo.invalid", role: "operator", tenant: nil, days: 365,
      reason: "set up by the demo")
    try FileBytes.replace(description.operator_token_file, with: Array("\(token)\n".utf8))
    for slug in slugs { description.tenants.append(try tenant(seeding, slug, state)) }
    try running.core.rebuild()
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes]
    try FileBytes.replace("\(state)/tenants.json", with: Array(try encoder.encode(description.tenants)))
    return description
  }

  private static func tenant(_ seeding: Seeding, _ text: String, _ state: String) throws -> Description.Tenant {
    guard let slug = Slug(text), let projectSlug = Slug(project) else {
      throw InstallationError(.invalidConfiguration, "'\(text)' is no slug")
    }
    let tenant = try seeding.tenant(slug, name: text, policy: policy)
    let made = try seeding.project(projectSlug, name: "Büro", in: tenant.id)
    let described = Description.Tenant(
      slug: text, project: project, key: try seeding.key("demo", role: "app", of: made),
      admin_token_file: "\(state)/\(text).admin.token", reader_token_file: "\(state)/\(text).reader.token")
    let people = [
      ("Admin of \(text)", "admin@\(text).invalid", "tenant-admin", described.admin_token_file),
      ("Privacy officer of \(text)", "privacy@\(text).invalid", "privacy-officer", described.reader_token_file),
    ]
    for (name, email, role, file) in people {
      let token = try seeding.person(
        name: name, email: email, role: role, tenant: tenant.id, days: 365, reason: "set up by the demo")
      try FileBytes.replace(file, with: Array("\(token)\n".utf8))
    }
    return described
  }

  // MARK: What the terminal says

  package var greeting: String {
    let key = description.tenants.first?.key ?? ""
    let curl = running.core.configuration.tls.map { "curl --cacert \($0.certificate)" } ?? "curl"
    let isAnthropic = running.core.configuration.openUpstreams.first?.adapter == .anthropic
    let model = mock != nil ? "mock-echo" : isAnthropic ? "claude-haiku-4-5" : "gpt-5-mini"
    let body =
      #"{"model":"\#(model)","messages":[{"role":"user","content":"Mail an anna.muster@example.ch, IBAN CH93 0076 2011 6238 5295 7"}]}"#
    let streamed = body.replacingOccurrences(of: #""messages""#, with: #""stream":true,"messages""#)
    // The CLI stands beside this program: as printed, the line runs from a build folder and from the PATH alike.
    let program = CommandLine.arguments.first ?? ""
    let folder = program.lastIndex(of: "/").map { program[...$0] } ?? ""
    return """
      Torhaus is ready.
        endpoint  \(description.endpoint)/v1   (any OpenAI client: base URL and key are all it needs)
        admin     \(description.admin)
        upstream  \(running.core.configuration.openUpstreams.map(\.baseURL).joined(separator: ", "))

      Try it:
        \(curl) -s \(description.endpoint)/v1/chat/completions -H 'Authorization: Bearer \(key)' -H 'Content-Type: application/json' -d '\(body)'

      The same as a stream:
        \(curl) -sN \(description.endpoint)/v1/chat/completions -H 'Authorization: Bearer \(key)' -H 'Content-Type: application/json' -d '\(streamed)'

      What was said, read by the tenant's privacy officer:
        TORHAUS_SERVER=\(description.admin) TORHAUS_TOKEN_FILE=\(description.tenants.first?.reader_token_file ?? "") \(folder)torhausctl log list --tenant kanzlei-a --all

      Ctrl-C stops it.
      """
  }
}
