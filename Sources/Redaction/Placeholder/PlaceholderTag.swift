/// The eight characters of a placeholder: 40 bits in base 32 without i, l, o and u.
enum PlaceholderTag {
  static let length = 8
  /// The longest placeholder: brackets, a label of 16, the separator, the tag.
  static let longest = 27
  private static let alphabet: StaticString = "0123456789abcdefghjkmnpqrstvwxyz"

  /// The value of a character in any case, or nil.
  @inline(__always)
  static func value(_ byte: UInt8) -> UInt64? {
    switch byte {
    case 0x30...0x39: return UInt64(byte) - 0x30
    case 0x41...0x5A, 0x61...0x7A:
      let lower = byte | 0x20
      let packed: UInt64
      switch lower {
      case 0x69, 0x6C, 0x6F, 0x75: return nil
      case 0x61...0x68: packed = UInt64(lower) - 0x61 + 10
      case 0x6A, 0x6B: packed = UInt64(lower) - 0x6A + 18
      case 0x6D, 0x6E: packed = UInt64(lower) - 0x6D + 20
      case 0x70...0x74: packed = UInt64(lower) - 0x70 + 22
      default: packed = UInt64(lower) - 0x76 + 27
      }
      return packed
    default: return nil
    }
  }

  /// Appends the characters of a 40-bit tag.
  static func append(_ tag: UInt64, to out: inout ByteWriter) {
    for shift in stride(from: 35, through: 0, by: -5) { out.append(alphabet.utf8Start[Int(tag >> UInt64(shift) & 31)]) }
  }
}
