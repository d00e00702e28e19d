internal import Synchronization

/// A flag between threads.
final class Flag: Sendable {
  private let value = Atomic<Bool>(false)

  /// Whether it was clear before.
  @discardableResult
  func set() -> Bool { !value.exchange(true, ordering: .acquiringAndReleasing) }

  /// Sees everything that was done before the ``set()`` that it clears.
  func clear() { _ = value.exchange(false, ordering: .acquiringAndReleasing) }

  var isSet: Bool { value.load(ordering: .acquiring) }
}
