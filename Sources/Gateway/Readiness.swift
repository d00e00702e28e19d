import Synchronization

/// Whether the process takes requests: set by whoever knows, read by `/readyz` on any thread.
public final class Readiness: Sendable {
  private let draining = Atomic<Bool>(false)
  private let serving = Atomic<Bool>(false)

  public init() {}

  /// Policies are loaded, stores are open, loops run.
  public func markServing() { serving.store(true, ordering: .releasing) }
  public func markDraining() { draining.store(true, ordering: .releasing) }
  public var isReady: Bool { serving.load(ordering: .acquiring) && !draining.load(ordering: .acquiring) }
}
