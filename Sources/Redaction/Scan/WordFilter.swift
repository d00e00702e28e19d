/// Says of most words, by their first three letters and their length, that neither keyword nor secret nor number begins
/// there. Built once, never freed.
struct WordFilter: Sendable {
  private static let size = 4096
  /// Words of so many letters and more share a bit.
  private static let longest = 31

  /// By ``place(_:)`` of the first three letters: bit n stands for words of n letters that must be looked at.
  nonisolated(unsafe) private let lengths: UnsafeMutablePointer<UInt32>
  /// Words of one and two letters: a row for the first, bit 0 for it alone, bit n for it and the nth of the alphabet.
  nonisolated(unsafe) private let short: UnsafeMutablePointer<UInt32>

  init(_ keywords: [Keyword], _ prefixes: [SecretPrefix]) {
    lengths = .allocate(capacity: Self.size)
    lengths.initialize(repeating: 0, count: Self.size)
    short = .allocate(capacity: 32)
    short.initialize(repeating: 0, count: 32)
    for keyword in keywords {
      for form in KeywordTable.forms(keyword) { add(form) }
    }
    for letters in ["che", "atu"] { add(Array(letters.utf8)) }  // Scanner.lettersBeforeDigits
    for row in prefixes {
      let letters = Array(row.prefix.prefix { ASCII.isLetter($0) })
      if letters.count < row.prefix.count { add(letters) } else { add(beginning: letters, row.alphabet) }
    }
  }

  /// A word that matters. One with a byte beyond ASCII is always looked at, and one with another sign is none.
  private func add(_ word: [UInt8], orLonger: Bool = false) {
    guard let first = word.first, word.allSatisfy({ ASCII.isLetter($0) }) else { return }
    guard word.count > 2 else {
      short[Int(first & 31)] |= 1 << (word.count > 1 ? UInt32(word[1] & 31) : 0)
      return
    }
    let head = UInt64(word[0]) | UInt64(word[1]) << 8 | UInt64(word[2]) << 16
    let length = UInt32(min(word.count, Self.longest))
    lengths[Self.place(head)] |= orLonger ? ~0 << length : 1 << length
  }

  /// A secret's prefix of letters only: its word has these letters and maybe more of the alphabet.
  private func add(beginning letters: [UInt8], _ alphabet: SecretAlphabet) {
    guard letters.count < 3 else { return add(letters, orLonger: true) }
    add(letters)
    for byte in UInt8.min...UInt8.max where ASCII.isLetter(byte) && alphabet.contains(byte) {
      add(beginning: letters + [byte], alphabet)
    }
  }

  /// The first place from `start` on that is neither a word without meaning here nor one space behind such a word.
  ///
  /// Most of a text is such words. Not inlined, so that the loop's constants stay in registers.
  /// - Parameters:
  ///   - bytes: Behind the text stand 16 zero bytes or more.
  ///   - start: Within the text or at its end, behind an ASCII byte that is no letter or digit.
  @inline(never)
  func skip(_ bytes: UnsafePointer<UInt8>, from start: Int) -> Int {
    var position = start
    while true {
      let word = WordReader.word(bytes, position)
      let marks = WordReader.others(word)
      let end: Int
      if marks != 0 {
        let length = marks.trailingZeroBitCount &>> 3
        end = position &+ length
        guard length > 2 ? isPlain(word, length) : isPlainShort(word, length, bytes + end) else { return position }
      } else {
        end = WordReader.end(bytes, position &+ 8)
        let length = end &- position
        guard isPlain(word, min(length, Self.longest)), length == 8 || !Self.mayEndCompound(bytes[end &- 1]) else {
          return position
        }
      }
      // A letter beyond ASCII would make another word of it. No space stands at the text's end or behind it.
      let next = bytes[end]
      guard next == 0x20 else { return next < 0x80 ? end : position }
      position = end &+ 1
    }
  }

  @inline(__always)
  private func isPlain(_ word: UInt64, _ length: Int) -> Bool {
    lengths[Self.place(word)] &>> UInt32(truncatingIfNeeded: length) & 1 == 0
  }

  /// Behind one or two letters a number may follow that they belong to, be it behind a separator.
  @inline(__always)
  private func isPlainShort(_ word: UInt64, _ length: Int, _ behind: UnsafePointer<UInt8>) -> Bool {
    guard length > 0, !ASCII.isDigit(behind[0]), !ASCII.isDigit(behind[1]) else { return false }
    let second = length == 1 ? 0 : UInt32(truncatingIfNeeded: word &>> 8 & 31)
    return short[Int(truncatingIfNeeded: word & 31)] &>> second & 1 == 0
  }

  /// Whether the last letter is one of those that Scanner.compound asks for: d, n, t, y.
  @inline(__always)
  private static func mayEndCompound(_ letter: UInt8) -> Bool { 0x0210_4010 &>> UInt32(letter & 31) & 1 != 0 }

  /// Twelve bits of the first three letters, case off.
  @inline(__always)
  private static func place(_ word: UInt64) -> Int {
    let letters = UInt32(truncatingIfNeeded: word) &<< 8 | 0x2020_2000
    return Int(truncatingIfNeeded: (letters &* 0x9E37_79B1) &>> 20)
  }
}
