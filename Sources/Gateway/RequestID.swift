package import JSONText

/// The id of a request: `req_` and 128 random bits in 26 characters; no clock, no counter.
package struct RequestID: Hashable, Sendable {
  package let value: UInt128
  package static let textBytes = 30
  private static let alphabet: StaticString = "0123456789abcdefghjkmnpqrstvwxyz"

  package init(_ value: UInt128) { self.value = value }

  /// Appends the text form.
  package func write(into arena: ByteArena) {
    arena.append("req_")
    var shift = 125
    while shift >= 0 {
      let digit = Int(truncatingIfNeeded: (value >> UInt128(shift)) & 31)
      arena.append(Self.alphabet.utf8Start[digit])
      shift -= 5
    }
  }

  package var text: String {
    let arena = ByteArena(capacity: 64)
    write(into: arena)
    return String(decoding: arena.bytes, as: UTF8.self)
  }
}
