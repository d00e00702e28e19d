import Glibc
import Tenancy
import Testing

@testable import Upstream

@Suite("Addresses that a provider may have")
struct AddressRulesTests {
  private static let anywhere = ["::/0"].compactMap { Network($0) }

  enum Verdict: Sendable { case allowed, refused, localOnly }

  struct Case: Sendable, CustomTestStringConvertible {
    let address: String
    let verdict: Verdict
    var testDescription: String { "\(address) \(verdict)" }
  }

  /// The first and last address of each range, and their neighbours outside.
  static let v4: [Case] = cases([
    .refused: [
      "0.0.0.0", "0.0.0.1", "0.255.255.255",
      "100.64.0.0", "100.100.100.200", "100.127.255.255",
      "169.254.0.0", "169.254.169.254", "169.254.255.255",
      "192.0.0.0", "192.0.0.192", "192.0.0.255",
      "192.0.2.0", "192.0.2.255",
      "198.18.0.0", "198.19.255.255",
      "198.51.100.0", "198.51.100.255",
      "203.0.113.0", "203.0.113.255",
      "224.0.0.0", "239.255.255.255",
      "240.0.0.0", "255.255.255.254", "255.255.255.255",
    ],
    .localOnly: [
      "10.0.0.0", "10.255.255.255",
      "127.0.0.0", "127.0.0.1", "127.255.255.255",
      "172.16.0.0", "172.31.255.255",
      "192.168.0.0", "192.168.255.255",
    ],
    .allowed: [
      "1.0.0.0", "8.8.8.8", "9.255.255.255", "11.0.0.0",
      "100.63.255.255", "100.128.0.0",
      "126.255.255.255", "128.0.0.0",
      "169.253.255.255", "169.255.0.0",
      "172.15.255.255", "172.32.0.0",
      "191.255.255.255", "192.0.1.0", "192.0.1.255", "192.0.3.0",
      "192.167.255.255", "192.169.0.0",
      "198.17.255.255", "198.20.0.0",
      "198.51.99.255", "198.51.101.0",
      "203.0.112.255", "203.0.114.0",
      "223.255.255.255",
    ],
  ])

