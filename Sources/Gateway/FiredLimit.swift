/// Limits of the data plane that end or refuse something, each with the name that its metric has. Those on connections,
/// bodies in memory and keys are counted where they are kept.
public enum FiredLimit: Int, CaseIterable, Sendable {
  /// Of a request: its head's size, its target's, its body's.
  case headBytes, targetBytes, bodyBytes
  /// Of a client: too slow with a head, with a body, with an answer.
  case headTime, bodyTime, writeStall
  case handshakes
  /// Of a loop: it is late, and refuses what is new.
  case loopLag
  /// Of an answer: a plain one's size, a stream's, what waits of a stream for a slow client.
  case answerBytes, streamBytes, heldStreamBytes
  /// Of an exchange, and of a provider that is silent.
  case exchangeTime, providerTime
  /// A provider has as many requests under way as it may; one may not be asked again.
  case providerRequests, retryBudget

  public var name: String {
    switch self {
    case .headBytes: "head_bytes"
    case .targetBytes: "target_bytes"
    case .bodyBytes: "body_bytes"
    case .headTime: "head_time"
    case .bodyTime: "body_time"
    case .writeStall: "write_stall"
    case .handshakes: "handshakes"
    case .loopLag: "loop_lag"
    case .answerBytes: "answer_bytes"
    case .streamBytes: "stream_bytes"
    case .heldStreamBytes: "held_stream_bytes"
    case .exchangeTime: "exchange_time"
    case .providerTime: "provider_time"
    case .providerRequests: "provider_requests"
    case .retryBudget: "retry_budget"
    }
  }
}
