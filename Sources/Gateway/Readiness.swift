import Synchronization

/// Whether the process takes requests: set by whoever knows, read by `/readyz` on any thread.
package final class Readiness: Sendable {
  private let draining = Atomic<Bool>(false)
  private let serving = Atomic<Bool>(false)

  package init() {}

  /// Policies are loaded, stores are open, loops run.
  package func markServing() { serving.store(true, ordering: .releasing) }
  package func markDraining() { draining.store(true, ordering: .releasing) }
  package var isReady: Bool { serving.load(ordering: .acquiring) && !draining.load(ordering: .acquiring) }
}
