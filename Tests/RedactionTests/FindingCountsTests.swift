import Testing

@testable import Redaction

@Suite("Finding counts")
struct FindingCountsTests {
  @Test func countsEachTypeAndOutcomeByItself() {
    var counts = FindingCounts()
    for type in FindingType.all {
      for action in RedactionAction.allCases { counts.add(type, action) }
      counts.addShadow(type)
      counts.addPossible(type)
    }
    for type in FindingType.all {
      #expect(RedactionAction.allCases.allSatisfy { counts.count(type, $0) == 1 })
      #expect(counts.shadowed(type) == 1)
      #expect(counts.belowLevel(type) == 1)
    }
    var calls = 0
    counts.forEach { _, _, _ in calls += 1 }
    #expect(calls == FindingType.count * RedactionAction.allCases.count)
    #expect(counts.total == calls)
  }

  @Test func saysNothingOfWhatWasLeftAlone() {
    var counts = FindingCounts()
    counts.addShadow(.email)
    counts.addPossible(.iban)
    counts.forEach { name, _, _ in Issue.record("\(name) was not acted on") }
    counts.add(.list, .hash)
    counts.reset()
    #expect(counts.total == 0)
    #expect(counts.count(.list, .hash) == 0)
  }
}
