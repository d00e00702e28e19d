/// One pass over normalised text: a class table finds anchors, verifiers look at a bounded stretch around each.
///
/// Linear for any text: a verifier reads at most 320 bytes around its anchor, except PEM blocks and JWTs, which move the
/// cursor.
struct Scanner {
  let text: TextView
  /// Types that anybody asks for, one bit each.
  let types: UInt64
  let customLabels: [[UInt8]]
  var candidates: [Candidate] = []
  var keywords: [KeywordHit] = []
  /// Memory for one ``DigitWindow``.
  let windows: UnsafeMutablePointer<UInt8>
  /// The last run of letters that a secret's alphabet took, so that none is read twice.
  var run = SecretRun()
  /// Whether the text may hold a percent sign.
  var hasPercent = false
  /// Bytes that verifiers were shown, for tests of linear time.
  var work = 0

  let tables = ScanTables.shared

  init(text: TextView, types: UInt64, customLabels: [[UInt8]], windows: UnsafeMutablePointer<UInt8>) {
    self.text = text
    self.types = types
    self.customLabels = customLabels
    self.windows = windows
  }

  @inline(__always) func wants(_ type: FindingType) -> Bool { types >> UInt64(type.index) & 1 != 0 }

  mutating func scan() {
    let bytes = text.bytes
    let classes = tables.classes
    let words = tables.words
    let end = text.end
    var position = text.start
    while position < end {
      let kind = classes[Int(bytes[position])]
      if kind == ByteClass.letter {
        if ByteClass.isBorder(classes[Int(bytes[position &- 1])]) {
          position = words.skip(bytes, from: position)
          guard classes[Int(bytes[position])] == ByteClass.letter else { continue }
        }
        position = word(at: position)
        continue
      }
      if kind == ByteClass.other {
        position += 1
        continue
      }
      switch kind {
      case ByteClass.digit: position = number(at: position)
      case ByteClass.at:
        if wants(.email) { email(at: position, width: 1) }
        position += 1
      case ByteClass.colon: position = colon(at: position)
      case ByteClass.percent:
        hasPercent = true
        if wants(.email), bytes[position + 1] == 0x34, bytes[position + 2] == 0x30 {
          email(at: position, width: 3)
          position += 3
        } else {
          position += 1
        }
      case ByteClass.open:
        if wants(.email), text.matches("at", at: position + 1),
          bytes[position + 3] == 0x29 || bytes[position + 3] == 0x5D
        {
          email(at: position, width: 4)
        }
        if !customLabels.isEmpty { typedPlaceholder(bracketAt: position) }
        position += 1
      case ByteClass.dash: position = dash(at: position)
      case ByteClass.plus:
        if wants(.phone), ASCII.isDigit(bytes[position + 1]) || bytes[position + 1] == 0x28 { phone(at: position) }
        position += 1
      default: position += 1
      }
    }
  }

  /// A word begins at `start`, or goes on after a digit. Returns where the scan goes on.
  private mutating func word(at start: Int) -> Int {
    let bytes = text.bytes
    let before = bytes[start - 1]
    // Within a run of letters and digits nothing begins.
    let isBorder = before < 0x80 ? !ASCII.isAlphanumeric(before) : !text.isWordBefore(start)
    if isBorder, tables.beginnings.contains(ScanTables.beginning(bytes + start)), let next = secret(at: start) {
      return next
    }
    let word = WordReader.read(bytes, start, fold: tables.fold)
    let position = min(word.end, text.end)
    guard isBorder else { return max(position, start + 1) }
    let length = position - start
    if length <= 3 {
      let next = bytes[position]
      let isSeparated = next == 0x2D || next == 0x20 || next == 0x2E
      if ASCII.isDigit(isSeparated ? bytes[position + 1] : next) { lettersBeforeDigits(start, length, next) }
    }
    if length > 1 || word.tail == 0x76 {
      let mask = tables.keywords.mask(word.tail, length, bytes, start)
      if mask != 0 {
        return keyword(start, position, mask)
      }
      if length > 8 { compound(start, position, word.tail) }
    }
    return max(position, start + 1)
  }

  private mutating func keyword(_ start: Int, _ end: Int, _ mask: UInt32) -> Int {
    if mask & ~Context.label != 0 { keywords.append(KeywordHit(start: start, end: end, mask: mask)) }
    if mask & Context.label != 0, let next = typedPlaceholder(wordAt: start, end) { return next }
    if mask & (Context.password | Context.secret) != 0 { keywordSecret(start, end, mask) }
    return end
  }

  /// Words like `dbPassword`, `mailpasswort`, `userToken`: the end of the word decides.
  private mutating func compound(_ start: Int, _ end: Int, _ tail: UInt64) {
    let isPassword = tail == 0x7061_7373_776F_7264 || tail == 0x7061_7373_776F_7274 || tail == 0x6B65_6E6E_776F_7274
    let isSecret =
      tail & 0xFF_FFFF_FFFF == 0x74_6F6B_656E || tail & 0xFFFF_FFFF_FFFF == 0x7365_6372_6574
      || tail & 0xFFFF_FFFF_FFFF == 0x6170_696B_6579 || tail & 0xFF_FFFF_FFFF == 0x73_736B_6579
    if isPassword {
      keywordSecret(start, end, Context.password)
    } else if isSecret {
      keywords.append(KeywordHit(start: start, end: end, mask: Context.secret))
      keywordSecret(start, end, Context.secret)
    }
  }

  private mutating func lettersBeforeDigits(_ start: Int, _ length: Int, _ next: UInt8) {
    switch length {
    case 1:
      if ASCII.isDigit(next), wants(.kvnr) { kvnr(at: start) }
    case 2:
      if ASCII.isDigit(next) || next == 0x20 || next == 0x2D {
        if wants(.iban), iban(at: start) { return }
        if wants(.deVATID), text.matches("de", at: start) { deVATID(at: start) }
      }
    case 3:
      if wants(.chUID), text.matches("che", at: start) { chUID(at: start) }
      if wants(.atUID), text.matches("atu", at: start) { atUID(at: start) }
    default: break
    }
  }

  /// A run of digits begins at `start`. Returns the end of the run.
  private mutating func number(at start: Int) -> Int {
    let bytes = text.bytes
    var end = start + 1
    while ASCII.isDigit(bytes[end]) { end += 1 }
    let before = bytes[start - 1]
    if before < 0x80 ? !ASCII.isAlphanumeric(before) : !text.isWordBefore(start) { digits(at: start, runEnd: end) }
    return min(end, text.end)
  }

  private mutating func colon(at position: Int) -> Int {
    let bytes = text.bytes
    if bytes[position + 1] == 0x2F, bytes[position + 2] == 0x2F, wants(.urlCredentials) {
      urlCredentials(at: position)
    }
    return position + 1
  }

  private mutating func dash(at position: Int) -> Int {
    let bytes = text.bytes
    guard bytes[position + 1] == 0x2D, bytes[position + 5] == 0x42, wants(.privateKey),
      text.matches("-----begin ", at: position)
    else { return position + 1 }
    return pem(at: position)
  }

  mutating func found(
    _ type: FindingType, _ start: Int, _ end: Int, _ level: FindingLevel, rank: UInt8, raisedBy: UInt32 = 0,
    refusedBy: UInt32 = 0
  ) {
    var candidate = Candidate(type, start, end, level, rank: rank)
    candidate.raisedBy = raisedBy
    candidate.refusedBy = refusedBy
    candidates.append(candidate)
  }
}
