import Inference
import JSONText
import Redaction

/// Writes header lines of answers. Names are constants, values are numbers and texts from closed sets: nothing that came
/// from a client or provider stands in them.
struct ResponseFields {
  let arena: ByteArena

  func add(_ name: StaticString, _ value: StaticString) {
    arena.append(name)
    arena.append(": ")
    arena.append(value)
    arena.append("\r\n")
  }

  func add(_ name: StaticString, _ value: Int64) {
    arena.append(name)
    arena.append(": ")
    Decimal.append(value, to: arena)
    arena.append("\r\n")
  }

  /// For texts of ours: header-safe characters stay, all others are dropped.
  func add(_ name: StaticString, text: String) {
    arena.append(name)
    arena.append(": ")
    for byte in text.utf8.prefix(1024) where byte >= 0x20 && byte < 0x7F { arena.append(byte) }
    arena.append("\r\n")
  }

  /// The same, for a field that many answers have.
  static func line(_ name: StaticString, text: String) -> [UInt8] {
    let arena = ByteArena(capacity: 128)
    ResponseFields(arena: arena).add(name, text: text)
    return arena.array
  }

  /// `email=2,iban=1`.
  func add(_ name: StaticString, counts: FindingCounts) {
    arena.append(name)
    var separator: StaticString = ": "
    counts.forEach { type, _, count in
      arena.append(separator)
      arena.append(utf8: type)
      arena.append("=")
      Decimal.append(Int64(count), to: arena)
      separator = ","
    }
    arena.append("\r\n")
  }

  func addRequestID(_ id: RequestID) {
    id.withText { text in
      arena.append("x-request-id: ")
      arena.append(text)
      arena.append("\r\nrequest-id: ")
      arena.append(text)
      arena.append("\r\n")
    }
  }

  /// A point in time as RFC 3339 has it.
  func add(_ name: StaticString, moment epochSeconds: Int64) {
    arena.append(name)
    arena.append(": ")
    Timestamp.append(epochSeconds, to: arena)
    arena.append("\r\n")
  }

  /// A duration as OpenAI's clients read it: `250ms`, `1s`, `6m0s`, `1h2m3s`.
  func add(_ name: StaticString, milliseconds: Int64) {
    arena.append(name)
    arena.append(": ")
    if milliseconds < 1000 {
      Decimal.append(max(0, milliseconds), to: arena)
      arena.append("ms")
    } else {
      let seconds = (milliseconds &+ 999) / 1000
      if seconds >= 3600 {
        Decimal.append(seconds / 3600, to: arena)
        arena.append("h")
      }
      if seconds >= 60 {
        Decimal.append(seconds / 60 % 60, to: arena)
        arena.append("m")
      }
      Decimal.append(seconds % 60, to: arena)
      arena.append("s")
    }
    arena.append("\r\n")
  }
}

/// Whole numbers as text without strings.
enum Decimal {
  /// A value that counts 10⁻ⁿ, with all of its digits: `0.000012500`.
  static func append(_ value: Int64, decimals: Int, to arena: ByteArena) {
    var unit: Int64 = 1
    for _ in 0..<decimals { unit &*= 10 }
    append(value / unit, to: arena)
    arena.append(0x2E)
    var rest = (value % unit).magnitude
    for _ in 0..<decimals {
      rest &*= 10
      arena.append(0x30 &+ UInt8(truncatingIfNeeded: rest / unit.magnitude))
      rest %= unit.magnitude
    }
  }

  static func append(_ value: Int64, to arena: ByteArena) {
    // Many have one digit.
    if (0..<10).contains(value) { return arena.append(0x30 &+ UInt8(truncatingIfNeeded: value)) }
    var left = value.magnitude
    if value < 0 { arena.append(0x2D) }
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
      var start = 20
      repeat {
        start &-= 1
        digits[start] = 0x30 &+ UInt8(truncatingIfNeeded: left % 10)
        left /= 10
      } while left > 0
      arena.append(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(digits)[start..<20]))
    }
  }
}
