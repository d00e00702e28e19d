import CLinux
import Glibc
import Tenancy

/// Who a connection counts for: an IPv4 address or the /64 of an IPv6 address.
struct SourceAddress: Hashable {
  private let high: UInt64
  private let isV6: Bool
  /// The whole address, for network rules; ``nowhere`` for connections by a file.
  let network: NetworkAddress

  /// The address of who has none. No client has this one: `::` is no address to come from.
  static let nowhere = NetworkAddress(value: 0)

  /// What `accept` has told; addresses of other families, and none, are one source.
  init(_ address: UnsafePointer<sockaddr>?) {
    var high: UInt64 = 0
    var isV6 = false
    var network = Self.nowhere
    switch address.map({ Int32($0.pointee.sa_family) }) {
    case AF_INET:
      let value = UnsafeRawPointer(address).map {
        UInt32(bigEndian: $0.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
      }
      high = UInt64(value ?? 0)
      network = NetworkAddress(ipv4: value ?? 0)
    case AF_INET6:
      // Behind family, port and flow label; the first half is the network.
      if let bytes = UnsafeRawPointer(address) {
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
