import Routing
import Testing

@testable import Policies

/// How a record says how its provider is reached, how long it may take and how much it may be given.
struct ProviderRecordTests {
  private static func document(_ members: String) -> String {
    """
    kind: Providers
    providers:
      - {id: x, adapter: openai, endpoint: "https://x.example", credential: x, country: DE, agreement: {kind: avv},
         retention: 0d, training: never, models: [], \(members)}
    """
  }

  private static func provider(_ members: String) throws -> Provider {
    try #require(try PolicyFixture.load(document(members)).routes.providers.first { $0.id == "x" })
  }

  @Test func everythingIsRead() throws {
    let provider = try Self.provider(
      """
      timeouts: {connect: 500ms, first-byte: 90s, idle: 2min, total: 1h}, limits: {concurrency: 64},
      proxy: {url: "socks5://10.0.0.9:1080", credential: proxy, local: true, ca: /etc/proxy.pem}, ca: /etc/torhaus/haus.pem,
      client-certificate: haus
      """)
    #expect(
      provider.timeouts == ProviderTimeouts(connect: 500, firstByte: 90_000, idle: 120_000, total: 3_600_000))
    #expect(provider.limits == ProviderLimits(concurrency: 64))
    #expect(
      provider.connection
        == ProviderConnection(
          proxy: try ProxyEndpoint("socks5://10.0.0.9:1080", local: true, credential: "proxy"),
          proxyAuthorities: "/etc/proxy.pem",
          authorities: "/etc/torhaus/haus.pem", clientCertificate: "haus"))
  }

  @Test func nothingIsTheGatewaysOwn() throws {
    let provider = try Self.provider("deny-fields: []")
    #expect(provider.timeouts == ProviderTimeouts() && provider.limits == ProviderLimits())
    #expect(provider.connection == ProviderConnection())
  }

  @Test(arguments: [
    ("timeouts: {connect: 100ms}", true), ("timeouts: {connect: 99ms}", false), ("timeouts: {connect: 60s}", true),
    ("timeouts: {connect: 61s}", false), ("timeouts: {first-byte: 1s}", true), ("timeouts: {first-byte: 999ms}", false),
    ("timeouts: {total: 60min}", true), ("timeouts: {total: 3601s}", false), ("timeouts: {idle: 5}", false),
    ("timeouts: {idle: -5s}", false), ("timeouts: {idle: 1.5s}", false), ("timeouts: {idle: s}", false),
    ("timeouts: {idle: 99999999999999999h}", false), ("timeouts: {write: 5s}", false), ("timeouts: 5s", false),
    ("limits: {concurrency: 1}", true), ("limits: {concurrency: 0}", false), ("limits: {concurrency: -1}", false),
    ("limits: {concurrency: 1000000}", true), ("limits: {concurrency: 1000001}", false), ("limits: {x: 1}", false),
    ("proxy: {url: \"http://proxy.example:3128\"}", true), ("proxy: {url: \"http://10.0.0.9:3128\"}", false),
    ("proxy: {url: \"http://10.0.0.9:3128\", local: true}", true), ("proxy: {local: true}", false),
    ("proxy: {url: \"http://proxy.example:3128\", credential: \"a:b\"}", false),
    ("proxy: {url: \"http://proxy.example:3128\", user: a}", false), ("proxy: \"http://proxy.example:3128\"", false),
    ("ca: /etc/ca.pem", true), ("ca: ca.pem", false), ("client-certificate: haus", true),
    ("client-certificate: \"-----BEGIN\"", false),
  ])
  func whatIsOutOfBoundsIsRefusedWithItsPlace(members: String, isTaken: Bool) {
    let errors = PolicyFixture.errors(Self.document(members))
    #expect(errors.isEmpty == isTaken, "\(errors)")
    #expect(errors.allSatisfy { $0.contains("test.yaml:") })
  }

  /// A password that was written into an address is not said once more.
  @Test func aPasswordIsNotRepeated() {
    let errors = PolicyFixture.errors(Self.document("proxy: {url: \"http://anna:geheim@proxy.example:3128\"}"))
    #expect(errors.count == 1 && !errors.joined().contains("geheim"))
  }
}
