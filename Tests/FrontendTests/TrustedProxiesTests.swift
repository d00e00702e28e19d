import Tenancy
import Testing

@testable import Frontend

@Suite("Whose address a request counts for behind proxies")
struct TrustedProxiesTests {
  private let proxies = TrustedProxies(
    networks: ["10.0.0.0/8", "2001:db8:1::/48"].compactMap { Network($0) }, trustsFiles: false)

  private func client(_ fields: [String], _ proxies: TrustedProxies? = nil) -> NetworkAddress? {
    let head = "GET / HTTP/1.1\r\nHost: x\r\n" + fields.map { "\($0)\r\n" }.joined() + "\r\n"
    return Array(head.utf8).withUnsafeBytes { (proxies ?? self.proxies).client(in: $0) }
  }

  @Test(arguments: [
    ("203.0.113.7", "203.0.113.7"),
    ("198.51.100.1, 203.0.113.7", "203.0.113.7"),
    ("198.51.100.1,203.0.113.7 , 10.1.2.3", "203.0.113.7"),
    ("203.0.113.7, 10.9.9.9,\t10.1.2.3", "203.0.113.7"),
    ("nonsense, 203.0.113.7", "203.0.113.7"),  // whoever wrote that, it was before the proxy
    (", 203.0.113.7", "203.0.113.7"),
    ("10.0.0.1", "10.0.0.1"),  // all of them are ours: the first of them asked
    ("10.0.0.1, 10.0.0.2", "10.0.0.1"),
    ("203.0.113.7:4711", "203.0.113.7"),
    ("2001:db8:2::7", "2001:db8:2::7"),
    ("[2001:db8:2::7]", "2001:db8:2::7"),
    ("[2001:db8:2::7]:443, 2001:db8:1::1", "2001:db8:2::7"),
    ("::ffff:203.0.113.7", "203.0.113.7"),
    ("203.0.113.7, ::ffff:10.0.0.1", "203.0.113.7"),
  ])
  func theRightmostThatIsNoProxy(field: String, expected: String) {
    #expect(client(["X-Forwarded-For: \(field)"]) == NetworkAddress(expected))
  }

  @Test func severalFieldsAreOneList() {
    #expect(
      client(["x-forwarded-for: 203.0.113.1, 203.0.113.2", "X-A: 203.0.113.9", "X-FORWARDED-FOR:10.0.0.1"])
        == NetworkAddress("203.0.113.2"))
    #expect(client(["X-Forwarded-For: 203.0.113.1", "X-Forwarded-For: 203.0.113.2"]) == NetworkAddress("203.0.113.2"))
    #expect(
      client(["X-Forwarded-Format: 203.0.113.1", "X-Forwarded-For: 203.0.113.2"]) == NetworkAddress("203.0.113.2"))
  }

  @Test(arguments: [
    "", " ", ",", "203.0.113.7,", "unknown", "_hidden", "203.0.113", "203.0.113.256", "203.0.113.07", "203.0.113.7:",
    "203.0.113.7:port", "203.0.113.7:123456", "[203.0.113.7]", "[2001:db8::1", "[2001:db8::1]x", "2001:db8::1]", "::",
    "0.0.0.0.0", "fe80::1%eth0", "\"203.0.113.7\"", "203.0.113.7 10.0.0.1", "203.0.113.7;10.0.0.1", "bad, 10.0.0.1",
  ])
  func whatAProxyWroteAndIsNoAddressTellsNothing(field: String) {
    #expect(client(["X-Forwarded-For: \(field)"]) == nil)
  }

  @Test(arguments: [(31, true), (32, false)]) func aChainHasAnEnd(proxiesInIt: Int, isRead: Bool) {
    let chain = "203.0.113.7" + String(repeating: ", 10.0.0.1", count: proxiesInIt)
    #expect((client(["X-Forwarded-For: \(chain)"]) != nil) == isRead)
  }

  @Test func whoComesByAFileIsTrustedOnlyWhereThatIsSaid() {
    #expect(!proxies.holds(SourceAddress.nowhere))
    #expect(TrustedProxies(networks: [], trustsFiles: true).holds(SourceAddress.nowhere))
    #expect(
      !TrustedProxies(networks: [Network("::/0")].compactMap { $0 }, trustsFiles: false).holds(SourceAddress.nowhere))
    #expect(TrustedProxies().isEmpty && !TrustedProxies(networks: [], trustsFiles: true).isEmpty)
  }

  @Test func anyBytesGiveAnAddressOrNone() {
    var random = SeededGenerator(seed: 20_261_129)
    let alphabet = Array("0123456789abcdef.:,[] \t\r\nX-Forwarded-For:x%\"".utf8)
    for _ in 0..<20_000 {
      var head = Array("X-Forwarded-For:".utf8)
      for _ in 0..<Int.random(in: 0...60, using: &random) {
        head.append(alphabet[Int.random(in: 0..<alphabet.count, using: &random)])
      }
      if let found = head.withUnsafeBytes({ proxies.client(in: $0) }) { #expect(found != SourceAddress.nowhere) }
    }
  }
}
