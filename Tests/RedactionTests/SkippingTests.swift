import JSONText
import Testing

@testable import Redaction

/// Searches that look at several bytes at a step find what a look at every byte finds.
@Suite("Skipping")
struct SkippingTests {
  private func padded<Result>(_ text: [UInt8], _ body: (UnsafePointer<UInt8>, Int, Int) -> Result?) -> Result? {
    let bytes = [UInt8](repeating: 0, count: 8) + text + [UInt8](repeating: 0, count: 64)
    return bytes.withUnsafeBufferPointer { buffer in
      buffer.baseAddress.flatMap { body($0, 8, 8 + text.count) }
    }
  }

  @Test(arguments: [
    "a", "abcdefg", "abcdefgh", "abcdefghi", "ABCdefghIJKlmnop", "abcdefghijklmnopqrstuvwxyz", "über", "Prüfgrößen",
    "abcdefgä", "abcdefghä", "Ж", "x@", "x[", "x`", "x{", "x9", "Zusammenfassung.",
  ])
  func readsWordsAsByteByByte(text: String) {
    let tables = ScanTables.shared
    padded(Array(text.utf8)) { bytes, start, _ in
      var tail: UInt64 = 0
      var end = start
      while tables.fold[Int(bytes[end])] != 0 {
        tail = tail << 8 | UInt64(tables.fold[Int(bytes[end])])
        end += 1
      }
      let word = WordReader.read(bytes, start, fold: tables.fold)
      #expect(word.end == end)
      #expect(word.tail == tail)
    }
  }

  @Test(arguments: ["EMAIL", "IP", "CH_UID", "X", "A_B"])
  func neverSkipsTheBeginOfAPlaceholder(label: String) {
    let beginnings = PlaceholderBeginnings()
    beginnings.add(Array("PHONE".utf8))
    beginnings.add(Array(label.utf8))
    for separator in ["_", "-", " ", "\u{2010}", "\u{A0}", "\\_"] {
      for spelling in [label, label.lowercased(), "[" + label, "\\u005b" + label] {
        for before in 0..<20 {
          let text = String(repeating: ".", count: before) + spelling + separator + "0a1b2c3d"
          padded(Array(text.utf8)) { bytes, start, end in
            #expect(beginnings.next(bytes, from: start, end) <= start + before)
          }
        }
      }
    }
  }

  @Test func findsAByteWhereverItStands() {
    for count in 0..<100 {
      for place in 0...count {
        var text = [UInt8](repeating: 0x24, count: count)
        if place < count { text[place] = 0x25 }
        text.withUnsafeBytes { #expect($0.firstIndex(of: 0x25, from: 0) == place) }
      }
    }
  }

  @Test(arguments: 0..<12)
  func findsFurtherPlacesAtEveryDistance(distance: Int) throws {
    let bench = try Bench.everything()
    let filler = String(repeating: "x", count: distance)
    let outcome = try bench.redact("anna@example.org \(filler) ANNA@example.org\(filler) anna@example.org")
    #expect(!outcome.text.lowercased().contains("anna"))
  }

  /// The shortest value decides how far apart the looks at the text are, and how many bytes each takes.
  @Test(arguments: 5...24)
  func findsFurtherPlacesOfValuesOfEveryLength(length: Int) throws {
    let bench = try Bench.everything(.mask)
    let value = String("w1nterzeitfuerunseregaerten".prefix(length))
    for distance in 0..<20 {
      let filler = String(repeating: "x", count: distance)
      let outcome = try bench.redact("Passwort: \(value) \(filler) \(value) \(filler)\n\(value.uppercased())")
      #expect(!outcome.text.lowercased().contains(value))
    }
  }

  /// More values than are compared one by one, all of them twice.
  @Test func findsFurtherPlacesOfManyValues() throws {
    let values = (0..<12).map { "geheim\($0)x" } + ["ein-laengeres-9", "w1nte"]
    let given = values.map { "Passwort: \($0)\n" }.joined()
    let outcome = try Bench.everything(.mask).redact(given + given + "Siehe " + values.joined(separator: " "))
    for value in values { #expect(!outcome.text.contains(value)) }
  }

  /// However often a value is given, each further place is compared with it once. Few values and many are told apart
  /// in different ways.
  @Test(arguments: [1, 12])
  func comparesAFurtherPlaceOnceWithEveryValue(count: Int) throws {
    let rule = RedactionRule(id: "a", detect: [.password], action: .mask)
    let bench = try Bench(RedactionProfile(name: "p", rules: [rule]))
    let values = (0..<count).map { "w1nterzeit\($0 + 10)" }
    let lines = values.map { "Passwort: \($0)\n" }.joined()
    let given = String(repeating: lines, count: 2_400 / count)
    _ = try bench.redact(given)
    let before = bench.redactor.work
    let outcome = try bench.redact(given + String(repeating: "Siehe w1nterzeit10\n", count: 100))
    #expect(outcome.counts.count(.password, .mask) == 2_500)
    #expect(bench.redactor.work - before == 100 * count)
  }

  /// Looks for encoded text go from space to space, wherever these lie.
  @Test(arguments: [" ", ",", ", ", "\n"])
  func findsEncodedTextAtEveryDistance(separator: String) throws {
    let bench = try Bench.everything(.mask)
    let encoded = "YW4gbWF4QGV4YW1wbGUuY2ggc2NocmVpYmVu"
    for distance in 0..<50 {
      for filler in [String(repeating: "x", count: distance % 20), String(repeating: "x ", count: distance / 2)] {
        let outcome = try bench.redact("\(filler)\(separator)\(encoded)\(separator)ok")
        #expect(outcome.text == "\(filler)\(separator)[EMAIL]\(separator)ok")
      }
    }
  }
}
