/// Identifiers that begin with letters and carry a check digit.
extension Scanner {
  /// IBAN (ISO 13616): country, length from the registry, mod 97 = 1; any single separator between any two characters.
  /// - Returns: Whether one was found at `start`.
  mutating func iban(at start: Int) -> Bool {
    let country = Int(ASCII.upper(text[start])) << 8 | Int(ASCII.upper(text[start + 1]))
    let length = IBANLength.of(country)
    guard length > 0 else { return false }
    var remainder = 0
    var head = 0
    var position = start
    var count = 0
    while count < length {
      var byte = text[position]
      if count > 0, byte == 0x20 || byte == 0x2D || byte == 0x2E || byte == 0x0A || byte == 0x2F {
        position += 1
        byte = text[position]
        if byte == 0x20 || byte == 0x0A || byte == 0x3E {  // " - ", line breaks with a margin
          position += 1
          byte = text[position]
        }
      }
      guard ASCII.isAlphanumeric(byte), position < text.end else { return false }
      let value = ASCII.isDigit(byte) ? Int(byte) - 0x30 : Int(ASCII.upper(byte)) - 0x37
      if count == 2 || count == 3, value > 9 { return false }
      if count < 4 {
        head = value > 9 ? (head * 100 + value) % 97 : (head * 10 + value) % 97
      } else {
        remainder = value > 9 ? (remainder * 100 + value) % 97 : (remainder * 10 + value) % 97
      }
      position += 1
      count += 1
    }
    work += count
    // Country and check digits count six decimal digits behind the rest.
    guard (remainder * (1_000_000 % 97) + head) % 97 == 1, !text.isWord(at: position) else { return false }
    found(.iban, start, position, .certain, rank: Candidate.Rank.prefixed)
    return true
  }

  /// Swiss enterprise number (UIDV Art. 5, SR 431.031): CHE and nine digits, ×5 4 3 2 7 6 5 4, 11 − Σ mod 11.
  mutating func chUID(at start: Int) {
    guard let window = digitsAfter(start + 3), window.isWhole(9, text) else { return }
    let weights = 0x4567_2345  // 5 4 3 2 7 6 5 4 from the low end
    var sum = 0
    for index in 0..<8 { sum += window[index] * (weights >> (index * 4) & 0xF) }
    let check = (11 - sum % 11) % 11
    guard check != 10, check == window[8] else { return }
    found(.chUID, start, window.end(after: 8), .certain, rank: Candidate.Rank.prefixed)
  }

  /// German VAT id (BGBl. 1993 I 736): DE and nine digits, ISO 7064 MOD 11,10.
  mutating func deVATID(at start: Int) {
    guard let window = digitsAfter(start + 2), window[0] != 0, window.isWhole(9, text), Mod11Radix10.isValid(window, 9)
    else { return }
    found(.deVATID, start, window.end(after: 8), .certain, rank: Candidate.Rank.prefixed, raisedBy: Context.vat)
  }

  /// Austrian VAT id: ATU and eight digits.
  mutating func atUID(at start: Int) {
    guard let window = digitsAfter(start + 3), window.isWhole(8, text) else { return }
    var sum = 4
    for index in 0..<7 {
      let value = index & 1 == 0 ? window[index] : window[index] * 2
      sum += value > 9 ? value - 9 : value
    }
    guard (10 - sum % 10) % 10 == window[7] else { return }
    found(.atUID, start, window.end(after: 7), .certain, rank: Candidate.Rank.prefixed, raisedBy: Context.vat)
  }

  /// German health insurance number (§ 290 SGB V): letter and nine digits, ×1 2 alternating, digit sums, mod 10.
  mutating func kvnr(at start: Int) {
    let letter = Int(ASCII.upper(text[start])) - 0x40
    let window = DigitWindow(text, at: start + 1, windows)
    guard (1...26).contains(letter), window.isWhole(9, text), !window.isGrouped(9) else { return }
    var sum = letter / 10 + (letter % 10 * 2) / 10 + (letter % 10 * 2) % 10
    for index in 0..<8 {
      let value = index & 1 == 0 ? window[index] : window[index] * 2
      sum += value / 10 + value % 10
    }
    guard sum % 10 == window[8] else { return }
    found(
      .kvnr, start, window.end(after: 8), .likely, rank: Candidate.Rank.checksum, raisedBy: Context.health,
      refusedBy: Context.trade)
  }

  /// The digits behind a prefix and at most one separator.
  private func digitsAfter(_ position: Int) -> DigitWindow? {
    var position = position
    if text[position] == 0x20 || text[position] == 0x2D || text[position] == 0x2E { position += 1 }
    guard position < text.end, ASCII.isDigit(text[position]) else { return nil }
    return DigitWindow(text, at: position, windows)
  }
}

/// Lengths of the SWIFT registry of IBAN formats.
enum IBANLength {
  private static let rows =
    "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27GB22"
    + "GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19"
    + "MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23"
    + "TN24TR26UA29VA22VG24XK20YE30"

  private static let table: [UInt8] = {
    var table = [UInt8](repeating: 0, count: 26 * 26)
    let bytes = Array(rows.utf8)
    for index in stride(from: 0, to: bytes.count, by: 4) {
      let country = Int(bytes[index] - 0x41) * 26 + Int(bytes[index + 1] - 0x41)
      table[country] = (bytes[index + 2] - 0x30) * 10 + bytes[index + 3] - 0x30
    }
    return table
  }()

  /// The length for two capital letters, the first in the high byte; 0 if there is no such country.
  static func of(_ country: Int) -> Int {
    let first = country >> 8 - 0x41
    let second = country & 0xFF - 0x41
    guard (0..<26).contains(first), (0..<26).contains(second) else { return 0 }
    return Int(table[first * 26 + second])
  }
}
