/// Why a request failed; a closed set, so that reports can be compared.
enum FailureKind: Equatable {
  /// No connection could be made.
  case connect
  /// The connection ended before the answer began, or inside it.
  case closedBeforeAnswer, closedInAnswer
  case timeout
  /// What came is no HTTP.
  case malformed
  /// A status of 300 or more.
  case status(Int)
  /// A stream that ended in HTTP, but without finish reason or `[DONE]`; or with an error event.
  case streamIncomplete, streamError
  /// Due or under way when the run's drain was over.
  case unfinished

  var label: String {
    switch self {
    case .connect: "connect"
    case .closedBeforeAnswer: "closed_before_answer"
    case .closedInAnswer: "closed_in_answer"
    case .timeout: "timeout"
    case .malformed: "malformed"
    case .status(let status): "status_\(status)"
    case .streamIncomplete: "stream_incomplete"
    case .streamError: "stream_error"
    case .unfinished: "unfinished"
    }
  }
}
