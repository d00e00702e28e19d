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

  /// The five bits of a character; 32 or more for any other byte.
  @inline(__always)
  private static func value(_ byte: UInt8) -> UInt8 {
    let (letter, digit) = (byte &- 0x61, byte &- 0x32)
    return letter < 26 ? letter : digit < 6 ? digit &+ 26 : .max
  }

  /// Reads the `bits` leading bits as a number; nil if a character is foreign or the bits behind them are not zero.
  static func number(_ text: Slice<UnsafeRawBufferPointer>, bits: Int) -> UInt128? {
    let bytes = UnsafeRawBufferPointer(rebasing: text)
    var number: UInt128 = 0
    var left = bits
    for index in 0..<bytes.count {
      let five = value(bytes[index])
      guard five < 32 else { return nil }
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

  /// Whether all characters are of the alphabet. Looks at all of them: without a branch, many are looked at at a time.
  static func isValid(_ text: Slice<UnsafeRawBufferPointer>) -> Bool {
    let bytes = UnsafeRawBufferPointer(rebasing: text)
    var foreign: UInt8 = 0
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      foreign |= (byte &- 0x61 < 26 ? 0 : 1) & (byte &- 0x32 < 6 ? 0 : 1)
      index &+= 1
    }
    return foreign == 0
  }
}
