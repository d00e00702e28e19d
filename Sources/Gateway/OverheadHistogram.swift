import Synchronization

/// How long a loop's requests spent in one part of the gateway, or how long its turns took: counts by powers of two of a microsecond. One writer, its
/// loop.
public final class OverheadHistogram: Sendable {
  /// The last bucket has no upper bound.
  public static let buckets = 22

  private let counts: [Counter] = (0..<buckets).map { _ in Counter() }
  private let sum = Atomic<UInt64>(0)

  private final class Counter: Sendable { let value = Atomic<UInt64>(0) }

  public init() {}

  func add(nanoseconds: Int64) {
    let spent = UInt64(clamping: nanoseconds)
    let microseconds = (spent &+ 999) / 1000
    // The first bucket whose bound, 2^index µs, is not exceeded.
    let index = microseconds <= 1 ? 0 : 64 - (microseconds - 1).leadingZeroBitCount
    let counter = counts[min(index, Self.buckets - 1)]
    counter.value.store(counter.value.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    sum.store(sum.load(ordering: .relaxed) &+ spent, ordering: .relaxed)
  }

  /// What several loops counted.
  public struct Reading: Sendable {
    /// Not summed up: each bucket for itself.
    public private(set) var counts = [UInt64](repeating: 0, count: OverheadHistogram.buckets)
    public private(set) var nanoseconds: UInt64 = 0

    public init() {}

    public mutating func add(_ histogram: OverheadHistogram) {
      for index in counts.indices { counts[index] &+= histogram.counts[index].value.load(ordering: .relaxed) }
      nanoseconds &+= histogram.sum.load(ordering: .relaxed)
    }

    public var count: UInt64 { counts.reduce(0, &+) }

    /// The upper bound of a bucket in seconds; nil for the last.
    public static func bound(_ index: Int) -> Double? {
      index < OverheadHistogram.buckets - 1 ? Double(1 << index) / 1e6 : nil
    }
  }
}
