/// How many findings of which class a text had, and what was done; no values, no positions.
package struct FindingCounts: Sendable {
  private static let outcomes = RedactionAction.allCases.count + 2  // + shadow, + below the level that acts
  private static let shadow = RedactionAction.allCases.count
  private static let possible = RedactionAction.allCases.count + 1
  private var counts = [UInt32](repeating: 0, count: FindingType.count * FindingCounts.outcomes)

  /// Findings that were acted on (flagged ones included).
  package private(set) var total = 0

  package init() {}

  package mutating func reset() {
    for index in counts.indices { counts[index] = 0 }
    total = 0
  }

  mutating func add(_ type: FindingType, _ action: RedactionAction) {
    bump(type, action.rawValue)
    total &+= 1
  }

  mutating func addShadow(_ type: FindingType) { bump(type, Self.shadow) }
  mutating func addPossible(_ type: FindingType) { bump(type, Self.possible) }

  private mutating func bump(_ type: FindingType, _ outcome: Int) {
    counts[Int(type.index) * Self.outcomes + outcome] &+= 1
  }

  package func count(_ type: FindingType, _ action: RedactionAction) -> Int {
    Int(counts[Int(type.index) * Self.outcomes + action.rawValue])
  }

  /// Findings of rules in shadow mode: seen, left alone.
  package func shadowed(_ type: FindingType) -> Int { Int(counts[Int(type.index) * Self.outcomes + Self.shadow]) }

  /// Findings below the level at which a rule acts: seen, left alone.
  package func belowLevel(_ type: FindingType) -> Int { Int(counts[Int(type.index) * Self.outcomes + Self.possible]) }

  /// Calls with every class and action that occurred.
  package func forEach(_ body: (_ name: String, _ action: RedactionAction, _ count: Int) -> Void) {
    guard total > 0 else { return }
    for type in FindingType.all {
      for action in RedactionAction.allCases {
        let number = count(type, action)
        if number > 0 { body(type.name, action, number) }
      }
    }
  }
}
