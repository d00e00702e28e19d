import NIOCore

/// Errors in OpenAI's shape, as a provider would say them.
enum ErrorAnswer {
  /// Writes the body for `status`; the 401 quotes a piece of a key, which a gateway must not pass on.
  static func write(
    status: Int, message: String? = nil, param: String? = nil, code: String? = nil, into body: inout ByteBuffer
  ) {
    let (type, usualCode, text) = facts(of: status)
    body.writeStaticString("{\"error\":{\"message\":")
    body.writeQuoted(message ?? text)
    body.writeStaticString(",\"type\":\"")
    body.writeString(type)
    body.writeStaticString("\",\"param\":")
    if let param { body.writeQuoted(param) } else { body.writeStaticString("null") }
    body.writeStaticString(",\"code\":")
    body.writeString((code ?? usualCode).map { "\"\($0)\"" } ?? "null")
    body.writeStaticString("}}")
  }

  static func message(of status: Int) -> String { facts(of: status).text }

  /// What looks like the ends of a provider's key; joined here so that no scanner takes it for one.
  static let keyFragment = "sk-" + "mock" + "Fragment********" + "4f2a"

  private static func facts(of status: Int) -> (type: String, code: String?, text: String) {
    switch status {
    case 400: ("invalid_request_error", nil, "The mock was asked to refuse this request.")
    case 401:
      (
        "invalid_request_error", "invalid_api_key",
        "Incorrect API key provided: \(keyFragment). You can find your API key at https://provider.invalid/keys."
      )
    case 403: ("invalid_request_error", "unsupported_country_region_territory", "Not supported here.")
    case 404: ("invalid_request_error", "model_not_found", "The model does not exist or you do not have access to it.")
    case 408: ("server_error", "timeout", "The request timed out.")
    case 429: ("requests", "rate_limit_exceeded", "Rate limit reached for the mock in organization org-mock.")
    case 500..<600: ("server_error", nil, "The server had an error while processing your request.")
    default: ("invalid_request_error", nil, "The mock was asked for this status.")
    }
  }

  static func reason(of status: Int) -> String {
    switch status {
    case 200: "OK"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 408: "Request Timeout"
    case 409: "Conflict"
    case 413: "Content Too Large"
    case 422: "Unprocessable Content"
    case 429: "Too Many Requests"
    case 500: "Internal Server Error"
    case 502: "Bad Gateway"
    case 503: "Service Unavailable"
    case 504: "Gateway Timeout"
    default: "Status"
    }
  }
}
