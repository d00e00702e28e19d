import Synchronization

/// The two clocks that quotas look at.
public protocol QuotaClock: Sendable {
  /// CLOCK_REALTIME in nanoseconds since 1970; may jump.
  var wallNanoseconds: Int64 { get }
  /// CLOCK_BOOTTIME in nanoseconds; never jumps, counts while the machine sleeps.
  var bootNanoseconds: Int64 { get }
  /// Whether the kernel says that the wall clock is synchronised (adjtimex).
  var isSynchronised: Bool { get }
}

/// A clock that stands still until it is told otherwise, for tests and simulations.
public final class ManualQuotaClock: QuotaClock {
  private let wall: Atomic<Int64>
  private let boot: Atomic<Int64>
  private let synchronised = Atomic<Bool>(true)

  public init(wallNanoseconds: Int64, bootNanoseconds: Int64 = 1_000_000_000_000) {
    wall = Atomic(wallNanoseconds)
    boot = Atomic(bootNanoseconds)
  }

  public var wallNanoseconds: Int64 { wall.load(ordering: .relaxed) }
  public var bootNanoseconds: Int64 { boot.load(ordering: .relaxed) }
  public var isSynchronised: Bool { synchronised.load(ordering: .relaxed) }

  /// Time passes on both clocks.
  public func advance(nanoseconds: Int64) {
    wall.wrappingAdd(nanoseconds, ordering: .relaxed)
    boot.wrappingAdd(nanoseconds, ordering: .relaxed)
  }

  /// Somebody sets the wall clock.
  public func jump(nanoseconds: Int64, synchronised isNowSynchronised: Bool) {
    wall.wrappingAdd(nanoseconds, ordering: .relaxed)
    synchronised.store(isNowSynchronised, ordering: .relaxed)
  }

  public func setSynchronised(_ value: Bool) { synchronised.store(value, ordering: .relaxed) }
}
