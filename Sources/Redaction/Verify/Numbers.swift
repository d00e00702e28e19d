/// Identifiers that are digits only: each group of digits may begin one.
extension Scanner {
  private static let digitTypes =
    FindingType.ahv.bit | FindingType.card.bit | FindingType.steuerID.bit | FindingType.svnr.bit | FindingType.rvnr.bit
    | FindingType.phone.bit | FindingType.ip.bit

  /// A run of digits begins at `start`, no letter or digit directly before it.
  mutating func digits(at start: Int, runEnd: Int) {
    guard types & Self.digitTypes != 0, runEnd - start <= 20 else { return }
    let before = text[start - 1]
    if runEnd - start <= 3, text[runEnd] == 0x2E, wants(.ip), before != 0x2E { ipv4(at: start) }
    // A short number that nothing follows is the most frequent case and none of ours.
    let after = text[runEnd]
    let length = runEnd - start
    if length < 9, !(after == 0x20 || (0x2D...0x2F).contains(after) || after == 0x0A || after == 0x09 || after == 0x29)
    {
      let mayGoOn = (text[start] == 0x30 && length >= 7) || (length == 8 && ASCII.isLetter(after))
      if !mayGoOn { return }
    }
    let window = DigitWindow(text, at: start, windows)
    work += window.count
    if window[0] == 0, wants(.phone), before != 0x2B { phone(at: before == 0x28 ? start - 1 : start) }
    guard window.count >= 10 else {
      if window.count >= 8, wants(.rvnr) { rvnr(window) }
      return
    }
    if wants(.ahv), ahv(window) { return }
    if wants(.card), window.count >= 14, card(window) { return }
    if wants(.steuerID), window.count >= 11, steuerID(window) { return }
    if wants(.svnr) { svnr(window) }
  }

  /// Swiss social security number: 13 digits from 756 with the check digit of EAN-13 (AHVV Art. 133, SR 831.101).
  private mutating func ahv(_ window: DigitWindow) -> Bool {
    guard window[0] == 7, window[1] == 5, window[2] == 6, window.isWhole(13, text) else { return false }
    var sum = 0
    for index in 0..<13 { sum += window[index] * (index & 1 == 0 ? 1 : 3) }
    guard sum % 10 == 0 else { return false }
    found(.ahv, window.start, window.end(after: 12), .certain, rank: Candidate.Rank.prefixed, raisedBy: Context.ahv)
    return true
  }

  /// Payment cards of 14 to 19 digits: issuer range and Luhn (ISO/IEC 7812).
  private mutating func card(_ window: DigitWindow) -> Bool {
    let (shortest, longest) = CardIssuer.lengths(window)
    guard longest > 0 else { return false }
    var length = min(longest, window.count)
    while length >= shortest {
      if window.isWhole(length, text), CardIssuer.luhn(window, length) {
        let grouping = window.grouping(length)
        let usual =
          !window.isGrouped(length) || grouping == 4444 || grouping == 465 || grouping == 464 || grouping == 44443
        found(
          .card, window.start, window.end(after: length - 1), usual ? .likely : .possible,
          rank: Candidate.Rank.checksum, raisedBy: Context.card, refusedBy: Context.trade)
        return true
      }
      length -= 1
    }
    return false
  }

  /// German tax identification number (§ 139b AO): eleven digits, ISO 7064 MOD 11,10, one digit twice or thrice.
  private mutating func steuerID(_ window: DigitWindow) -> Bool {
    guard window[0] != 0, window.isWhole(11, text), Mod11Radix10.isValid(window, 11) else { return false }
    var counts: (UInt64, Int, Int) = (0, 0, 0)  // four bits per digit, twice, thrice
    for index in 0..<10 { counts.0 += 1 << UInt64(window[index] * 4) }
    for digit in 0..<10 {
      switch counts.0 >> UInt64(digit * 4) & 0xF {
      case 0, 1: break
      case 2: counts.1 += 1
      case 3: counts.2 += 1
      default: return false
      }
    }
    guard counts.1 + counts.2 == 1 else { return false }
    for index in 2..<10 where window[index] == window[index - 1] && window[index] == window[index - 2] { return false }
    let usual = !window.isGrouped(11) || window.grouping(11) == 2333
    found(
      .steuerID, window.start, window.end(after: 10), usual ? .likely : .possible, rank: Candidate.Rank.checksum,
      raisedBy: Context.tax, refusedBy: Context.trade)
    return true
  }

