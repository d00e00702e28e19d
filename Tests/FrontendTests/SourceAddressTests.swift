import Glibc
import Tenancy
import Testing

@testable import Frontend

@Suite("Who a connection counts for")
struct SourceAddressTests {
  private func source(_ address: String, port: Int = 1) throws -> SourceAddress {
    var hints = addrinfo()
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    try #require(getaddrinfo(address, String(port), &hints, &list) == 0)
    defer { freeaddrinfo(list) }
    return SourceAddress(try #require(list).pointee.ai_addr)
  }

  @Test(arguments: [
    ("192.0.2.1", "192.0.2.1", true),
    ("192.0.2.1", "192.0.2.2", false),
    ("192.0.2.1", "193.0.2.1", false),
    ("2001:db8:1:2::1", "2001:db8:1:2::1", true),
    ("2001:db8:1:2::", "2001:db8:1:2:ffff:ffff:ffff:ffff", true),
    ("2001:db8:1:2::1", "2001:db8:1:3::1", false),
    ("2001:db8:1:2::1", "2001:db9:1:2::1", false),
    ("0.0.0.0", "::", false),
    ("0.0.0.1", "::1", false),
  ])
  func isAnIPv4AddressOrANetworkOf64Bits(left: String, right: String, isSame: Bool) throws {
    let (left, right) = (try source(left), try source(right, port: 2))
    #expect((left == right) == isSame)
    if isSame { #expect(left.hashValue == right.hashValue) }
  }

  /// A listener on `::` sees IPv4 clients so; they must not share one budget of connections.
  @Test(arguments: [
    ("::ffff:192.0.2.1", "::ffff:192.0.2.2", false),
    ("::ffff:192.0.2.1", "192.0.2.1", true),
  ])
  func mappedAddressesCountAsIPv4(left: String, right: String, isSame: Bool) throws {
    #expect((try source(left) == source(right)) == isSame)
  }

  @Test(arguments: ["192.0.2.1", "10.1.2.3", "2001:db8:1:2:3:4:5:6", "::1", "::ffff:192.0.2.1"])
  func networkRulesSeeTheWholeAddress(address: String) throws {
    #expect(try source(address).network == NetworkAddress(address))
  }

  @Test func whatHasNoAddressIsOneSource() throws {
    var address = sockaddr(sa_family: UInt16(AF_UNIX), sa_data: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
    let local = SourceAddress(&address)
    #expect(local == SourceAddress(nil))
    #expect(local != (try source("192.0.2.1")))
  }
}
