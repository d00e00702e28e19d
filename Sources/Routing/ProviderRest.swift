/// What a provider's answer says of its own limits: a head, field by field, becomes the time for which it is to be left
/// alone. A pure value; fields it does not know, and values it cannot read, say nothing.
public struct ProviderRest: Hashable, Sendable {
  /// The longest rest, in milliseconds: a header that is wrong must not take a provider out for a day.
  public static let longest: Int64 = 60_000

  /// Limits that headers count in.
  private enum Limit: Int { case requests, tokens, inputTokens, outputTokens }

  /// Whether nothing is left of a limit, one bit each.
  private var exhausted: UInt8 = 0
  /// When a limit is renewed: milliseconds from now, or of the epoch where `isInstant` has the bit.
  private var resets: (Int64, Int64, Int64, Int64) = (0, 0, 0, 0)
  private var isInstant: UInt8 = 0

  public init() {}

  /// Nothing was said.
  public var isEmpty: Bool { exhausted == 0 }

  public static func == (left: ProviderRest, right: ProviderRest) -> Bool {
    left.exhausted == right.exhausted && left.isInstant == right.isInstant && left.resets == right.resets
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(exhausted) }

  /// Reads one header field.
  /// - Parameter name: In any case.
  public mutating func note(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
    var rest = Slice(base: name, bounds: 0..<name.count)
    if rest.drop("x-ratelimit-") {
      if rest.drop("remaining-") {
        if let limit = Self.limit(rest) { noteRemaining(limit, value) }
      } else if rest.drop("reset-"), let limit = Self.limit(rest), let wait = Self.duration(value) {
        noteReset(limit, wait, isInstant: false)
      }
    } else if rest.drop("anthropic-ratelimit-") {
      for limit in [Limit.inputTokens, .outputTokens, .requests, .tokens] {
        var part = rest
        guard part.drop(Self.name(limit)) else { continue }
        if part.drop("-remaining"), part.isEmpty { return noteRemaining(limit, value) }
        if part.drop("-reset"), part.isEmpty, let instant = Self.instant(value) {
          return noteReset(limit, instant, isInstant: true)
        }
        return
      }
    }
  }

  /// For how many milliseconds nothing should be sent; nil: nothing stands in the way.
  /// - Parameters:
  ///   - status: The answer's.
  ///   - retryAfter: Seconds, where the head names them.
  ///   - wallMilliseconds: Of the epoch.
  public func duration(status: Int, retryAfter: Int?, wallMilliseconds: Int64) -> Int64? {
    var longest: Int64 = 0
    if [429, 503, 529].contains(status), let retryAfter, retryAfter > 0 {
      longest = Int64(min(retryAfter, 60)) * 1_000
    }
    for limit in [Limit.requests, .tokens, .inputTokens, .outputTokens] {
      let bit = UInt8(1) << UInt8(limit.rawValue)
      guard exhausted & bit != 0 else { continue }
      let reset = self.reset(limit)
      longest = max(longest, isInstant & bit == 0 ? reset : reset &- wallMilliseconds)
    }
    return longest > 0 ? min(longest, Self.longest) : nil
  }

  private mutating func noteRemaining(_ limit: Limit, _ value: UnsafeRawBufferPointer) {
    let bit = UInt8(1) << UInt8(limit.rawValue)
    guard !value.isEmpty, value.allSatisfy({ $0 == 0x30 }) else { return exhausted &= ~bit }
    exhausted |= bit
  }

  private mutating func noteReset(_ limit: Limit, _ value: Int64, isInstant: Bool) {
    let bit = UInt8(1) << UInt8(limit.rawValue)
    if isInstant { self.isInstant |= bit } else { self.isInstant &= ~bit }
    switch limit {
    case .requests: resets.0 = value
    case .tokens: resets.1 = value
    case .inputTokens: resets.2 = value
    case .outputTokens: resets.3 = value
    }
  }

  private func reset(_ limit: Limit) -> Int64 {
    switch limit {
    case .requests: resets.0
    case .tokens: resets.1
    case .inputTokens: resets.2
    case .outputTokens: resets.3
    }
  }

