public import JSONText

/// The id of a request: `req_` and 128 random bits in 26 characters; no clock, no counter.
public struct RequestID: Hashable, Sendable {
  public let value: UInt128
  public static let textBytes = 30
  private static let alphabet: StaticString = "0123456789abcdefghjkmnpqrstvwxyz"

  public init(_ value: UInt128) { self.value = value }

  /// Appends the text form.
  public func write(into arena: ByteArena) { withText { arena.append($0) } }

  /// The text form; its bytes are gone when this returns.
  func withText(_ use: (UnsafeRawBufferPointer) -> Void) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.textBytes) { text in
      let digits = Self.alphabet.utf8Start
      // From the end: 12 digits of five bits of the lower half, one that reaches over both, 13 of the upper half.
      var low = UInt64(truncatingIfNeeded: value)
      var high = UInt64(truncatingIfNeeded: value >> 64)
      var at = Self.textBytes
      for _ in 0..<12 {
        at &-= 1
        text[at] = digits[Int(low & 31)]
        low >>= 5
      }
      at &-= 1
      text[at] = digits[Int(low | (high & 1) << 4)]
      high >>= 1
      while at > 4 {
        at &-= 1
        text[at] = digits[Int(high & 31)]
        high >>= 5
      }
      text[0] = 0x72  // "req_"
      text[1] = 0x65
      text[2] = 0x71
      text[3] = 0x5F
      use(UnsafeRawBufferPointer(text))
    }
  }

  public var text: String {
    let arena = ByteArena(capacity: 64)
    write(into: arena)
    return arena.text
  }
}
