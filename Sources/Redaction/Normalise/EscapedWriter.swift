import JSONText

/// Writes text so that it is right within JSON at a depth of escaping, and reads raw bytes back to text.
enum EscapedWriter {
  /// Appends the text behind raw bytes `from ..< to` that are escaped `depth` times. Lone surrogates take three bytes.
  static func appendText(_ raw: UnsafePointer<UInt8>, _ from: Int, _ to: Int, depth: Int, into out: ByteArena) {
    var plain = from
    var position = from
    while position < to {
      guard depth > 0, raw[position] == 0x5C else {
        position += 1
        continue
      }
      let unit = EscapedText.unit(raw, position, to, depth: depth)
      guard unit.length > 0 else {
        position += 1
        continue
      }
      out.append(UnsafeRawBufferPointer(start: raw + plain, count: position - plain))
      append(scalar: unit.scalar, into: out)
      position += unit.length
      plain = position
    }
    out.append(UnsafeRawBufferPointer(start: raw + plain, count: to - plain))
  }

  private static func append(scalar: UInt32, into out: ByteArena) {
    switch scalar {
    case 0..<0x80: out.append(UInt8(scalar))
    case 0x80..<0x800:
      out.append(UInt8(0xC0 | scalar >> 6))
      out.append(UInt8(0x80 | scalar & 0x3F))
    case 0x800..<0x10000:
      out.append(UInt8(0xE0 | scalar >> 12))
      out.append(UInt8(0x80 | scalar >> 6 & 0x3F))
      out.append(UInt8(0x80 | scalar & 0x3F))
    default:
      out.append(UInt8(0xF0 | scalar >> 18 & 0x07))
      out.append(UInt8(0x80 | scalar >> 12 & 0x3F))
      out.append(UInt8(0x80 | scalar >> 6 & 0x3F))
      out.append(UInt8(0x80 | scalar & 0x3F))
    }
  }

  /// Appends text, escaped `depth` times.
  static func append(_ text: UnsafeRawBufferPointer, depth: Int, into out: ByteArena) {
    var plain = 0
    var position = 0
    while position < text.count {
      let byte = text[position]
      let isSurrogate = byte == 0xED && position + 2 < text.count && text[position + 1] >= 0xA0
      if depth == 0 || (byte >= 0x20 && byte != 0x22 && byte != 0x5C && !isSurrogate) {
        position += 1
        continue
      }
      out.append(UnsafeRawBufferPointer(rebasing: text[plain..<position]))
      if isSurrogate {
        let scalar = 0xD000 | UInt32(text[position + 1] & 0x3F) << 6 | UInt32(text[position + 2] & 0x3F)
        hexEscape(scalar, depth: depth, into: out)
        position += 3
      } else {
        escape(byte, depth: depth, into: out)
        position += 1
      }
      plain = position
    }
    out.append(UnsafeRawBufferPointer(rebasing: text[plain..<text.count]))
  }

  private static func escape(_ byte: UInt8, depth: Int, into out: ByteArena) {
    let short: UInt8 =
      switch byte {
      case 0x22, 0x5C: byte
      case 0x08: 0x62
      case 0x09: 0x74
      case 0x0A: 0x6E
      case 0x0C: 0x66
      case 0x0D: 0x72
      default: 0
      }
    if short == 0 { return hexEscape(UInt32(byte), depth: depth, into: out) }
    put(0x5C, depth: depth - 1, into: out)
    put(short, depth: depth - 1, into: out)
  }

  private static func hexEscape(_ scalar: UInt32, depth: Int, into out: ByteArena) {
    put(0x5C, depth: depth - 1, into: out)
    out.append(0x75)
    for shift: UInt32 in [12, 8, 4, 0] {
      let digit = UInt8(scalar >> shift & 0xF)
      out.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
    }
  }

  /// A quote or backslash at a lower depth, escaped as that depth asks.
  private static func put(_ byte: UInt8, depth: Int, into out: ByteArena) {
    guard depth > 0, byte == 0x5C || byte == 0x22 else { return out.append(byte) }
    put(0x5C, depth: depth - 1, into: out)
    put(byte, depth: depth - 1, into: out)
  }
}
