import Synchronization

/// What is stored of people and keys but could not be put in force: a revoked key must not live on because a disk failed
/// to read.
///
/// Loading is tried again every quarter of a second. From a second on, which is how long a revocation may take, the gate
/// is closed until it succeeds.
final class CatchUp: Sendable {
  private struct State {
    var fault: String?
    var task: Task<Void, Never>?
    var isStopped = false
  }

  private static let pause: Duration = .milliseconds(250)
  private static let triesBeforeClosing = 4
  private let state = Mutex(State())

  /// Why the newest people and keys are not in force; nil if they are.
  var fault: String? { state.withLock { $0.fault } }

  /// - Parameters:
  ///   - load: Puts what is stored in force and says ``end()``; may block.
  ///   - close: Nobody is served from now on, unless somebody has said ``end()``.
  func begin(_ fault: String, load: @escaping @Sendable () throws -> Void, close: @escaping @Sendable () -> Void) {
    state.withLock { state in
      guard !state.isStopped else { return }
      if state.fault == nil { OperatorLog.say("people and keys as they are stored cannot be put in force: \(fault)") }
      state.fault = fault
      guard state.task == nil else { return }
      state.task = Task { [self] in
        var tries = 0
        while goesOn() {
          try? await Task.sleep(for: Self.pause)
          do { try load() } catch { note("\(error)") }
          tries += 1
          if tries == Self.triesBeforeClosing, self.fault != nil {
            close()
            OperatorLog.say("no key is served until people and keys can be read again")
          }
        }
      }
    }
  }

  /// What is stored is in force.
  func end() {
    let hasEnded = state.withLock { state in
      defer { state.fault = nil }
      return state.fault != nil
    }
    if hasEnded { OperatorLog.say("people and keys are in force as they are stored") }
  }

  func stop() {
    state.withLock { state in
      state.isStopped = true
      state.task?.cancel()
    }
  }

  private func note(_ fault: String) { state.withLock { if $0.fault != nil { $0.fault = fault } } }

  /// Ends the task with the fault, in one step: a fault that comes after begins another.
  private func goesOn() -> Bool {
    state.withLock { state in
      if state.fault != nil, !state.isStopped { return true }
      state.task = nil
      return false
    }
  }
}
