/// Base32 in lower case without padding (RFC 4648, `a–z 2–7`), the alphabet of tokens.
enum Base32 {
  private static let alphabet: [UInt8] = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)

  /// How many characters `bits` take.
  static func length(bits: Int) -> Int { (bits + 4) / 5 }

  static func encode(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    var out: [UInt8] = []
    var buffer: UInt32 = 0
    var held = 0
    for byte in bytes {
      buffer = (buffer << 8) | UInt32(byte)
      held += 8
      while held >= 5 {
        held -= 5
        out.append(alphabet[Int((buffer >> UInt32(held)) & 31)])
      }
      buffer &= (1 << UInt32(held)) - 1
    }
    if held > 0 { out.append(alphabet[Int((buffer << UInt32(5 - held)) & 31)]) }
    return out
  }

  /// The five bits of a character; nil for any other byte.
  @inline(__always)
  static func value(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x61...0x7A: byte &- 0x61
    case 0x32...0x37: byte &- 0x32 &+ 26
    default: nil
    }
  }

  /// Reads the `bits` leading bits as a number; nil if a character is foreign or the bits behind them are not zero.
  static func number(_ text: Slice<UnsafeRawBufferPointer>, bits: Int) -> UInt128? {
    var number: UInt128 = 0
    var left = bits
    for byte in text {
      guard let five = value(byte) else { return nil }
      if left >= 5 {
        number = (number << 5) | UInt128(five)
        left -= 5
      } else {
        guard five & ((1 << UInt8(5 - left)) - 1) == 0 else { return nil }
        number = (number << UInt128(left)) | UInt128(five >> UInt8(5 - left))
        left = 0
      }
    }
    return left == 0 ? number : nil
  }

  /// Whether all characters are of the alphabet.
  static func isValid(_ text: Slice<UnsafeRawBufferPointer>) -> Bool {
    for byte in text where value(byte) == nil { return false }
    return true
  }
}
