import Synchronization

/// Whether the process takes requests: set by whoever knows, read by `/readyz` on any thread.
public final class Readiness: Sendable {
  private let draining = Atomic<Bool>(false)
  private let serving = Atomic<Bool>(false)
  private let closed = Atomic<Bool>(false)

  public init() {}

  /// Policies are loaded, stores are open, loops run.
  public func markServing() { serving.store(true, ordering: .releasing) }
  public func markDraining() { draining.store(true, ordering: .releasing) }
  /// Of nobody is it known what they may do now: whoever asks is refused, whatever is open ends.
  public func close(_ isClosed: Bool) { closed.store(isClosed, ordering: .releasing) }
  public var isClosed: Bool { closed.load(ordering: .acquiring) }
  /// Whether requests are taken. A process that drains takes what comes on its open connections: nobody has been told yet
  /// to go elsewhere.
  public var isServing: Bool { serving.load(ordering: .acquiring) }
  /// Whether new clients are to come here.
  public var isReady: Bool { serving.load(ordering: .acquiring) && !draining.load(ordering: .acquiring) }
}
