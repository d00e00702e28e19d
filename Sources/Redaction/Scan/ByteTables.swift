/// What the scanner does at a byte.
enum ByteClass {
  static let letter: UInt8 = 0
  static let digit: UInt8 = 1
  /// A byte beyond ASCII that begins no letter; it may end one.
  static let beyond: UInt8 = 2
  static let other: UInt8 = 3
  static let at: UInt8 = 4
  static let colon: UInt8 = 5
  static let percent: UInt8 = 6
  static let open: UInt8 = 7  // ( or [ or <
  static let dash: UInt8 = 8
  static let plus: UInt8 = 9

  /// Whether it is ASCII and no letter or digit, so that a word may begin behind it.
  @inline(__always)
  static func isBorder(_ kind: UInt8) -> Bool { kind > beyond }
}

/// The tables behind the scanner, built once, never changed or freed.
///
/// Of pointers only, so that a scanner takes it along without counting references.
struct ScanTables: Sendable {
  static let shared = ScanTables()

  /// 256 byte classes. Lead bytes of letters beyond ASCII are letters; continuation bytes and lead bytes of symbols are not.
  nonisolated(unsafe) let classes: UnsafePointer<UInt8>
  /// 256 bytes: the lower-case form of a byte that can stand within a word, or 0.
  nonisolated(unsafe) let fold: UnsafePointer<UInt8>
  /// The first three bytes of secrets' prefixes; two would stop at every "the".
  let beginnings: BitFilter
  let keywords: KeywordTable
  /// Which words may be more than words.
  let words: WordFilter
  nonisolated(unsafe) let prefixes: UnsafePointer<PrefixRow>
  /// For each of the 256 first bytes, where its rows begin in ``prefixes``; 257 entries.
  nonisolated(unsafe) let prefixStarts: UnsafePointer<Int>
  nonisolated(unsafe) let prefixTails: UnsafePointer<UInt8>

  private init() {
    let classes = UnsafeMutablePointer<UInt8>.allocate(capacity: 256)
    classes.initialize(repeating: ByteClass.other, count: 256)
    let fold = UnsafeMutablePointer<UInt8>.allocate(capacity: 256)
    fold.initialize(repeating: 0, count: 256)
    for byte in UInt8.min...UInt8.max {
      let index = Int(byte)
      if ASCII.isLetter(byte) {
        classes[index] = ByteClass.letter
        fold[index] = ASCII.lower(byte)
      } else if ASCII.isDigit(byte) {
        classes[index] = ByteClass.digit
      } else if byte >= 0x80 {
        classes[index] = Self.isLetterLead(byte) ? ByteClass.letter : ByteClass.beyond
        if Self.isLetterLead(byte) || byte < 0xC0 { fold[index] = byte }
      }
    }
    classes[0x40] = ByteClass.at
    classes[0x3A] = ByteClass.colon
    classes[0x25] = ByteClass.percent
    classes[0x28] = ByteClass.open
    classes[0x5B] = ByteClass.open
    classes[0x3C] = ByteClass.open
    classes[0x2D] = ByteClass.dash
    classes[0x2B] = ByteClass.plus
    self.classes = UnsafePointer(classes)
    self.fold = UnsafePointer(fold)

    let rows = SecretPrefix.table.sorted { ($0.prefix[0], $1.prefix.count) < ($1.prefix[0], $0.prefix.count) }
    var beginnings: Set<Int> = []
    let starts = UnsafeMutablePointer<Int>.allocate(capacity: 257)
    starts.initialize(repeating: 0, count: 257)
    var tails: [UInt8] = [0]
    let prefixes = UnsafeMutablePointer<PrefixRow>.allocate(capacity: rows.count)
    for (index, row) in rows.enumerated() {
      for third in row.prefix.count > 2 ? row.prefix[2]...row.prefix[2] : UInt8.min...UInt8.max
      where row.prefix.count > 2 || row.alphabet.contains(third) {
        beginnings.insert(BitFilter.hash(UInt64(row.prefix[0]) | UInt64(row.prefix[1]) << 8 | UInt64(third) << 16))
      }
      for byte in (Int(row.prefix[0]) + 1)...256 { starts[byte] += 1 }
      (prefixes + index).initialize(to: PrefixRow(row, tails: &tails))
    }
    let tailMemory = UnsafeMutablePointer<UInt8>.allocate(capacity: tails.count)
    for (index, byte) in tails.enumerated() { (tailMemory + index).initialize(to: byte) }
    self.beginnings = BitFilter(beginnings)
    self.prefixes = UnsafePointer(prefixes)
    prefixStarts = UnsafePointer(starts)
    prefixTails = UnsafePointer(tailMemory)
    keywords = KeywordTable(Keyword.table)
    words = WordFilter(Keyword.table, SecretPrefix.table)
  }

  /// The hash of the three bytes at `start` for ``beginnings``; eight are read.
  @inline(__always)
  static func beginning(_ start: UnsafePointer<UInt8>) -> Int {
    let word = UInt64(littleEndian: UnsafeRawPointer(start).loadUnaligned(as: UInt64.self))
    return BitFilter.hash(word & 0xFF_FFFF)
  }

  /// Lead bytes of Latin, Greek, Cyrillic and other scripts' letters; U+0080–00BF, U+2000–2FFF and emoji are symbols.
  static func isLetterLead(_ byte: UInt8) -> Bool {
    (0xC3...0xDF).contains(byte) || byte == 0xE0 || byte == 0xE1 || (0xE3...0xED).contains(byte)
  }
}

/// The text that verifiers read: positions `start ..< end` of `bytes`, zero bytes on either side.
struct TextView {
  let bytes: UnsafePointer<UInt8>
  let start: Int
  let end: Int

  @inline(__always) subscript(_ position: Int) -> UInt8 { bytes[position] }

  /// Whether a letter or digit ends directly before `position`.
  func isWordBefore(_ position: Int) -> Bool {
    let byte = bytes[position - 1]
    if byte < 0x80 { return ASCII.isAlphanumeric(byte) }
    var lead = position - 1
    while lead > start, lead > position - 4, bytes[lead] & 0xC0 == 0x80 { lead -= 1 }
    return ScanTables.isLetterLead(bytes[lead])
  }

  /// Whether a letter or digit begins at `position`.
  @inline(__always)
  func isWord(at position: Int) -> Bool {
    let byte = bytes[position]
    return byte < 0x80 ? ASCII.isAlphanumeric(byte) : ScanTables.isLetterLead(byte)
  }

  /// Compares without regard to case; `text` is lower case.
  func matches(_ text: StaticString, at position: Int) -> Bool {
    let count = text.utf8CodeUnitCount
    guard position >= start, position + count <= end else { return false }
    for index in 0..<count where ASCII.lower(bytes[position + index]) != text.utf8Start[index] { return false }
    return true
  }
}
