import Inference
import Synchronization

/// What went wrong at providers, of all loops: counted by provider and cause, and reported where somebody must act,
/// because our credential, our account or our configuration is wrong.
public final class ProviderFaults: Sendable {
  /// The provider's id, and the code that clients read.
  public struct Cause: Hashable, Sendable {
    public let provider: String
    public let code: String
  }

  private struct State {
    var counts: [Cause: Int] = [:]
    /// Since the last report, with the provider's own word for it.
    var toReport: [Cause: (count: Int, word: String)] = [:]
  }

  private let state = Mutex(State())

  /// Providers come from the register; in the demo they could be many in the course of time.
  private static let most = 4_096

  init() {}

  /// An attempt failed as a whole.
  func note(_ provider: String, _ fault: UpstreamFault) {
    note(provider, fault.refusal.code, needsOperator: fault.needsOperator, word: fault.providerCode)
  }

  /// A stream that had begun ended with an error of its provider's.
  func note(_ provider: String, _ code: Refusal.Code) {
    note(provider, code, needsOperator: code == .upstreamAuth || code == .upstreamQuota, word: "")
  }

  private func note(_ provider: String, _ code: Refusal.Code, needsOperator: Bool, word: String) {
    let cause = Cause(provider: provider, code: code.text)
    state.withLock { state in
      guard state.counts[cause] != nil || state.counts.count < Self.most else { return }
      state.counts[cause, default: 0] &+= 1
      guard needsOperator else { return }
      state.toReport[cause] = ((state.toReport[cause]?.count ?? 0) &+ 1, word)
    }
  }

  /// In the order of their names.
  public var counts: [(cause: Cause, count: Int)] {
    state.withLock { $0.counts }.map { ($0.key, $0.value) }.sorted {
      ($0.cause.provider, $0.cause.code) < ($1.cause.provider, $1.cause.code)
    }
  }

  /// Lines for the operator, of what has come since they were last taken.
  public func takeReport() -> [String] {
    let faults = state.withLock { state in
      defer { state.toReport = [:] }
      return state.toReport
    }
    return faults.map { cause, fault in
      let word = fault.word.isEmpty ? "" : " (\(fault.word))"
      return "provider '\(cause.provider)' refused \(fault.count) requests by \(cause.code)\(word): "
        + "look at its credential, account and address"
    }.sorted()
  }
}
