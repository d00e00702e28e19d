import Synchronization

/// Holds the current immutable snapshot of something and swaps it in one step. Whoever read it keeps what they read.
package final class SnapshotCell<Value: Sendable>: Sendable {
  private let value: Mutex<Value>

  package init(_ value: Value) { self.value = Mutex(value) }

  /// The snapshot in force.
  package var current: Value { value.withLock { $0 } }

  /// Puts another in its place and returns what was there.
  @discardableResult
  package func swap(_ next: Value) -> Value {
    value.withLock { held in
      let before = held
      held = next
      return before
    }
  }
}