  private static func name(_ limit: Limit) -> StaticString {
    switch limit {
    case .requests: "requests"
    case .tokens: "tokens"
    case .inputTokens: "input-tokens"
    case .outputTokens: "output-tokens"
    }
  }

  private static func limit(_ text: Slice<UnsafeRawBufferPointer>) -> Limit? {
    for limit in [Limit.requests, .tokens] {
      var rest = text
      if rest.drop(name(limit)), rest.isEmpty { return limit }
    }
    return nil
  }

  /// `1s`, `6m0s`, `250ms`, `1h2m3.5s`, or seconds alone; milliseconds, rounded up.
  static func duration(_ value: UnsafeRawBufferPointer) -> Int64? {
    guard (1...32).contains(value.count) else { return nil }
    var total: Int64 = 0
    var index = 0
    while index < value.count {
      guard let thousandths = thousandths(value, &index) else { return nil }
      var factor: Int64 = 1_000
      if index < value.count {
        switch value[index] {
        case 0x68: factor = 3_600_000
        case 0x6D where index + 1 < value.count && value[index + 1] == 0x73:
          factor = 1
          index += 1
        case 0x6D: factor = 60_000
        case 0x73: break
        default: return nil
        }
        index += 1
      }
      // At most nine digits and three places each: far from the end of 64 bits.
      total += (thousandths * factor + 999) / 1_000
    }
    return total
  }

  /// A decimal as thousandths; what is behind the third place rounds up.
  private static func thousandths(_ value: UnsafeRawBufferPointer, _ index: inout Int) -> Int64? {
    var whole: Int64 = 0
    let start = index
    while index < value.count, (0x30...0x39).contains(value[index]), index - start < 9 {
      whole = whole * 10 + Int64(value[index] - 0x30)
      index += 1
    }
    guard index > start else { return nil }
    var (fraction, place): (Int64, Int64) = (0, 100)
    if index < value.count, value[index] == 0x2E {
      index += 1
      while index < value.count, (0x30...0x39).contains(value[index]) {
        let digit = Int64(value[index] - 0x30)
        fraction += place > 0 ? digit * place : 0
        if place == 0, digit > 0 {
          fraction += 1
          place = -1
        }
        place = place > 0 ? place / 10 : place
        index += 1
      }
    }
    return whole * 1_000 + fraction
  }

  /// RFC 3339 in UTC, `2026-10-21T07:28:00Z`, as milliseconds of the epoch, rounded up to a second.
  static func instant(_ value: UnsafeRawBufferPointer) -> Int64? {
    guard value.count >= 20, value[10] == 0x54, value[13] == 0x3A, value[16] == 0x3A, value[value.count - 1] == 0x5A,
      value[19] == 0x5A || value[19] == 0x2E,
      let day = try? CalendarDay(String(decoding: UnsafeRawBufferPointer(rebasing: value[0..<10]), as: UTF8.self))
    else { return nil }
    func two(_ at: Int) -> Int64? {
      guard (0x30...0x39).contains(value[at]), (0x30...0x39).contains(value[at + 1]) else { return nil }
      return Int64(value[at] - 0x30) * 10 + Int64(value[at + 1] - 0x30)
    }
    guard let hour = two(11), let minute = two(14), let second = two(17), hour < 24, minute < 60, second < 61 else {
      return nil
    }
    let rounding: Int64 = value[19] == 0x2E ? 1 : 0
    return (Int64(day.daysSinceEpoch) * 86_400 + hour * 3_600 + minute * 60 + second + rounding) * 1_000
  }
}

extension Slice<UnsafeRawBufferPointer> {
  /// Takes a word away from the beginning, whatever the case of its letters; false if there is another.
  fileprivate mutating func drop(_ word: StaticString) -> Bool {
    let length = word.utf8CodeUnitCount
    guard count >= length else { return false }
    for offset in 0..<length {
      let byte = base[startIndex + offset]
      let lower = byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
      if lower != word.utf8Start[offset] { return false }
    }
    removeFirst(length)
    return true
  }
}
