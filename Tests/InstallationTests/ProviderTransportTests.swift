import Foundation
import Gateway
import Routing
import Testing

@testable import Installation

/// What a record's connection becomes: files and credentials are read, and whatever is wrong makes the provider no
/// candidate, without a secret in the reason.
struct ProviderTransportTests {
  private static let pem = "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n"
  private static let key = ["-----BEGIN PRIVATE", " KEY-----\nAA\n"].joined()

  private static func make(_ connection: ProviderConnection, _ credentials: [String: String] = [:]) throws
    -> UpstreamTransport
  {
    try ProviderTransport(credentials: credentials.mapValues { BoundSecret(Array($0.utf8)) }).make(connection)
  }

  private static func proxy(_ url: String = "http://proxy.example:3128") throws -> ProviderConnection {
    ProviderConnection(proxy: try ProxyEndpoint(url, local: false, credential: "proxy"))
  }

  @Test func aProxyHasItsCredentialAsideFromItsAddress() throws {
    let proxy = try #require(try Self.make(try Self.proxy(), ["proxy": "anna:ge:heim"]).proxy)
    #expect(proxy.url == "http://proxy.example:3128" && proxy.user == "anna" && proxy.password == "ge:heim")
    #expect(proxy.networks == nil)
  }

  @Test func namesAreResolvedBehindSocks() throws {
    let transport = try Self.make(try Self.proxy("socks5://proxy.example:1080"), ["proxy": "a:b"])
    #expect(transport.proxy?.url == "socks5h://proxy.example:1080")
  }

  @Test(arguments: ["anna", ":geheim", "an na:geheim", "anna:geheim\n", "", "änna:geheim"])
  func aCredentialThatIsNoneIsRefusedAndNotRepeated(secret: String) throws {
    let error = #expect(throws: InstallationError.self) { try Self.make(try Self.proxy(), ["proxy": secret]) }
    #expect(error.map { !$0.description.contains("geheim") } ?? false)
  }

  @Test func aProxysCredentialGoesToNoOther() throws {
    func make(_ origins: Set<String>) throws -> UpstreamTransport {
      let secrets = ["proxy": BoundSecret(Array("anna:geheim".utf8), origins: origins)]
      return try ProviderTransport(credentials: secrets).make(try Self.proxy())
    }
    #expect(try make(["https://a.example:443", "http://proxy.example:3128"]).proxy?.user == "anna")
    let error = #expect(throws: InstallationError.self) { try make(["http://proxy.example:8080"]) }
    #expect(error?.message.contains("not for http://proxy.example:3128") == true)
  }

  @Test func aMissingCredentialIsNamed() throws {
    let error = #expect(throws: InstallationError.self) { try Self.make(try Self.proxy()) }
    #expect(error?.message.contains("'proxy'") == true)
  }

  @Test func authoritiesAreReadFromTheirFile() throws {
    let file = NSTemporaryDirectory() + "authorities-\(UUID().uuidString).pem"
    try Self.pem.write(toFile: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: file) }
    #expect(try Self.make(ProviderConnection(authorities: file)).authorities == Array(Self.pem.utf8))
    try "nothing of the kind".write(toFile: file, atomically: true, encoding: .utf8)
    #expect(throws: InstallationError.self) { try Self.make(ProviderConnection(authorities: file)) }
    #expect(throws: InstallationError.self) { try Self.make(ProviderConnection(authorities: file + ".none")) }
  }

  @Test func ourCertificateNeedsItsKey() throws {
    let connection = ProviderConnection(clientCertificate: "ours")
    #expect(try Self.make(connection, ["ours": Self.pem + Self.key]).clientCertificate != nil)
    #expect(throws: InstallationError.self) { try Self.make(connection, ["ours": Self.pem]) }
    #expect(throws: InstallationError.self) { try Self.make(connection, ["ours": Self.key]) }
  }
}
