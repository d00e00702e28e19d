/// How much to ask the ledger for (section 4 of the quotas page): enough that nobody waits, little enough that a power
/// cut cannot cost much.
struct LeaseSizing: Sendable {
  static let memory: Int64 = 900_000_000_000

  /// L: the headroom to keep.
  private(set) var target: Int64 = 0
  private(set) var lastWant: Int64 = 0
  private var largest: Int64 = 0
  private var largestBefore: Int64 = 0
  private var since: Int64 = 0

  /// The largest worst case of the last 15 to 30 minutes.
  var largestWorst: Int64 { max(largest, largestBefore) }

  @inline(__always) mutating func saw(_ worst: Int64, boot: Int64) {
    if boot &- since > Self.memory {
      largestBefore = boot &- since > Self.memory &* 2 ? 0 : largest
      largest = 0
      since = boot
    }
    if worst > largest { largest = worst }
  }

  /// - Parameters:
  ///   - amount: the limit.
  ///   - free: what the ledger may still grant, nil if nothing is known.
  ///   - headroom: what is left of the lease.
  ///   - waiting: the sum of the worst cases that wait, and the least of them; 0 and `max` if nobody does.
  ///   - nodes: live nodes, at least 1.
  mutating func wish(
    amount: Int64, free: Int64?, headroom: Int64, waiting: (sum: Int64, least: Int64), nodes: Int64
  ) -> (want: Int64, least: Int64) {
    let nodes = max(1, min(nodes, 1 << 20))
    let fiftieth = max(1, amount / 50)
    let largest = max(largestWorst, waiting.sum == 0 ? 0 : waiting.least)
    var size = largest > fiftieth ? largest : min(max(amount / (8 * nodes), largest), fiftieth)
    if let free, free / (2 * nodes) < size {
      size = max(waiting.sum == 0 ? 0 : waiting.least, max(0, free) / (2 * nodes))
    }
    target = size
    let want = max(1, max(Amount.difference(waiting.sum, headroom), Amount.difference(size, headroom)))
    let least = waiting.sum == 0 ? 1 : max(1, Amount.difference(waiting.least, headroom))
    lastWant = max(want, least)
    return (lastWant, least)
  }
}
