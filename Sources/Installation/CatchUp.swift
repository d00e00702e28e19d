import Dispatch
import Gateway
import Synchronization

/// What is stored of people and keys but could not be put in force: a revoked key must not live on because a disk failed
/// to read.
///
/// Loading is tried again every quarter of a second. From a second on, which is how long a revocation may take, the gate
/// is closed until it succeeds: also where a read hangs, for who closes it reads nothing.
final class CatchUp: Sendable {
  /// Does something after so many milliseconds, on a thread that may block.
  typealias Later = @Sendable (_ milliseconds: Int, _ work: @escaping @Sendable () -> Void) -> Void

  private struct State {
    var fault: String?
    /// Grows with each fault and each end of one, so that who waited for the last knows that it is over.
    var number = 0
    var isTrying = false
    var isStopped = false
  }

  static let retryMilliseconds = 250
  static let closeMilliseconds = 1_000
  private let state = Mutex(State())
  private let readiness: Gateway.Readiness
  private let later: Later

  init(
    _ readiness: Gateway.Readiness,
    later: @escaping Later = { DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds($0), execute: $1) }
  ) {
    self.readiness = readiness
    self.later = later
  }

  /// Why the newest people and keys are not in force; nil if they are.
  var fault: String? { state.withLock { $0.fault } }

  /// - Parameter load: Puts what is stored in force and says ``end()``; may block.
  func begin(_ fault: String, load: @escaping @Sendable () throws -> Void) {
    let (news, tries) = state.withLock { state -> (Int?, Bool) in
      guard !state.isStopped else { return (nil, false) }
      let isNews = state.fault == nil
      if isNews { state.number += 1 }
      state.fault = fault
      defer { state.isTrying = true }
      return (isNews ? state.number : nil, !state.isTrying)
    }
    if let news {
      OperatorLog.say("people and keys as they are stored cannot be put in force: \(fault)")
      later(Self.closeMilliseconds) { [self] in close(news) }
    }
    if tries { retry(load) }
  }

  /// What is stored is in force.
  func end() {
    let hasEnded = state.withLock { state in
      guard state.fault != nil else { return false }
      state.fault = nil
      state.number += 1
      readiness.close(false)
      return true
    }
    if hasEnded { OperatorLog.say("people and keys are in force as they are stored") }
  }

  func stop() { state.withLock { $0.isStopped = true } }

  private func retry(_ load: @escaping @Sendable () throws -> Void) {
    later(Self.retryMilliseconds) { [self] in
      guard goesOn() else { return }
      do { try load() } catch { note("\(error)") }
      retry(load)
    }
  }

  private func note(_ fault: String) { state.withLock { if $0.fault != nil { $0.fault = fault } } }

  /// Ends trying with the fault, in one step: a fault that comes after begins anew.
  private func goesOn() -> Bool {
    state.withLock { state in
      if state.fault != nil, !state.isStopped { return true }
      state.isTrying = false
      return false
    }
  }

  private func close(_ number: Int) {
    let closes = state.withLock { state in
      guard state.number == number, !state.isStopped else { return false }
      readiness.close(true)
      return true
    }
    if closes { OperatorLog.say("no key is served until people and keys can be read again") }
  }
}
