/// A finding that will be acted on: text positions, winner's label, the strongest action of all that overlapped.
struct Finding {
  var start: Int
  var end: Int
  var label: UInt8
  var rank: UInt8
  var action: RedactionAction
  /// The value is encoded text: every byte of it counts, case and separators too.
  var isEncoded = false
}

/// Makes non-overlapping findings of candidates.
enum Resolver {
  /// Partly overlapping findings become one union under the better rank, or the longer of two equals, and the stronger
  /// action; so no rest of the loser stays readable. `findings` come sorted by start.
  static func resolve(_ findings: inout [Finding]) {
    guard findings.count > 1 else { return }
    var kept = 0
    for index in 1..<findings.count {
      let next = findings[index]
      let last = findings[kept]
      guard next.start < last.end else {
        kept += 1
        findings[kept] = next
        continue
      }
      let wins = next.rank > last.rank || (next.rank == last.rank && next.end - next.start > last.end - last.start)
      if wins {
        findings[kept].label = next.label
        findings[kept].rank = next.rank
      }
      findings[kept].end = max(last.end, next.end)
      findings[kept].action = max(last.action, next.action)
      findings[kept].isEncoded = last.isEncoded || next.isEncoded
    }
    findings.removeSubrange((kept + 1)...)
  }
}
