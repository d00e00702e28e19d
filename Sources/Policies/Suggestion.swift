/// "Did you mean": the known word nearest to what was typed.
enum Suggestion {
  /// Nil unless a word is at most a third of its letters away. Distance: optimal string alignment (Damerau 1964).
  static func nearest(to word: String, among known: some Sequence<String>) -> String? {
    guard word.utf8.count <= 64 else { return nil }
    var best: (word: String, distance: Int)?
    for candidate in known {
      let distance = distance(Array(word.lowercased().utf8), Array(candidate.lowercased().utf8))
      let limit = max(1, max(word.utf8.count, candidate.utf8.count) / 3)
      guard distance <= limit else { continue }
      if let held = best, (held.distance, held.word) <= (distance, candidate) { continue }
      best = (candidate, distance)
    }
    return best?.word
  }

  /// A hint that names the nearest word, or else all of them if they are few.
  static func hint(for word: String, among known: [String]) -> String? {
    if let near = nearest(to: word, among: known) { return "did you mean '\(near)'?" }
    guard !known.isEmpty, known.count <= 16 else { return nil }
    return "known here: \(known.sorted().joined(separator: ", "))"
  }

  private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    guard !left.isEmpty, !right.isEmpty else { return max(left.count, right.count) }
    var before: [Int] = []
    var above = Array(0...right.count)
    for row in 1...left.count {
      var line = [row]
      line.reserveCapacity(right.count + 1)
      for column in 1...right.count {
        let same = left[row - 1] == right[column - 1]
        var value = min(above[column] + 1, line[column - 1] + 1, above[column - 1] + (same ? 0 : 1))
        if row > 1, column > 1, left[row - 1] == right[column - 2], left[row - 2] == right[column - 1] {
          value = min(value, before[column - 2] + 1)
        }
        line.append(value)
      }
      before = above
      above = line
    }
    return above[right.count]
  }
}
