import JSONText

/// A stretch of text that is base64 (RFC 4648, either alphabet) or percent-encoded (RFC 3986, section 2.1).
struct EncodedRun {
  var start: Int
  var end: Int
}

/// Finds what may be encoded text, without reading most of the bytes.
///
/// A run of 22 letters holds every 22nd byte of some grid, so one look per 22 bytes finds it. Linear: each byte is read at
/// most three times.
enum EncodedRuns {
  /// 24 characters with their padding: 16 bytes decoded.
  static let shortest = 22
  /// Lines of wrapped base64 have 64 or 76 characters (RFC 7468, RFC 2045).
  private static let shortestLine = 60
  private static let leastTriplets = 3

  /// The next run of base64 letters at or behind `floor`, its padding and further lines included.
  static func nextBase64(_ text: TextView, from floor: inout Int) -> EncodedRun? {
    let letters = EncodingTables.shared.base64
    var probe = floor + shortest - 1
    while probe < text.end {
      // Prose has a space among the last sixteen bytes: no run reaches over it.
      let spaced = wordStart(text, probe)
      if spaced > floor {
        floor = spaced
        probe = spaced &+ (shortest - 1)
        continue
      }
      guard letters[Int(text[probe])] < 64 else {
        floor = probe + 1
        probe += shortest
        continue
      }
      var start = probe
      while start > floor, letters[Int(text[start - 1])] < 64 { start -= 1 }
      floor = start
      guard probe - start + 1 >= shortest else {
        probe = start + shortest - 1
        continue
      }
      let end = self.end(text, start, probe + 1, letters)
      floor = end
      return EncodedRun(start: start, end: end)
    }
    floor = text.end
    return nil
  }

  /// The position behind the last space in the sixteen bytes up to `position`; 0 if there is none.
  /// - Parameter position: ``shortest`` bytes behind the text's start or further.
  @inline(__always)
  private static func wordStart(_ text: TextView, _ position: Int) -> Int {
    let near = spaces(text, position &- 7)
    if near != 0 { return position &+ 1 &- near.leadingZeroBitCount &>> 3 }
    let far = spaces(text, position &- 15)
    return far == 0 ? 0 : position &- 7 &- far.leadingZeroBitCount &>> 3
  }

  /// The high bit of every space in the eight bytes from `start` on, exactly.
  @inline(__always)
  private static func spaces(_ text: TextView, _ start: Int) -> UInt64 {
    let lows: UInt64 = 0x7F7F_7F7F_7F7F_7F7F
    let bytes = UnsafeRawPointer(text.bytes + start)
    let word = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self)) ^ 0x2020_2020_2020_2020
    return ~((word & lows &+ lows) | word | lows)
  }

  private static func end(_ text: TextView, _ start: Int, _ known: Int, _ letters: UnsafePointer<UInt8>) -> Int {
    var line = start
    var end = known
    while true {
      while end < text.end, letters[Int(text[end])] < 64 { end += 1 }
      let feed = text[end] == 0x0D ? 2 : 1
      guard end - line >= shortestLine, end + feed < text.end, text[end + feed - 1] == 0x0A,
        letters[Int(text[end + feed])] < 64
      else { break }
      line = end + feed
      end = line
    }
    var padding = 0
    while padding < 2, end < text.end, text[end] == 0x3D {
      end += 1
      padding += 1
    }
    return end
  }

  /// The next run of unreserved characters at or behind `floor` that holds three `%XX` or more.
  static func nextPercent(_ text: TextView, from floor: inout Int) -> EncodedRun? {
    let plain = EncodingTables.shared.unreserved
    let bytes = UnsafeRawBufferPointer(start: text.bytes, count: text.end)
    while true {
      let percent = bytes.firstIndex(of: 0x25, from: floor)
      guard percent < text.end else {
        floor = text.end
        return nil
      }
      var start = percent
      while start > floor, plain[Int(text[start - 1])] { start -= 1 }
      var end = percent
      var triplets = 0
      while end < text.end {
        if plain[Int(text[end])] {
          end += 1
        } else if text[end] == 0x25, value(text, at: end) != nil {
          triplets += 1
          end += 3
        } else {
          break
        }
      }
      floor = max(end, percent + 1)
      if triplets >= leastTriplets { return EncodedRun(start: start, end: min(end, text.end)) }
    }
  }

  /// The byte behind `%XX`; nil if it is none.
  static func value(_ text: TextView, at percent: Int) -> UInt8? {
    guard let high = ASCII.hexValue(UInt32(text[percent + 1])), let low = ASCII.hexValue(UInt32(text[percent + 2]))
    else { return nil }
    return UInt8(high << 4 | low)
  }
}

/// Byte tables of the encodings, built once.
final class EncodingTables: Sendable {
  static let shared = EncodingTables()

  /// The six bits of a letter of base64 or base64url; 64 for any other byte.
  nonisolated(unsafe) let base64: UnsafePointer<UInt8>
  /// What stands for itself within percent-encoded text: the unreserved characters, `+` and `@`.
  nonisolated(unsafe) let unreserved: UnsafePointer<Bool>

  private init() {
    let base64 = UnsafeMutablePointer<UInt8>.allocate(capacity: 256)
    base64.initialize(repeating: 64, count: 256)
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    for (index, letter) in letters.enumerated() { base64[Int(letter)] = UInt8(index) }
    base64[0x2D] = 62
    base64[0x5F] = 63
    self.base64 = UnsafePointer(base64)
    let unreserved = UnsafeMutablePointer<Bool>.allocate(capacity: 256)
    unreserved.initialize(repeating: false, count: 256)
    for byte in UInt8.min...UInt8.max where ASCII.isAlphanumeric(byte) { unreserved[Int(byte)] = true }
    for byte in "-._~+@".utf8 { unreserved[Int(byte)] = true }
    self.unreserved = UnsafePointer(unreserved)
  }
}
