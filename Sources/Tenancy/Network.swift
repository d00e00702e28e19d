/// An IP address as one 128-bit number; an IPv4 address stands as its mapped form `::ffff:a.b.c.d`.
public struct NetworkAddress: Hashable, Sendable, CustomStringConvertible {
  public let value: UInt128

  public init(value: UInt128) { self.value = value }
  /// From the four bytes of an IPv4 address, most significant first.
  public init(ipv4: UInt32) { value = 0xFFFF_0000_0000 | UInt128(ipv4) }

  public var isIPv4: Bool { value >> 32 == 0xFFFF }

  /// Whom limits on one source count: an IPv4 address, or the /64 of an IPv6 address.
  public var source: NetworkAddress { isIPv4 ? self : NetworkAddress(value: value & (UInt128.max << 64)) }

  /// Reads dotted decimal or the colon form of RFC 4291 in any of its spellings; zones, ports and leading zeros are
  /// refused.
  public init?(_ text: some StringProtocol) {
    let bytes = Array(text.utf8)
    guard !bytes.isEmpty, bytes.count <= 45 else { return nil }
    if bytes.contains(0x3A) {
      guard let value = Self.readIPv6(bytes) else { return nil }
      self.init(value: value)
    } else {
      guard let value = Self.readIPv4(bytes[...]) else { return nil }
      self.init(ipv4: value)
    }
  }

  private static func readIPv4(_ bytes: ArraySlice<UInt8>) -> UInt32? {
    let parts = bytes.split(separator: 0x2E, omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var value: UInt32 = 0
    for part in parts {
      guard (1...3).contains(part.count), part.count == 1 || part.first != 0x30 else { return nil }
      var number: UInt32 = 0
      for byte in part {
        guard (0x30...0x39).contains(byte) else { return nil }
        number = number * 10 + UInt32(byte - 0x30)
      }
      guard number <= 255 else { return nil }
      value = value << 8 | number
    }
    return value
  }

  private static func readIPv6(_ bytes: [UInt8]) -> UInt128? {
    var groups: [UInt128] = []
    var gap: Int?
    var index = 0
    if bytes.first == 0x3A {
      guard bytes.count >= 2, bytes[1] == 0x3A else { return nil }
      gap = 0
      index = 2
    }
    while index < bytes.count {
      var end = index
      while end < bytes.count, bytes[end] != 0x3A { end += 1 }
      let part = bytes[index..<end]
      if part.contains(0x2E) {
        guard end == bytes.count, let tail = readIPv4(part) else { return nil }
        groups.append(UInt128(tail >> 16))
        groups.append(UInt128(tail & 0xFFFF))
        index = end
        break
      }
      guard (1...4).contains(part.count) else { return nil }
      var number: UInt128 = 0
      for byte in part {
        guard let digit = hexValue(byte) else { return nil }
        number = number << 4 | UInt128(digit)
      }
      groups.append(number)
      guard groups.count <= 8 else { return nil }
      index = end
      guard index < bytes.count else { break }
      index += 1
      if index < bytes.count, bytes[index] == 0x3A {
        guard gap == nil else { return nil }
        gap = groups.count
        index += 1
      } else if index == bytes.count {
        return nil
      }
    }
    guard groups.count <= 8, gap != nil ? groups.count <= 7 : groups.count == 8 else { return nil }
    var all = groups
    if let gap { all.insert(contentsOf: [UInt128](repeating: 0, count: 8 - groups.count), at: gap) }
    return all.reduce(UInt128(0)) { $0 << 16 | $1 }
  }

  /// Dotted decimal, or the eight groups of an IPv6 address as RFC 5952 writes them.
  public var description: String {
    if isIPv4 { return (0..<4).map { "\(value >> UInt128(24 - 8 * $0) & 0xFF)" }.joined(separator: ".") }
    let groups = (0..<8).map { UInt16(truncatingIfNeeded: value >> UInt128(112 - 16 * $0)) }
    // The first of the longest runs of zeros, of two at least.
    var gap = 0..<0
    var start = 0
    for index in 0...8 where index == 8 || groups[index] != 0 {
      if index - start > max(1, gap.count) { gap = start..<index }
      start = index + 1
    }
    func text(_ part: Range<Int>) -> String {
      groups[part].map { String($0, radix: 16) }.joined(separator: ":")
    }
    return gap.isEmpty ? text(0..<8) : text(0..<gap.lowerBound) + "::" + text(gap.upperBound..<8)
  }

  private static func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
  }
}

/// A network in CIDR form. Its host bits are zero.
public struct Network: Hashable, Sendable, CustomStringConvertible {
  public let text: String
  private let base: UInt128
  private let mask: UInt128

  /// Reads `address/prefix`, or an address alone for that host; host bits that are set are refused.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard let first = parts.first, parts.count <= 2, let address = NetworkAddress(first) else { return nil }
    let width = address.isIPv4 && !first.utf8.contains(0x3A) ? 32 : 128
    var length = width
    if parts.count == 2 {
      let digits = parts[1].utf8
      guard (1...3).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
        digits.count == 1 || digits.first != 0x30, let number = Int(parts[1]), number <= width
      else { return nil }
      length = number
    }
    let hostBits = width - length
    mask = hostBits >= 128 ? 0 : ~((UInt128(1) << UInt128(hostBits)) - 1)
    base = address.value
    guard base & ~mask == 0 else { return nil }
    self.text = text
  }

  public var description: String { text }

  public func contains(_ address: NetworkAddress) -> Bool { address.value & mask == base & mask }

  /// Whether every address of the other is one of this.
  public func covers(_ other: Network) -> Bool { mask & other.mask == mask && other.base & mask == base & mask }
}
