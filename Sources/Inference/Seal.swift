import JSONText

/// What only a provider can read and gets back as it came: signatures, sealed thoughts.
///
/// A member's name alone makes no seal: whoever writes a text there would have it travel unread. A seal is base64 of
/// either alphabet, long, and of bytes that are no text; anything else is a text like any other.
enum Seal {
  /// Real ones are longer; an IBAN is base64, too.
  static let shortest = 64
  /// Decoded bytes in a row that could be text. Random bytes reach this once in 10¹³ places.
  private static let longestText = 32

  /// - Parameter raw: The content of a JSON string; `\\/` is the only escape that a seal may have.
  static func isOne(_ raw: UnsafeRawBufferPointer) -> Bool {
    guard raw.count >= shortest, !looksLikeKey(raw) else { return false }
    var (bits, held): (UInt32, UInt32) = (0, 0)
    var run = 0
    var padding = 0
    var index = 0
    while index < raw.count {
      let byte = raw[index]
      index += 1
      if byte == 0x5C {
        guard index < raw.count, raw[index] == 0x2F else { return false }
        continue
      }
      if byte == 0x3D {
        padding += 1
        guard padding <= 2 else { return false }
        continue
      }
      guard padding == 0, let value = value(byte) else { return false }
      bits = bits << 6 | value
      held += 6
      guard held >= 8 else { continue }
      held -= 8
      let decoded = UInt8(truncatingIfNeeded: bits >> held)
      run = decoded >= 0x20 && decoded < 0x7F || decoded == 0x09 || decoded == 0x0A || decoded == 0x0D ? run + 1 : 0
      guard run < longestText else { return false }
    }
    return true
  }

  private static func value(_ byte: UInt8) -> UInt32? {
    switch byte {
    case 0x41...0x5A: UInt32(byte - 0x41)
    case 0x61...0x7A: UInt32(byte - 0x61) + 26
    case 0x30...0x39: UInt32(byte - 0x30) + 52
    case 0x2B, 0x2D: 62
    case 0x2F, 0x5F: 63
    default: nil
    }
  }

  /// Keys of providers are of the same letters, and decode to noise.
  private static func looksLikeKey(_ raw: UnsafeRawBufferPointer) -> Bool {
    keys.contains { raw.count > $0.utf8CodeUnitCount && ByteRange(0, $0.utf8CodeUnitCount).of(raw).equals($0) }
  }

  private static let keys: [StaticString] = [
    "sk-", "sk_", "pk_", "rk_", "AKIA", "ASIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox",
    "AIza", "hf_", "th_", "gsk_", "xai-", "eyJ", "ya29",
  ]
}
