/// How many findings of which class a text had, and what was done; no values, no positions.
public struct FindingCounts: Sendable {
  private static let outcomes: UInt16 = 8  // six actions, shadow, below the level that acts
  private static let shadow: UInt16 = 6
  private static let possible: UInt16 = 7

  /// Of one type with one outcome: `type * outcomes + outcome`.
  private struct Count {
    let key: UInt16
    var number: UInt32 = 1
  }

  /// In the order of their keys. Few of the many that there can be, and each open stream holds them.
  private var counts: [Count] = []

  /// Findings that were acted on (flagged ones included).
  public private(set) var total = 0

  public init() {}

  /// Forgets all and keeps the memory.
  public mutating func reset() {
    counts.removeAll(keepingCapacity: true)
    total = 0
  }

  mutating func add(_ type: FindingType, _ action: RedactionAction) {
    bump(Self.key(type, action))
    total &+= 1
  }

  mutating func addShadow(_ type: FindingType) { bump(Self.key(type, Self.shadow)) }
  mutating func addPossible(_ type: FindingType) { bump(Self.key(type, Self.possible)) }

  private mutating func bump(_ key: UInt16) {
    let place = counts.firstIndex { $0.key >= key } ?? counts.count
    if place < counts.count, counts[place].key == key {
      counts[place].number &+= 1
    } else {
      if counts.capacity == 0 { counts.reserveCapacity(8) }
      counts.insert(Count(key: key), at: place)
    }
  }

  private func number(_ key: UInt16) -> Int { counts.first { $0.key == key }.map { Int($0.number) } ?? 0 }

  private static func key(_ type: FindingType, _ outcome: UInt16) -> UInt16 {
    UInt16(type.index) &* outcomes &+ outcome
  }

  private static func key(_ type: FindingType, _ action: RedactionAction) -> UInt16 {
    key(type, UInt16(truncatingIfNeeded: action.rawValue))
  }

  public func count(_ type: FindingType, _ action: RedactionAction) -> Int { number(Self.key(type, action)) }

  /// Findings of rules in shadow mode: seen, left alone.
  public func shadowed(_ type: FindingType) -> Int { number(Self.key(type, Self.shadow)) }

  /// Findings below the level at which a rule acts: seen, left alone.
  public func belowLevel(_ type: FindingType) -> Int { number(Self.key(type, Self.possible)) }

  /// Calls with every class and action that occurred.
  public func forEach(_ body: (_ name: String, _ action: RedactionAction, _ count: Int) -> Void) {
    for count in counts {
      guard let action = RedactionAction(rawValue: Int(count.key % Self.outcomes)) else { continue }
      let type = FindingType(index: UInt8(truncatingIfNeeded: count.key / Self.outcomes))
      body(type.name, action, Int(count.number))
    }
  }
}