  /// Austrian social security number: NNNP DDMMYY; the month may exceed 12.
  private mutating func svnr(_ window: DigitWindow) {
    guard window[0] != 0, window.isWhole(10, text) else { return }
    let sum =
      window[0] * 3 + window[1] * 7 + window[2] * 9 + window[4] * 5 + window[5] * 8 + window[6] * 4 + window[7] * 2
      + window[8] + window[9] * 6
    guard sum % 11 == window[3] else { return }
    let day = window.number(4, 6)
    let month = window.number(6, 8)
    let plausible = (1...31).contains(day) && (1...15).contains(month)
    let usual = !window.isGrouped(10) || window.grouping(10) == 46
    found(
      .svnr, window.start, window.end(after: 9), plausible && usual ? .likely : .possible,
      rank: Candidate.Rank.checksum, raisedBy: Context.social, refusedBy: Context.trade)
  }

  /// German pension insurance number (VKVV § 2): 2 + DDMMYY + letter + 2 + check digit.
  private mutating func rvnr(_ window: DigitWindow) {
    guard window.count >= 8, window.number(4, 6) <= 12, window.number(4, 6) > 0 else { return }
    var position = window.end(after: 7)
    if text[position] == 0x20 || text[position] == 0x2D { position += 1 }
    let letter = ASCII.upper(text[position])
    guard ASCII.isUpper(letter) else { return }
    position += 1
    if text[position] == 0x20 || text[position] == 0x2D { position += 1 }
    let serial = (text[position] &- 0x30, text[position + 1] &- 0x30, text[position + 2] &- 0x30)
    guard serial.0 < 10, serial.1 < 10, serial.2 < 10, !text.isWord(at: position + 3) else { return }
    let number = Int(letter) - 0x40
    let weights: [(Int, Int)] = [
      (window[0], 2), (window[1], 1), (window[2], 2), (window[3], 5), (window[4], 7), (window[5], 1), (window[6], 2),
      (window[7], 1), (number / 10, 2), (number % 10, 1), (Int(serial.0), 2), (Int(serial.1), 1),
    ]
    let sum = weights.reduce(0) { $0 + $1.0 * $1.1 / 10 + $1.0 * $1.1 % 10 }
    guard sum % 10 == Int(serial.2) else { return }
    found(.rvnr, window.start, position + 3, .certain, rank: Candidate.Rank.prefixed, raisedBy: Context.social)
  }

  /// IPv4 addresses but loopback, the unspecified one and netmasks.
  private mutating func ipv4(at start: Int) {
    var position = start
    var octets: (Int, Int, Int, Int) = (0, 0, 0, 0)
    for index in 0..<4 {
      var value = 0
      var count = 0
      while count < 4, ASCII.isDigit(text[position]) {
        value = value * 10 + Int(text[position] &- 0x30)
        position += 1
        count += 1
      }
      guard count > 0, count < 4, value < 256 else { return }
      switch index {
      case 0: octets.0 = value
      case 1: octets.1 = value
      case 2: octets.2 = value
      default: octets.3 = value
      }
      if index < 3 {
        guard text[position] == 0x2E else { return }
        position += 1
      }
    }
    guard !text.isWord(at: position), !(text[position] == 0x2E && ASCII.isDigit(text[position + 1])) else { return }
    guard octets.0 != 0, octets.0 != 127, octets.0 != 255 else { return }
    found(.ip, start, position, .likely, rank: Candidate.Rank.ip, raisedBy: Context.network, refusedBy: Context.version)
  }
}

/// ISO 7064 MOD 11,10.
enum Mod11Radix10 {
  static func isValid(_ window: DigitWindow, _ length: Int) -> Bool {
    var product = 10
    for index in 0..<(length - 1) {
      var sum = (window[index] + product) % 10
      if sum == 0 { sum = 10 }
      product = sum * 2 % 11
    }
    return (11 - product) % 10 == window[length - 1]
  }
}

/// Which lengths an issuer's range may have (ISO/IEC 7812).
enum CardIssuer {
  static func lengths(_ window: DigitWindow) -> (Int, Int) {
    let two = window.number(0, 2)
    let three = window.number(0, 3)
    let four = window.number(0, 4)
    switch window[0] {
    case 4: return (16, 19)
    case 5: return (51...55).contains(two) ? (16, 16) : two == 50 || two >= 56 ? (16, 19) : (0, 0)
    case 2: return (2221...2720).contains(four) ? (16, 16) : (0, 0)
    case 3:
      if two == 34 || two == 37 { return (15, 15) }
      if two == 36 || two == 38 || (300...305).contains(three) { return (14, 19) }
      return (3528...3589).contains(four) ? (16, 19) : (0, 0)
    case 6: return (16, 19)
    default: return (0, 0)
    }
  }

  static func luhn(_ window: DigitWindow, _ length: Int) -> Bool {
    var sum = 0
    for index in 0..<length {
      let digit = window[length - 1 - index]
      let doubled = index & 1 == 0 ? digit : digit * 2
      sum += doubled > 9 ? doubled - 9 : doubled
    }
    return sum % 10 == 0
  }
}
