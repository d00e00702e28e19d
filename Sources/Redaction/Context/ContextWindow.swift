/// Raises and refuses candidates by the words beside them.
enum ContextWindow {
  /// Bytes looked back, which takes in a form's label in the line above, and ahead.
  static let back = 48
  static let ahead = 28

  /// Both lists are sorted by position.
  static func apply(_ hits: [KeywordHit], to candidates: inout [Candidate]) {
    guard !hits.isEmpty else { return }
    var first = 0
    for index in candidates.indices {
      let candidate = candidates[index]
      if candidate.raisedBy == 0, candidate.refusedBy == 0 { continue }
      while first < hits.count, hits[first].end + back < candidate.start { first += 1 }
      var mask: UInt32 = 0
      var hit = first
      while hit < hits.count, hits[hit].start <= candidate.end + ahead {
        if hits[hit].end <= candidate.start || hits[hit].start >= candidate.end { mask |= hits[hit].mask }
        hit += 1
      }
      if mask & candidate.raisedBy != 0 {
        candidates[index].level = candidate.level == .possible ? .likely : .certain
      } else if mask & candidate.refusedBy != 0 {
        candidates[index].level = .possible
      }
    }
  }
}
