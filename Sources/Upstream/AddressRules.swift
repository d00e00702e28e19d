public import Glibc

/// Which addresses a provider may have, judged at connect time on the very address that will be used: what DNS said
/// before or says later does not matter. The list is section 4 of the threat model.
public struct AddressRules: Sendable {
  /// Loopback and private networks are allowed: the record is marked `local`.
  public let allowsLocal: Bool

  public init(allowsLocal: Bool) { self.allowsLocal = allowsLocal }

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
    func within(_ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32, _ prefix: UInt32) -> Bool {
      let network = a << 24 | b << 16 | c << 8 | d
      return (address ^ network) >> (32 &- prefix) == 0
    }
    if within(127, 0, 0, 0, 8) || within(10, 0, 0, 0, 8) || within(172, 16, 0, 0, 12) || within(192, 168, 0, 0, 16) {
      return allowsLocal
    }
    let refused =
      within(0, 0, 0, 0, 8) || within(100, 64, 0, 0, 10) || within(169, 254, 0, 0, 16) || within(192, 0, 0, 0, 24)
      || within(192, 0, 2, 0, 24) || within(192, 88, 99, 0, 24) || within(198, 18, 0, 0, 15)
      || within(198, 51, 100, 0, 24) || within(203, 0, 113, 0, 24) || address >> 28 >= 14  // multicast and reserved
    return !refused
  }

  /// - Parameter bytes: 16 bytes, most significant first.
  public func allows(v6 bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count == 16 else { return false }
    let high = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self))
    let low = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    let v4 = UInt32(truncatingIfNeeded: low)
    if high == 0 {
      if low == 1 { return allowsLocal }
      // v4-mapped addresses are judged by the address inside; v4-compatible ones and :: are nobody's.
      return low >> 32 == 0xFFFF ? allows(v4: v4) : false
    }
    if high == 0x0064_FF9B_0000_0000, low >> 32 == 0 { return allows(v4: v4) }  // NAT64, RFC 6052
    if high >> 16 == 0x0064_FF9B_0001 { return false }  // local NAT64, RFC 8215
    if high >> 57 == 0x7E { return allowsLocal }  // fc00::/7
    if high >> 54 == 0x3FA || high >> 56 == 0xFF { return false }  // fe80::/10, multicast
    let first = high >> 32
    return !(first == 0x2001_0000 || first == 0x2001_0DB8 || high >> 48 == 0x2002 || high >> 54 == 0x3FB)
  }
}
