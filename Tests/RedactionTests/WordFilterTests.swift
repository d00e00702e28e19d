import Testing

@testable import Redaction

/// What the scanner passes over is what a look at each word finds nothing in.
@Suite("Word filter")
struct WordFilterTests {
  private let tables = ScanTables.shared

  private func padded<Result>(_ text: String, _ body: (UnsafePointer<UInt8>) -> Result) -> Result? {
    let bytes = [UInt8](repeating: 0, count: 8) + Array(text.utf8) + [UInt8](repeating: 0, count: 64)
    return bytes.withUnsafeBufferPointer { $0.baseAddress.map { body($0 + 8) } }
  }

  private func stop(_ text: String) -> Int? { padded(text) { tables.words.skip($0, from: 0) } }

  @Test func stopsAtEveryKeyword() {
    for keyword in Keyword.table where keyword.text.unicodeScalars.allSatisfy({ $0.properties.isAlphabetic }) {
      let capital = keyword.text.prefix(1).uppercased() + String(keyword.text.dropFirst())
      for word in [keyword.text, capital, keyword.text.uppercased()] {
        for next in ["", " ", ", ", ": x", "\n"] { #expect(stop(word + next) == 0, "\(word)") }
        #expect(stop("the " + word + " of") == 4, "\(word)")
      }
    }
  }

  @Test func stopsAtEverySecret() {
    for row in SecretPrefix.table {
      for byte in Array("aB7".utf8) where row.alphabet.contains(byte) {
        let secret = row.prefix + [UInt8](repeating: byte, count: 30)
        #expect(stop(String(decoding: secret, as: UTF8.self)) == 0, "\(String(decoding: row.prefix, as: UTF8.self))")
      }
    }
  }

  @Test(arguments: ["password", "passwort", "kennwort", "token", "secret", "apikey", "sskey"])
  func stopsAtEveryCompound(end: String) {
    for begin in ["mydb", "meinedatenbank", "My"] where (begin + end).utf8.count > 8 {
      #expect(stop(begin + end + "=") == 0)
      #expect(stop(begin + end.uppercased()) == 0)
    }
  }

  @Test(arguments: ["CHE-123", "che 123", "ATU1", "DE136695976", "DE 136", "A123456780", "CH93", "v 1", "über", "1"])
  func stopsWhereANumberOrAnotherLetterMayBegin(text: String) { #expect(stop(text) == 0) }

  /// Eight bytes are read at a step.
  @Test(arguments: 1...40) func passesOverWordsOfEveryLength(length: Int) {
    let word = String(repeating: "q", count: length)
    #expect(stop(word) == length)
    #expect(stop(word + ".") == length)
    #expect(stop(word + " ") == length + 1)
    #expect(stop(word + "  ") == length + 1)
    #expect(stop(word + " order ") == length + 1)
    #expect(stop(word + "é") == 0)
    #expect(stop(word + "1") == (length < 3 ? 0 : length))
    #expect(stop(word + " 1") == (length < 3 ? 0 : length + 1))
  }

  private static let words = [
    "the", "of", "a", "V", "IBAN", "Telefon", "order", "sk", "SKa", "acc", "pat", "patience", "Passwort", "userToken",
    "mailpasswort", "Gesellschaft", "Zusammenarbeit", "über", "Straße", "CHE", "atu", "DE", "12", "7", "Ж",
    "Umsatzsteueridentifikationsnummer", "Rechtsschutzversicherungsgesellschaften", "téléphone",
  ]
  private static let pieces = words + SecretPrefix.table.map { String(decoding: $0.prefix, as: UTF8.self) }
  private static let glue = [" ", " ", " ", "", "  ", ", ", "-", "_", "\n", ".", ":", " 7", "7", "\u{2014}", "@"]

  private static let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")

  @Test func passesOverNothingThatALookAtEachWordFinds() {
    var random = Seeded(state: 11)
    var passed = 0
    var chained = 0
    for _ in 0..<3000 {
      let text = (0..<6).map { _ in piece(&random) }.joined()
      let looked = padded(text) { bytes in
        let starts = (0..<tables.words.skip(bytes, from: 0)).filter { begins(bytes, $0) }
        return (words: starts.count, missed: starts.filter { matters(bytes, $0) })
      }
      #expect(looked?.missed.isEmpty == true, "\(text)")
      if let words = looked?.words, words > 0 { passed += 1 }
      if let words = looked?.words, words > 1 { chained += 1 }
    }
    // Texts that are looked at from their first word on would say nothing.
    #expect(passed >= 1000)
    #expect(chained >= 250)
  }

  /// In half of the places a plain word, mostly with a space behind it, so that there are second and later words to pass.
  private func piece(_ random: inout Seeded) -> String {
    let glue = Self.glue.randomElement(using: &random) ?? ""
    guard Bool.random(using: &random) else { return (Self.pieces.randomElement(using: &random) ?? "") + glue }
    let length = Int.random(in: 1...40, using: &random)
    let word = (0..<length).map { _ in Self.letters.randomElement(using: &random) ?? "q" }
    return String(word) + (Bool.random(using: &random) ? " " : glue)
  }

  /// Whether a word begins at `start`, behind a byte that is no letter or digit.
  private func begins(_ bytes: UnsafePointer<UInt8>, _ start: Int) -> Bool {
    tables.classes[Int(bytes[start])] == ByteClass.letter
      && ByteClass.isBorder(tables.classes[Int(bytes[start - 1])])
  }

  /// Whether the scanner would do more with this word than read it.
  private func matters(_ bytes: UnsafePointer<UInt8>, _ start: Int) -> Bool {
    let word = WordReader.read(bytes, start, fold: tables.fold)
    let length = word.end - start
    let hasNumber = ASCII.isDigit(bytes[word.end]) || ASCII.isDigit(bytes[word.end + 1])
    if hasNumber, length < 3 || word.tail == tail("che") || word.tail == tail("atu") { return true }
    let ends = ["password", "passwort", "kennwort", "token", "secret", "apikey", "sskey"]
    if length > 8, ends.contains(where: { hasEnd(word.tail, $0) }) { return true }
    return tables.keywords.mask(word.tail, length, bytes, start) != 0 || beginsSecret(bytes, start)
  }

  private func hasEnd(_ word: UInt64, _ end: String) -> Bool {
    let beyond = UInt64(64 - 8 * end.utf8.count)
    return word << beyond == tail(end) << beyond
  }

  private func beginsSecret(_ bytes: UnsafePointer<UInt8>, _ start: Int) -> Bool {
    SecretPrefix.table.contains { row in
      row.prefix.indices.allSatisfy { bytes[start + $0] == row.prefix[$0] }
        && row.alphabet.contains(bytes[start + row.prefix.count])
    }
  }

  private func tail(_ name: String) -> UInt64 { name.utf8.reduce(0) { $0 << 8 | UInt64($1) } }
}
