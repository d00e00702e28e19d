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
}
