/// How many findings of which class a text had, and what was done; no values, no positions. Needs no heap.
public struct FindingCounts: Sendable {
  private static let outcomes = 8  // six actions, shadow, below the level that acts
  private static let shadow = 6
  private static let possible = 7
  /// A row per type; a test says that there is one for each.
  private var counts = InlineArray<176, UInt32>(repeating: 0)
  /// Bit per type: findings of it were acted on.
  private var acted: UInt64 = 0

  /// Findings that were acted on (flagged ones included).
  public private(set) var total = 0

  public init() {}

  public mutating func reset() { self = FindingCounts() }

  mutating func add(_ type: FindingType, _ action: RedactionAction) {
    bump(type, action.rawValue)
    acted |= 1 << UInt64(type.index)
    total &+= 1
  }

  mutating func addShadow(_ type: FindingType) { bump(type, Self.shadow) }
  mutating func addPossible(_ type: FindingType) { bump(type, Self.possible) }

  private mutating func bump(_ type: FindingType, _ outcome: Int) {
    counts[Int(type.index) * Self.outcomes + outcome] &+= 1
  }

  public func count(_ type: FindingType, _ action: RedactionAction) -> Int {
    Int(counts[Int(type.index) * Self.outcomes + action.rawValue])
  }

  /// Findings of rules in shadow mode: seen, left alone.
  public func shadowed(_ type: FindingType) -> Int { Int(counts[Int(type.index) * Self.outcomes + Self.shadow]) }

  /// Findings below the level at which a rule acts: seen, left alone.
  public func belowLevel(_ type: FindingType) -> Int { Int(counts[Int(type.index) * Self.outcomes + Self.possible]) }

  /// Calls with every class and action that occurred.
  public func forEach(_ body: (_ name: String, _ action: RedactionAction, _ count: Int) -> Void) {
    // Read in place: each subscript of the array itself would be given a copy of it.
    let counts = counts.span
    var left = acted
    while left != 0 {
      let type = FindingType(index: UInt8(left.trailingZeroBitCount))
      left &= left - 1
      for outcome in 0..<Self.shadow {
        let number = Int(counts[Int(type.index) * Self.outcomes + outcome])
        if number > 0, let action = RedactionAction(rawValue: outcome) { body(type.name, action, number) }
      }
    }
  }
}
