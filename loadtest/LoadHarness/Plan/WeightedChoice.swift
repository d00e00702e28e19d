/// Chooses among things by weight: in turn if all weigh the same, else at random, so that no pattern comes of it.
struct WeightedChoice: Sendable {
  private let sums: [Double]
  private let takesTurns: Bool
  private var turn: Int

  /// - Parameters:
  ///   - weights: At least one, each 0 or more, not all of them 0.
  ///   - first: Whose turn it is first, if they take turns.
  init(_ weights: [Double], first: Int = 0) {
    takesTurns = weights.allSatisfy { $0 == weights.first }
    turn = weights.isEmpty ? 0 : first % weights.count
    var sum = 0.0
    sums = weights.map { weight in
      sum += max(0, weight)
      return sum
    }
  }

  mutating func next(_ random: inout SeededRandom) -> Int {
    guard sums.count > 1 else { return 0 }
    if takesTurns {
      defer { turn = (turn + 1) % sums.count }
      return turn
    }
    let mark = random.fraction() * (sums.last ?? 0)
    var low = 0
    var high = sums.count - 1
    while low < high {
      let middle = (low + high) / 2
      if sums[middle] > mark { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// The index whose share of all weights covers `part` of them, 0..<1: shares things out without a rest.
  func index(at part: Double) -> Int {
    let mark = part * (sums.last ?? 0)
    return sums.firstIndex { $0 > mark } ?? max(0, sums.count - 1)
  }
}
