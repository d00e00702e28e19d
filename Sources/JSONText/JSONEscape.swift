/// Writes text as the content of a JSON string and reads it back.
public enum JSONEscape {
  /// Appends `text` escaped for a JSON string (`depth` 1) or for a string inside JSON inside a JSON string (`depth` 2);
  /// without quotes. Bytes ≥ 0x80 go out as they are.
  public static func append(_ text: UnsafeRawBufferPointer, depth: UInt8 = 1, to out: ByteArena) {
    guard let base = text.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
    let count = text.count
    out.reserve(count)
    // Always `run ≤ index ≤ count`.
    var run = 0
    var index = 0
    while index < count {
      index = ByteSearch.nextSpecial(base, index, count)
      guard index < count else { break }
      let byte = base[index]
      if byte < 0x80 {
        out.append(UnsafeRawBufferPointer(start: base + run, count: index &- run))
        escape(byte, depth: depth, to: out)
        run = index &+ 1
      }
      index &+= 1
    }
    out.append(UnsafeRawBufferPointer(start: base + run, count: count &- run))
  }

  /// As ``append(_:depth:to:)``, of a string.
  public static func append(_ text: String, depth: UInt8 = 1, to out: ByteArena) {
    text.withBytes { append($0, depth: depth, to: out) }
  }

  /// Appends `text` as a JSON string with its quotes.
  public static func appendQuoted(_ text: String, to out: ByteArena) {
    out.append(0x22)
    append(text, to: out)
    out.append(0x22)
  }

  private static func escape(_ byte: UInt8, depth: UInt8, to out: ByteArena) {
    // Each deeper level doubles the backslash, and escapes the quote once more.
    let isDeep = depth >= 2
    switch byte {
    case 0x22: if isDeep { out.append("\\\\\\\"") } else { out.append("\\\"") }
    case 0x5C: if isDeep { out.append("\\\\\\\\") } else { out.append("\\\\") }
    default:
      out.append(0x5C)
      if isDeep { out.append(0x5C) }
      switch byte {
      case 0x08: out.append(0x62)
      case 0x09: out.append(0x74)
      case 0x0A: out.append(0x6E)
      case 0x0C: out.append(0x66)
      case 0x0D: out.append(0x72)
      default:
        out.append("u00")
        out.append(HexDigits.character(byte >> 4))
        out.append(HexDigits.character(byte & 15))
      }
    }
  }

  /// Appends the text behind `raw`, the content of a scanned string; the reverse of ``append(_:depth:to:)``.
  ///
  /// Half a surrogate pair becomes U+FFFD; a malformed escape stays as it stands.
  public static func unescape(_ raw: UnsafeRawBufferPointer, depth: UInt8 = 1, to out: ByteArena) {
    guard depth > 0 else { return out.append(raw) }
    let began = out.count
    out.reserve(raw.count)
    unescapeOnce(raw, to: out)
    guard depth > 1 else { return }
    // The second pass reads what the first wrote and writes behind it; then it is moved to its place.
    let inner = ByteArena(capacity: max(64, out.count - began))
    unescapeOnce(ByteRange(began, out.count).of(out.bytes), to: inner)
    out.truncate(to: began)
    withExtendedLifetime(inner) { out.append(inner.bytes) }
  }

