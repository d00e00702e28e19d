import NIOCore

/// Who a connection counts for: an IPv4 address or the /64 of an IPv6 address.
struct SourceAddress: Hashable {
  private let high: UInt64
  private let isV6: Bool

  init(_ address: SocketAddress?) {
    var high: UInt64 = 0
    var isV6 = false
    switch address {
    case .v4(let v4):
      // sockaddr_in: the address lies behind family and port.
      withUnsafeBytes(of: v4.address) { high = UInt64($0.loadUnaligned(fromByteOffset: 4, as: UInt32.self)) }
    case .v6(let v6):
      // sockaddr_in6: behind family, port and flow label; the first half is the network.
      withUnsafeBytes(of: v6.address) { high = $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self) }
      isV6 = true
    default: break
    }
    self.high = high
    self.isV6 = isV6
  }
}
