import Synchronization
import Tenancy

/// The TLS side of a listener: the context that new connections get, and what became of their handshakes.
public final class TLSFront: Sendable {
  private let cell: SnapshotCell<TLSContext>
  private let counters = Outcome.allCases.map { _ in Counter() }

  /// How a handshake has ended.
  public enum Outcome: Int, Sendable, CaseIterable {
    case completed, refused, late
    /// The client spoke HTTP without TLS.
    case plain

    public var name: String { "\(self)" }
  }

  private final class Counter: Sendable { let value = Atomic<UInt64>(0) }

  public init(_ context: TLSContext) { cell = SnapshotCell(context) }

  public var context: TLSContext { cell.current }

  /// Takes effect for all connections accepted from now on, on every loop.
  public func swap(_ next: TLSContext) { cell.swap(next) }

  func count(_ outcome: Outcome) { counters[outcome.rawValue].value.wrappingAdd(1, ordering: .relaxed) }

  /// Handshakes that ended so.
  public func number(of outcome: Outcome) -> UInt64 { counters[outcome.rawValue].value.load(ordering: .relaxed) }
}