  static let v6: [Case] = cases([
    .refused: [
      "::", "::2", "::ffff", "::127.0.0.1", "::8.8.8.8", "::255.255.255.255",
      "::fffe:8.8.8.8", "::ffff:0:8.8.8.8",
      "64:ff9b:1::", "64:ff9b:1::8.8.8.8", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
      "2001::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff",
      "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
      "2002::", "2002:7f00:1::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
      "fe80::", "fe80::1", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
      "ff00::", "ff02::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ],
    .localOnly: [
      "::1", "fc00::", "fd00:ec2::254", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ],
    .allowed: [
      "2606:4700:4700::1111", "2a00:1450:4001:82f::200e", "2001:4860:4860::8888",
      "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:1::",
      "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::",
      "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::",
    ],
  ])

  @Test(arguments: v4)
  func ipv4(_ address: Case) throws {
    let value = try number(address.address)
    check(address) { $0.allows(v4: value) }
    check(address) { rules in allowsSocket(rules, v4: value) }
  }

  @Test(arguments: v6)
  func ipv6(_ address: Case) throws {
    let bytes = try bytes(address.address)
    check(address) { rules in bytes.withUnsafeBytes { rules.allows(v6: $0) } }
    check(address) { rules in allowsSocket(rules, v6: bytes) }
  }

  /// `::ffff:a.b.c.d` and NAT64's `64:ff9b::a.b.c.d` reach the address inside.
  @Test(arguments: v4, ["::ffff:", "64:ff9b::"])
  func ipv6AroundIPv4IsJudgedByTheAddressInside(_ address: Case, prefix: String) throws {
    let bytes = try bytes(prefix + address.address)
    check(address) { rules in bytes.withUnsafeBytes { rules.allows(v6: $0) } }
    check(address) { rules in allowsSocket(rules, v6: bytes) }
  }

  /// A record in the house has its own networks, and no other of them, nor the world.
  @Test(arguments: [
    ("10.1.2.3", true), ("10.1.3.1", false), ("127.0.0.1", false), ("8.8.8.8", false), ("192.0.2.1", false),
    ("130.92.1.1", true), ("130.93.1.1", false), ("::1", false), ("fd00:1::5", true), ("fd00:2::5", false),
    ("2606:4700::1", false), ("::ffff:10.1.2.3", true), ("::ffff:10.1.3.1", false), ("169.254.169.254", false),
    ("fe80::1", false), ("64:ff9b::a01:203", true), ("64:ff9b::a01:301", false), ("64:ff9b::c0a8:105", true),
    ("64:ff9b::a9fe:a9fe", false),
  ])
  func namedNetworksAreAllThatIsAllowed(address: String, isAllowed: Bool) throws {
    let names = [
      "10.1.2.0/24", "130.92.0.0/16", "fd00:1::/32", "192.0.2.0/24", "169.254.169.254", "fe80::/10",
      "64:ff9b::c0a8:100/120", "64:ff9b::a9fe:0/112",
    ]
    let rules = AddressRules(networks: try names.map { try #require(Network($0)) })
    let bytes = try bytes(address.contains(":") ? address : "::ffff:\(address)")
    #expect(bytes.withUnsafeBytes { rules.allows(v6: $0) } == isAllowed)
  }

  @Test func aLocalRecordWithoutNetworksMayNotBeAnywhere() throws {
    for address in ["127.0.0.1", "10.0.0.1", "8.8.8.8"] {
      let bytes = try bytes("::ffff:\(address)")
      #expect(!bytes.withUnsafeBytes { AddressRules(networks: []).allows(v6: $0) })
    }
  }

  @Test(arguments: [nil, anywhere])
  func otherFamiliesAreRefused(networks: [Network]?) {
    let rules = AddressRules(networks: networks)
    for family in [AF_UNIX, AF_UNSPEC, AF_NETLINK, AF_PACKET] {
      var address = sockaddr()
      address.sa_family = sa_family_t(family)
      #expect(!rules.allows(&address), "family \(family)")
    }
  }

  @Test(arguments: [0, 4, 15, 17])
  func whatIsNotSixteenBytesIsRefused(count: Int) {
    let bytes = [UInt8](repeating: 0x20, count: count)
    bytes.withUnsafeBytes { #expect(!AddressRules(networks: Self.anywhere).allows(v6: $0)) }
  }

  private func check(_ address: Case, _ allows: (AddressRules) -> Bool) {
    #expect(allows(AddressRules(networks: nil)) == (address.verdict == .allowed), "\(address.address)")
    #expect(allows(AddressRules(networks: Self.anywhere)) == (address.verdict != .refused), "\(address.address), local")
  }

  private func allowsSocket(_ rules: AddressRules, v4 value: UInt32) -> Bool {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(443).bigEndian
    address.sin_addr.s_addr = value.bigEndian
    return withUnsafePointer(to: address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { rules.allows($0) }
    }
  }

  private func allowsSocket(_ rules: AddressRules, v6 bytes: [UInt8]) -> Bool {
    var address = sockaddr_in6()
    address.sin6_family = sa_family_t(AF_INET6)
    address.sin6_port = UInt16(443).bigEndian
    withUnsafeMutableBytes(of: &address.sin6_addr) { $0.copyBytes(from: bytes) }
    return withUnsafePointer(to: address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { rules.allows($0) }
    }
  }

  /// The test's own reading of the texts: the system's, which is not the code under test.
  private func number(_ text: String) throws -> UInt32 {
    var address = in_addr()
    try #require(inet_pton(AF_INET, text, &address) == 1, "\(text)")
    return UInt32(bigEndian: address.s_addr)
  }

  private func bytes(_ text: String) throws -> [UInt8] {
    var address = in6_addr()
    try #require(inet_pton(AF_INET6, text, &address) == 1, "\(text)")
    return withUnsafeBytes(of: &address) { Array($0) }
  }

  private static func cases(_ table: [Verdict: [String]]) -> [Case] {
    table.flatMap { verdict, addresses in addresses.map { Case(address: $0, verdict: verdict) } }
      .sorted { $0.address < $1.address }
  }
}
