import Synchronization

/// Holds the current immutable snapshot of something and swaps it in one step. Whoever read it keeps what they read.
public final class SnapshotCell<Value: Sendable>: Sendable {
  private let value: Mutex<Value>

  public init(_ value: Value) { self.value = Mutex(value) }

  /// The snapshot in force.
  public var current: Value { value.withLock { $0 } }

  /// Puts another in its place and returns what was there.
  @discardableResult
  public func swap(_ next: Value) -> Value {
    value.withLock { held in
      let before = held
      held = next
      return before
    }
  }
}
