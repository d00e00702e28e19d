/// Telephone numbers: E.164 with `+` or `00`, and national forms of Switzerland, Liechtenstein, Germany and Austria.
extension Scanner {
  /// The number begins at `start` with `+`, `(` or `0`.
  mutating func phone(at start: Int) {
    guard !text.isWordBefore(start) else { return }
    let before = text[start - 1]
    // Within a decimal, a date, a path or a longer number nothing begins.
    if before == 0x2E || before == 0x2C || before == 0x2D || before == 0x2F || before == 0x5F,
      ASCII.isDigit(text[start - 2])
    {
      return
    }
    guard let number = PhoneNumber(text, at: start) else { return }
    work += number.end - start
    guard let level = number.level else { return }
    found(
      .phone, start, number.end, level, rank: Candidate.Rank.phone, raisedBy: Context.phone,
      refusedBy: number.isInternational ? 0 : Context.trade)
  }
}

/// A number as it is dialled, read over the separators in use.
struct PhoneNumber {
  private var digits: (UInt64, UInt64) = (0, 0)  // four bits each
  private var count = 0
  private(set) var end = 0
  /// Digits in front of the first and second separator.
  private var firstGroup = 0
  private var groups = 1
  private var longestGroup = 0
  private var dots = 0
  private var slashes = 0
  private(set) var isInternational = false

  init?(_ text: TextView, at start: Int) {
    var position = start
    if text[position] == 0x2B {
      isInternational = true
      position += 1
    }
    var open = false
    if text[position] == 0x28 {
      open = true
      position += 1
    }
    guard ASCII.isDigit(text[position]) else { return nil }
    var group = 0
    while count < 18 {
      let byte = text[position]
      if ASCII.isDigit(byte) {
        append(byte &- 0x30)
        group += 1
        position += 1
        continue
      }
      // One or two separators, of which a parenthesis may be one: "+41 (0)79", "(044) 123", "030 / 12 34", "44 - 12".
      var next = position
      var seen = 0
      while seen < 3 {
        let separator = text[next]
        if separator == 0x28, !open {
          // "(0)" behind a country code is not dialled.
          if text[next + 1] == 0x30, text[next + 2] == 0x29 {
            next += 3
            seen += 1
            continue
          }
          open = true
        } else if separator == 0x29, open {
          open = false
        } else if separator == 0x2F {
          slashes += 1
        } else if separator == 0x2E {
          dots += 1
        } else if !(separator == 0x20 || separator == 0x2D) {
          break
        }
        next += 1
        seen += 1
      }
      guard seen > 0, ASCII.isDigit(text[next]) else { break }
      close(group)
      groups += 1
      group = 0
      position = next
    }
    close(group)
    if count >= 2, !isInternational, self[0] == 0, self[1] == 0 {
      isInternational = true
      drop(2)
    }
    guard count >= 7, count <= 15, !text.isWord(at: position) else { return nil }
    end = position
  }

  private mutating func append(_ value: UInt8) {
    if count < 16 {
      digits.0 |= UInt64(value) << UInt64(count * 4)
    } else {
      digits.1 |= UInt64(value) << UInt64((count - 16) * 4)
    }
    count += 1
  }

  private mutating func drop(_ number: Int) {
    digits.0 = digits.0 >> UInt64(number * 4) | digits.1 << UInt64(64 - number * 4)
    digits.1 >>= UInt64(number * 4)
    count -= number
  }

  private mutating func close(_ group: Int) {
    if firstGroup == 0 { firstGroup = group }
    longestGroup = max(longestGroup, group)
  }

  private subscript(_ index: Int) -> Int {
    Int((index < 16 ? digits.0 >> UInt64(index * 4) : digits.1 >> UInt64((index - 16) * 4)) & 0xF)
  }

  private func number(_ from: Int, _ length: Int) -> Int {
    var value = 0
    for index in from..<min(from + length, count) { value = value * 10 + self[index] }
    return value
  }

  /// How sure it is by number plan and spelling; nil if it is none.
  var level: FindingLevel? {
    if isInternational { return international }
    guard self[0] == 0, self[1] != 0, firstGroup >= 2 else { return nil }
    // A date such as 01.02.2024, or a version.
    if dots >= groups - 1, groups > 1, firstGroup <= 2 { return nil }
    if SwissPlan.isNational(number(1, 2), number(1, 3), count) {
      return groups == 1 || firstGroup == 3 || firstGroup == 4 ? .likely : .possible
    }
    let isMobile =
      (number(1, 2) >= 15 && number(1, 2) <= 17 && count >= 11) || (self[1] == 6 && number(1, 2) >= 64 && count >= 10)
    if isMobile, count <= 14 { return groups > 1 ? .likely : .possible }
    guard count >= 8, count <= 13, self[1] >= 1 else { return nil }
    let hasArea = groups >= 2 && groups <= 6 && (2...6).contains(firstGroup) && longestGroup >= 2
    if !hasArea { return count >= 9 ? .possible : nil }
    if slashes > 0 { return slashes == 1 ? .likely : nil }
    return firstGroup >= 3 || [30, 40, 69, 89].contains(number(1, 2)) ? .likely : .possible
  }

  private var international: FindingLevel? {
    guard self[0] != 0 else { return nil }
    let two = number(0, 2)
    let three = number(0, 3)
    switch two {
    case 41: return count == 11 && SwissPlan.isArea(number(2, 2), number(2, 3)) ? .certain : nil
    case 42 where three == 423:
      return count == 10 && [2, 3, 6, 7, 8, 9].contains(self[3]) || count == 12 && self[3] == 6 ? .certain : nil
    case 49: return count >= 8 && self[2] != 0 ? (count >= 9 ? .certain : .likely) : nil
    case 43: return count >= 8 && self[2] != 0 ? (count >= 9 ? .certain : .likely) : nil
    default: break
    }
    guard count >= 8 else { return nil }
    if self[0] == 1 { return count == 11 && self[1] >= 2 && self[4] >= 2 ? .certain : nil }
    if self[0] == 7 { return count == 11 ? .certain : nil }
    return CountryCode.isAssigned(two, three) ? .likely : nil
  }
}

/// The Swiss number plan (BAKOM): areas, mobile and service ranges behind the leading zero.
enum SwissPlan {
  static func isArea(_ two: Int, _ three: Int) -> Bool {
    switch two {
    case 21, 22, 24, 26, 27, 31...34, 41, 43, 44, 51, 52, 55, 56, 58, 61, 62, 71, 74...79, 81, 91: true
    default: three == 800 || three == 840 || three == 842 || three == 844 || three == 848 || (900...906).contains(three)
    }
  }

  static func isNational(_ two: Int, _ three: Int, _ count: Int) -> Bool { count == 10 && isArea(two, three) }
}

/// Country calling codes of the ITU (E.164): two digits where assigned, otherwise three.
enum CountryCode {
  private static let two: Set<Int> = [
    20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53, 54, 55, 56, 57, 58, 60, 61, 62,
    63,
    64, 65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98,
  ]

  static func isAssigned(_ two: Int, _ three: Int) -> Bool {
    if Self.two.contains(two) { return true }
    switch three {
    case 211...213, 216, 218, 220...269, 290, 291, 297...299, 350...359, 370...383, 385...387, 389, 420, 421, 423,
      500...509,
      590...599, 670, 672...692, 800, 808, 850, 852, 853, 855, 856, 870, 878, 880...883, 886, 888, 960...968, 970...977,
      979,
      992...996, 998:
      return true
    default: return false
    }
  }
}
