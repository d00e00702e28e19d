import Gateway

/// Why a request's framing or head is refused. The connection closes after the answer.
public enum HTTPFault: Error, Sendable, Equatable {
  case malformedRequestLine, malformedTarget, targetTooLong, unsupportedVersion, unsupportedMethod
  case malformedField, fieldTooLarge, headTooLarge, tooManyFields, duplicateField, ambiguousField
  case missingHost, malformedHost, unknownScheme
  case malformedLength, malformedEncoding, conflictingFraming, bodyNotAllowed, bodyTooLarge
  case malformedChunk, unsupportedExpectation, headTimeout, bodyTimeout

  /// The limit that it was.
  var limit: FiredLimit? {
    switch self {
    case .targetTooLong: .targetBytes
    case .fieldTooLarge, .headTooLarge, .tooManyFields: .headBytes
    case .bodyTooLarge: .bodyBytes
    case .headTimeout: .headTime
    case .bodyTimeout: .bodyTime
    default: nil
    }
  }

  public var status: UInt16 {
    switch self {
    case .targetTooLong: 414
    case .fieldTooLarge, .headTooLarge, .tooManyFields: 431
    case .bodyTooLarge: 413
    case .unsupportedMethod: 405
    case .unsupportedVersion: 505
    case .unsupportedExpectation: 417
    case .headTimeout, .bodyTimeout: 408
    default: 400
    }
  }

  /// What the client reads: what was wrong with the bytes, never the bytes themselves.
  public var message: String {
    switch self {
    case .malformedRequestLine: "The request line is malformed."
    case .malformedTarget:
      "The request target must be a plain absolute path without '..', '//', '#' or encoded slashes."
    case .targetTooLong: "The request target is longer than 2 KiB."
    case .unsupportedVersion: "Only HTTP/1.1 and HTTP/1.0 are spoken here."
    case .unsupportedMethod: "This method is not supported."
    case .malformedField: "A header field is malformed."
    case .fieldTooLarge: "A header field is larger than 8 KiB."
    case .headTooLarge: "The request head is larger than 32 KiB."
    case .tooManyFields: "The request has more than 100 header fields."
    case .duplicateField: "A header field that may stand once stands more than once."
    case .ambiguousField: "A header field name with '_' imitates one that matters here."
    case .missingHost: "The Host header field is missing."
    case .malformedHost: "The Host header field is malformed."
    case .unknownScheme: "The scheme must be http or https."
    case .malformedLength: "Content-Length is not a plain number."
    case .malformedEncoding: "Transfer-Encoding must be exactly 'chunked', with HTTP/1.1."
    case .conflictingFraming: "Content-Length and Transfer-Encoding exclude each other."
    case .bodyNotAllowed: "A request of this method must not have a body."
    case .bodyTooLarge: "The request body is larger than 8 MiB."
    case .malformedChunk: "The chunked body is malformed."
    case .unsupportedExpectation: "The only expectation that is met is '100-continue'."
    case .headTimeout: "The request head did not arrive in time."
    case .bodyTimeout: "The request body did not arrive in time."
    }
  }
}
