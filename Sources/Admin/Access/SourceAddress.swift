private import Tenancy

/// Whom a connection's failures are counted against: an IPv4 address or an IPv6 network of 64 bits.
enum SourceAddress {
  private static let loopback = [Network("127.0.0.0/8"), Network("::1/128")].compactMap(\.self)

  /// Whether a peer is on this machine; one whose address is not known is not.
  static func isLoopback(_ address: String) -> Bool {
    guard let peer = NetworkAddress(address.split(separator: "%", maxSplits: 1).first ?? "") else { return false }
    return loopback.contains { $0.contains(peer) }
  }

  /// - Parameter address: The numeric form of a peer's address, with or without a zone.
  static func name(_ address: String) -> String {
    let plain = address.split(separator: "%", maxSplits: 1).first ?? ""
    guard let network = NetworkAddress(plain) else { return "unknown" }
    return network.isIPv4 ? String(plain) : String(network.value >> 64, radix: 16) + "::/64"
  }
}
