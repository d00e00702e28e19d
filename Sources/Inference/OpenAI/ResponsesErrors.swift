internal import JSONText

/// The end of a Responses stream in an error: both events, because SDKs raise on neither.
struct ResponsesFailure {
  /// `id` and `created_at` as JSON values; empty where no response has begun.
  var id: UnsafeRawBufferPointer
  var createdAt: UnsafeRawBufferPointer
  /// The alias as a JSON string.
  var model: [UInt8]
  /// What an answer of our own making is dressed in.
  var options: AnswerOptions

  /// - Parameter sequence: The number of the first event; two are used.
  func append(_ refusal: Refusal, requestID: String, sequence: Int, to out: ByteArena) {
    out.append("event: error\ndata: {\"type\":\"error\",\"code\":\"")
    out.append(utf8: refusal.code.text)
    out.append("\",\"message\":\"")
    ErrorBody.appendMessage(of: refusal, requestID: requestID, to: out)
    out.append("\",\"param\":")
    if let param = refusal.param { JSONEscape.appendQuoted(param, to: out) } else { out.append("null") }
    out.append(",\"sequence_number\":")
    out.append(utf8: String(sequence))
    out.append("}\n\nevent: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"id\":")
    if id.count > 0 {
      out.append(id)
    } else {
      out.append("\"resp_")
      out.append(options.answerID)
      out.append("\"")
    }
    out.append(",\"object\":\"response\",\"created_at\":")
    if createdAt.count > 0 { out.append(createdAt) } else { out.append(utf8: String(options.created)) }
    out.append(",\"status\":\"failed\",\"error\":{\"code\":\"")
    out.append(Self.code(refusal.code))
    out.append("\",\"message\":\"")
    ErrorBody.appendMessage(of: refusal, requestID: requestID, to: out)
    out.append("\"},\"incomplete_details\":null,\"model\":")
    out.append(model)
    out.append(0x2C)
    if options.echo.isEmpty {
      out.append("\"parallel_tool_calls\":true,\"tool_choice\":\"auto\",\"tools\":[],")
    } else {
      out.append(options.echo)
    }
    out.append("\"output\":[],\"usage\":null},\"sequence_number\":")
    out.append(utf8: String(sequence &+ 1))
    out.append("}\n\n")
  }

  /// The codes that a response's error may have are a closed list of OpenAI's.
  private static func code(_ code: Refusal.Code) -> StaticString {
    switch code {
    case .rateLimitExceeded, .insufficientQuota, .upstreamRateLimited: "rate_limit_exceeded"
    case .dataResidencyMismatch: "data_residency_mismatch"
    case .contentPolicyViolation, .contextLengthExceeded: "invalid_prompt"
    default: "server_error"
    }
  }
}
