import JSONText
import Testing

@testable import Redaction

/// What is measured by itself is the scanner that requests meet.
@Suite("Bare scan")
struct BareScanTests {
  private let bytes = Array("Write to anna@example.org; the IBAN is DE89370400440532013000.".utf8)

  private func scan(_ types: [FindingType]) -> BareScan {
    bytes.withUnsafeBytes { BareScan(of: [TextSegment(start: 0, end: bytes.count, depth: 0)], in: $0, types: types) }
  }

  @Test func readsTheWholeText() { #expect(scan([]).count == bytes.count) }

  @Test(arguments: [FindingType.email, .iban])
  func findsATypeThatIsAskedFor(type: FindingType) { #expect(scan([type]).run() == 1) }

  @Test func findsNothingThatIsNotAskedFor() { #expect(scan([]).run() == 0) }

  @Test func findsTheSameAgain() {
    let both = scan([.email, .iban])
    #expect([both.run(), both.run()] == [2, 2])
  }
}
