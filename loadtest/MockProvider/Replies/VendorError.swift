import NIOCore

/// Errors in each vendor's shape.
enum VendorError {
  /// The error that a script asked for; the 401 quotes a piece of a key, which a gateway must not pass on.
  static func scripted(_ status: Int, _ vendor: Vendor) -> Refused {
    Refused(status: status, message: ErrorAnswer.message(of: status))
  }

  /// The refusal of a vendor that answers a blocked prompt with an error.
  static func blocked(_ script: Script, _ vendor: Vendor) -> Refused? {
    guard script.kind == .blocked, vendor == .azure else { return nil }
    return Refused(
      message: "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
      param: "prompt", code: "content_filter")
  }

  /// The refusal of a prompt that is longer than the script's context, in the vendor's words.
  static func tooLong(_ tokens: Int, _ script: Script, _ vendor: Vendor) -> Refused? {
    guard let most = script.contextTokens, tokens > most else { return nil }
    switch vendor {
    case .openAI, .azure:
      return Refused(
        message: "Your input exceeds the context window of this model. Please adjust your input and try again.",
        param: "messages", code: "context_length_exceeded")
    case .anthropic: return Refused(message: "prompt is too long: \(tokens) tokens > \(most) maximum")
    case .gemini, .geminiChat:
      return Refused(
        message: "The input token count (\(tokens)) exceeds the maximum number of tokens allowed (\(most)).")
    case .bedrock: return Refused(message: "Input is too long for requested model.")
    case .mistral:
      return Refused(
        message: "Prompt contains \(tokens) tokens, too large for model with \(most) maximum context length")
    case .vllm, .ollama:
      return Refused(
        message: "This model's maximum context length is \(most) tokens. However, your request has \(tokens) tokens.")
    }
  }

  static func write(_ refused: Refused, _ vendor: Vendor, number: UInt64, into body: inout ByteBuffer) {
    switch vendor {
    case .azure where refused.code == "content_filter" || [401, 404, 429].contains(refused.status):
      writeAzure(refused, into: &body)
    case .vllm:
      body.writeStaticString("{\"error\":{\"message\":")
      body.writeQuoted(refused.message)
      body.writeStaticString(",\"type\":\"")
      body.writeString(refused.status < 500 ? "BadRequestError" : "InternalServerError")
      body.writeString("\",\"param\":null,\"code\":\(refused.status)}}")
    case .openAI, .ollama, .azure:
      ErrorAnswer.write(
        status: refused.status, message: refused.message, param: refused.param, code: refused.code, into: &body)
    case .mistral: writeFlat(refused, into: &body)
    case .gemini: writeGoogle(refused, into: &body)
    case .geminiChat:
      body.writeStaticString("[")
      writeGoogle(refused, into: &body)
      body.writeStaticString("]")
    case .anthropic:
      body.writeStaticString("{\"type\":\"error\",\"error\":{\"type\":\"")
      body.writeString(refused.code ?? anthropicType(refused.status))
      body.writeStaticString("\",\"message\":")
      body.writeQuoted(refused.message)
      body.writeString("},\"request_id\":\"req_mock\(String(number & 0xFFFF_FFFF, radix: 16))\"}")
    case .bedrock:
      body.writeStaticString("{\"message\":")
      body.writeQuoted(refused.message)
      body.writeStaticString("}")
    }
  }

  /// What Azure itself says, before a model is asked: a code and a message, and for its filter what was found.
  private static func writeAzure(_ refused: Refused, into body: inout ByteBuffer) {
    body.writeString("{\"error\":{\"code\":\"\(refused.code ?? String(refused.status))\",\"message\":")
    body.writeQuoted(refused.message)
    if refused.code == "content_filter" {
      body.writeString(",\"type\":null,\"param\":\"prompt\",\"status\":\(refused.status),\"innererror\":{\"code\":")
      body.writeStaticString("\"ResponsibleAIPolicyViolation\",\"content_filter_result\":{\"violence\":")
      body.writeStaticString("{\"filtered\":true,\"severity\":\"high\"}}}")
    }
    body.writeStaticString("}}")
  }

  private static func writeFlat(_ refused: Refused, into body: inout ByteBuffer) {
    body.writeStaticString("{\"object\":\"error\",\"message\":")
    if refused.status == 422, let param = refused.param {
      body.writeStaticString("{\"detail\":[{\"type\":\"extra_forbidden\",\"loc\":[\"body\",")
      body.writeQuoted(param)
      body.writeStaticString("],\"msg\":")
      body.writeQuoted(refused.message)
      body.writeStaticString("}]}")
    } else {
      body.writeQuoted(refused.message)
    }
    body.writeStaticString(",\"type\":\"")
    body.writeString(mistralType(refused.status))
    body.writeStaticString("\",\"param\":null,\"code\":")
    body.writeString(refused.status == 429 ? "\"1300\"" : "null")
    body.writeStaticString("}")
  }

  private static func writeGoogle(_ refused: Refused, into body: inout ByteBuffer) {
    body.writeString("{\"error\":{\"code\":\(refused.status),\"message\":")
    body.writeQuoted(refused.message)
    body.writeStaticString(",\"status\":\"")
    body.writeString(refused.code ?? googleStatus(refused.status))
    body.writeStaticString("\"}}")
  }

  static func anthropicType(_ status: Int) -> String {
    switch status {
    case 401: "authentication_error"
    case 402: "billing_error"
    case 403: "permission_error"
    case 404: "not_found_error"
    case 409: "conflict_error"
    case 413: "request_too_large"
    case 429: "rate_limit_error"
    case 504: "timeout_error"
    case 529: "overloaded_error"
    case 500...: "api_error"
    default: "invalid_request_error"
    }
  }

  private static func googleStatus(_ status: Int) -> String {
    switch status {
    case 401: "UNAUTHENTICATED"
    case 403: "PERMISSION_DENIED"
    case 404: "NOT_FOUND"
    case 409: "ABORTED"
    case 429: "RESOURCE_EXHAUSTED"
    case 500: "INTERNAL"
    case 501: "UNIMPLEMENTED"
    case 503, 529: "UNAVAILABLE"
    case 504: "DEADLINE_EXCEEDED"
    case 505...: "UNKNOWN"
    default: "INVALID_ARGUMENT"
    }
  }

  private static func mistralType(_ status: Int) -> String {
    switch status {
    case 401: "authentication_error"
    case 429: "rate_limited"
    case 500...: "internal_server_error"
    default: "invalid_request_error"
    }
  }

  /// What AWS calls an error, in a header and in an event stream.
  static func amazonType(_ status: Int) -> String {
    switch status {
    case 403: "AccessDeniedException"
    case 404: "ResourceNotFoundException"
    case 408: "ModelTimeoutException"
    case 424: "ModelErrorException"
    case 429: "ThrottlingException"
    case 503, 529: "ServiceUnavailableException"
    case 500...: "InternalServerException"
    default: "ValidationException"
    }
  }
}
