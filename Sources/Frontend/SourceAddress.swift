import NIOCore
import Tenancy

/// Who a connection counts for: an IPv4 address or the /64 of an IPv6 address.
struct SourceAddress: Hashable {
  private let high: UInt64
  private let isV6: Bool
  /// The whole address, for network rules.
  let network: NetworkAddress

  init(_ address: SocketAddress?) {
    var high: UInt64 = 0
    var isV6 = false
    var network = NetworkAddress(value: 0)
    switch address {
    case .v4(let v4):
      // sockaddr_in: the address lies behind family and port.
      withUnsafeBytes(of: v4.address) { bytes in
        let address = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        high = UInt64(address)
        network = NetworkAddress(ipv4: address)
      }
    case .v6(let v6):
      // sockaddr_in6: behind family, port and flow label; the first half is the network.
      withUnsafeBytes(of: v6.address) { bytes in
        high = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        network = NetworkAddress(value: UInt128(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt128.self)))
      }
      isV6 = true
    default: break
    }
    if isV6, network.isIPv4 {
      // An IPv4 client on a dual-stack listener is the same client as on an IPv4 one.
      high = UInt64(truncatingIfNeeded: network.value & 0xFFFF_FFFF)
      isV6 = false
    }
    self.high = high
    self.isV6 = isV6
    self.network = network
  }

  static func == (left: SourceAddress, right: SourceAddress) -> Bool {
    left.high == right.high && left.isV6 == right.isV6
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(high)
    hasher.combine(isV6)
  }
}