  /// Writes into memory of the escaped text's length: what an escape stands for is never longer than the escape.
  private static func unescapeOnce(_ raw: UnsafeRawBufferPointer, to out: ByteArena) {
    guard let base = raw.baseAddress?.assumingMemoryBound(to: UInt8.self), raw.count > 0 else { return }
    _ = out.extend(upTo: raw.count) { room in
      guard let text = room.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return 0 }
      return unescapeOnce(base, raw.count, to: text)
    }
  }

  /// - Returns: How many bytes were written.
  private static func unescapeOnce(
    _ base: UnsafePointer<UInt8>, _ count: Int, to text: UnsafeMutablePointer<UInt8>
  ) -> Int {
    var written = 0
    var index = 0
    while true {
      var end = ByteSearch.next(0x5C, or: 0x5C, base, index, count)
      if end + 1 >= count { end = count }
      if end > index {
        UnsafeMutableRawPointer(text + written).copyMemory(from: base + index, byteCount: end - index)
        written += end - index
        index = end
      }
      guard index < count else { return written }
      var length = 2
      switch base[index + 1] {
      case 0x22, 0x5C, 0x2F: text[written] = base[index + 1]
      case 0x62: text[written] = 0x08
      case 0x66: text[written] = 0x0C
      case 0x6E: text[written] = 0x0A
      case 0x72: text[written] = 0x0D
      case 0x74: text[written] = 0x09
      case 0x75:
        length = unescapeUnit(base, index, count, to: text, &written)
        if length > 0 {
          index += length
          continue
        }
        fallthrough
      default:
        // No escape at all: the backslash stays, and what follows is looked at as text.
        text[written] = 0x5C
        length = 1
      }
      written += 1
      index += length
    }
  }

  /// - Returns: How many bytes were read; 0 if the escape is malformed.
  private static func unescapeUnit(
    _ base: UnsafePointer<UInt8>, _ index: Int, _ end: Int, to text: UnsafeMutablePointer<UInt8>, _ written: inout Int
  ) -> Int {
    guard index + 6 <= end, let unit = HexDigits.unit(base + index + 2) else { return 0 }
    var scalar = UInt32(unit)
    var length = 6
    if unit & 0xF800 == 0xD800 {
      scalar = 0xFFFD
      if unit < 0xDC00, index + 12 <= end, base[index + 6] == 0x5C, base[index + 7] == 0x75,
        let low = HexDigits.unit(base + index + 8), low & 0xFC00 == 0xDC00
      {
        scalar = 0x10000 + (UInt32(unit & 0x3FF) << 10 | UInt32(low & 0x3FF))
        length = 12
      }
    }
    written += write(scalar, to: text + written)
    return length
  }

  /// - Returns: How many bytes it took: at most 3 of an escape of 6, or 4 of a pair of 12.
  private static func write(_ scalar: UInt32, to text: UnsafeMutablePointer<UInt8>) -> Int {
    if scalar < 0x80 {
      text[0] = UInt8(truncatingIfNeeded: scalar)
      return 1
    }
    let last = 0x80 | UInt8(truncatingIfNeeded: scalar & 0x3F)
    if scalar < 0x800 {
      text[0] = 0xC0 | UInt8(truncatingIfNeeded: scalar >> 6)
      text[1] = last
      return 2
    }
    let middle = 0x80 | UInt8(truncatingIfNeeded: scalar >> 6 & 0x3F)
    if scalar < 0x10000 {
      text[0] = 0xE0 | UInt8(truncatingIfNeeded: scalar >> 12)
      text[1] = middle
      text[2] = last
      return 3
    }
    text[0] = 0xF0 | UInt8(truncatingIfNeeded: scalar >> 18)
    text[1] = 0x80 | UInt8(truncatingIfNeeded: scalar >> 12 & 0x3F)
    text[2] = middle
    text[3] = last
    return 4
  }

  /// How many bytes of text stand behind `raw`, the content of a scanned string, at depth 1.
  public static func unescapedLength(_ raw: UnsafeRawBufferPointer) -> Int {
    guard let base = raw.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return 0 }
    var length = raw.count
    var index = 0
    while true {
      index = ByteSearch.next(0x5C, or: 0x5C, base, index, raw.count)
      guard index + 1 < raw.count else { return length }
      guard base[index + 1] == 0x75 else {
        length -= 1
        index += 2
        continue
      }
      guard index + 6 <= raw.count, let unit = HexDigits.unit(base + index + 2) else {
        index += 2
        continue
      }
      // A pair counts 4 of 12 bytes; each half is taken as two here, which also bounds a lone half (3) within one.
      length -= unit < 0x80 ? 5 : unit < 0x800 ? 4 : unit & 0xF800 == 0xD800 ? 4 : 3
      index += 6
    }
  }
}
