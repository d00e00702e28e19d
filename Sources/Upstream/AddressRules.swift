public import Glibc
public import Tenancy

/// Which addresses a provider may have, judged at connect time on the very address that will be used: what DNS said
/// before or says later does not matter. The list is section 4 of the threat model.
public struct AddressRules: Sendable {
  /// Nil: public addresses only. Else exactly these networks, private ones and loopback among them.
  public let networks: [Network]?

  public init(networks: [Network]?) { self.networks = networks }

  private enum Kind {
    case `public`
    /// Of this machine, or of a private network.
    case house
    /// Nobody's, whoever asks: link-local (the metadata of clouds), documentation, multicast, reserved.
    case refused
  }

  private func allows(_ kind: Kind, _ address: NetworkAddress) -> Bool {
    guard kind != .refused else { return false }
    guard let networks else { return kind == .public }
    return networks.contains { $0.contains(address) }
  }

  public func allows(_ address: UnsafePointer<sockaddr>) -> Bool {
    switch Int32(address.pointee.sa_family) {
    case AF_INET:
      let bytes = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { $0.pointee.sin_addr.s_addr }
      return allows(v4: UInt32(bigEndian: bytes))
    case AF_INET6:
      return address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { pointer in
        withUnsafeBytes(of: pointer.pointee.sin6_addr) { allows(v6: $0) }
      }
    default: return false
    }
  }

  public func allows(v4 address: UInt32) -> Bool {
    allows(Self.kind(v4: address), NetworkAddress(ipv4: address))
  }

  private static func kind(v4 address: UInt32) -> Kind {
    func within(_ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32, _ prefix: UInt32) -> Bool {
      let network = a << 24 | b << 16 | c << 8 | d
      return (address ^ network) >> (32 &- prefix) == 0
    }
    if within(127, 0, 0, 0, 8) || within(10, 0, 0, 0, 8) || within(172, 16, 0, 0, 12) || within(192, 168, 0, 0, 16) {
      return .house
    }
    let refused =
      within(0, 0, 0, 0, 8) || within(100, 64, 0, 0, 10) || within(169, 254, 0, 0, 16) || within(192, 0, 0, 0, 24)
      || within(192, 0, 2, 0, 24) || within(192, 88, 99, 0, 24) || within(198, 18, 0, 0, 15)
      || within(198, 51, 100, 0, 24) || within(203, 0, 113, 0, 24) || address >> 28 >= 14  // multicast and reserved
    return refused ? .refused : .public
  }

  /// - Parameter bytes: 16 bytes, most significant first.
  public func allows(v6 bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count == 16 else { return false }
    let high = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self))
    let low = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    let v4 = UInt32(truncatingIfNeeded: low)
    let address = NetworkAddress(value: UInt128(high) << 64 | UInt128(low))
    if address.isIPv4 { return allows(v4: v4) }
    guard high == 0x0064_FF9B_0000_0000, low >> 32 == 0 else { return allows(Self.kind(v6: high, low), address) }
    // NAT64 (RFC 6052) leads to the address inside, and a record may name either.
    return allows(v4: v4) || networks != nil && allows(Self.kind(v4: v4), address)
  }

  private static func kind(v6 high: UInt64, _ low: UInt64) -> Kind {
    if high == 0 { return low == 1 ? .house : .refused }  // :: and v4-compatible addresses are nobody's
    if high >> 16 == 0x0064_FF9B_0001 { return .refused }  // local NAT64, RFC 8215
    if high >> 57 == 0x7E { return .house }  // fc00::/7
    if high >> 54 == 0x3FA || high >> 56 == 0xFF { return .refused }  // fe80::/10, multicast
    let first = high >> 32
    let isRefused = first == 0x2001_0000 || first == 0x2001_0DB8 || high >> 48 == 0x2002 || high >> 54 == 0x3FB
    return isRefused ? .refused : .public
  }
}
