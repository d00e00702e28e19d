/// The signatures and sealed items that only their issuer can check: the mock refuses one that was altered.
enum OpaqueMark {
  /// A mark over `text`; the same text always has the same.
  static func over(_ text: [UInt8]) -> String { "bW9jay1zaWdu" + hex(hash(text)) }

  static func isGenuine(_ mark: String, over text: [UInt8]) -> Bool { mark == over(text) }

  /// A sealed item that carries its own check.
  static func sealed(_ text: [UInt8]) -> String {
    let inside = hex(hash(text))
    return "gAAAAABtb2Nr" + inside + hex(hash(Array(inside.utf8)))
  }

  static func isGenuine(sealed item: String) -> Bool {
    let opening = "gAAAAABtb2Nr"
    guard item.utf8.count == opening.utf8.count + 32, item.hasPrefix(opening) else { return false }
    let rest = item.dropFirst(opening.count)
    return hex(hash(Array(rest.prefix(16).utf8))) == rest.dropFirst(16)
  }

  /// FNV-1a, 64 bits.
  private static func hash(_ text: [UInt8]) -> UInt64 {
    text.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
  }

  private static func hex(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: max(0, 16 - digits.count)) + digits
  }
}
