public import JSONText

/// One line of a batch's input: a request, where it goes and what its client calls it.
public struct BatchLine: Sendable, Equatable {
  /// Bytes of a `custom_id` as its client may send it, and with placeholders in it.
  public static let mostNameBytes = 256
  private static let mostRedactedNameBytes = 8192

  /// `custom_id`, the client's own: its content is text like any other.
  public let name: JSONString
  public let route: InferenceRoute
  /// The object that is the request's body.
  public let body: ByteRange

  /// Reads a line, strictly: a member that nobody knows could carry anything past every rule.
  /// - Parameter isRedacted: It was read before, and written anew.
  public init(_ line: UnsafeRawBufferPointer, isRedacted: Bool = false) throws(InferenceError) {
    var reader = Reader(mostNameBytes: isRedacted ? Self.mostRedactedNameBytes : Self.mostNameBytes)
    do throws(JSONTextError) { try reader.read(line) } catch {
      throw reader.fault
        ?? InferenceError(
          .invalidJSON, message: "it is not acceptable JSON: \(error.explanation) (byte \(error.offset)).",
          detail: error.code.rawValue)
    }
    guard let name = reader.name else { throw Self.missing("custom_id") }
    guard reader.hasMethod else { throw Self.missing("method") }
    guard let route = reader.route else { throw Self.missing("url") }
    guard let body = reader.body else { throw Self.missing("body") }
    (self.name, self.route, self.body) = (name, route, body)
  }

  private static func missing(_ name: String) -> InferenceError {
    InferenceError(.missingRequiredParameter, param: name, message: "'\(name)' is missing.")
  }

  /// Appends a line with everything in the order in which it is read here.
  /// - Returns: Where the content of `custom_id` and the body begin in `out`.
  @discardableResult
  public static func append(
    name: UnsafeRawBufferPointer, route: InferenceRoute, body: UnsafeRawBufferPointer, to out: ByteArena
  ) -> (name: Int, body: Int) {
    out.append("{\"custom_id\":\"")
    let nameStart = out.count
    out.append(name)
    out.append("\",\"method\":\"POST\",\"url\":\"")
    out.append(utf8: route.batchPath)
    out.append("\",\"body\":")
    let bodyStart = out.count
    out.append(body)
    out.append("}")
    return (nameStart, bodyStart)
  }

  private struct Reader {
    let mostNameBytes: Int
    var name: JSONString?
    var hasMethod = false
    var route: InferenceRoute?
    var body: ByteRange?
    var fault: InferenceError?

    init(mostNameBytes: Int) { self.mostNameBytes = mostNameBytes }

    mutating func read(_ line: UnsafeRawBufferPointer) throws(JSONTextError) {
      var cursor = try JSONCursor(line)
      guard try cursor.peek() == .object else {
        throw refuse(.invalidType, nil, "it must be a JSON object.", cursor)
      }
      var walk = try cursor.enterObject()
      while let key = try cursor.nextMember(&walk) {
        let member = key.range.of(line)
        if member.equals("custom_id"), name == nil {
          name = try text("custom_id", &cursor)
          guard let name, (1...mostNameBytes).contains(name.range.count) else {
            throw refuse(
              .invalidValue, "custom_id", "'custom_id' has 1 to \(mostNameBytes) bytes.", cursor)
          }
        } else if member.equals("method"), !hasMethod {
          guard try text("method", &cursor).range.of(line).equals("POST") else {
            throw refuse(.invalidValue, "method", "'method' must be POST.", cursor)
          }
          hasMethod = true
        } else if member.equals("url"), route == nil {
          let path = try text("url", &cursor).range.of(line)
          route = InferenceRoute.batched.first { path.elementsEqual($0.batchPath.utf8) }
          guard route != nil else {
            let known = InferenceRoute.batched.map(\.batchPath).joined(separator: ", ")
            throw refuse(.invalidValue, "url", "'url' must be one of \(known).", cursor)
          }
        } else if member.equals("body"), body == nil {
          guard try cursor.peek() == .object else {
            throw refuse(.invalidType, "body", "'body' must be an object.", cursor)
          }
          let start = cursor.position
          try cursor.skipValue()
          body = ByteRange(start, cursor.position)
        } else {
          throw refuse(
            .unsupportedParameter, nil,
            "it has a member twice, or one that is none of custom_id, method, url and body.", cursor)
        }
      }
      try cursor.finish()
    }

    private mutating func text(_ name: String, _ cursor: inout JSONCursor) throws(JSONTextError) -> JSONString {
      guard try cursor.peek() == .string else {
        throw refuse(.invalidType, name, "'\(name)' must be a string.", cursor)
      }
      return try cursor.string()
    }

    private mutating func refuse(_ code: Refusal.Code, _ param: String?, _ message: String, _ cursor: JSONCursor)
      -> JSONTextError
    {
      fault = InferenceError(code, param: param, message: message)
      return JSONTextError(.stopped, at: cursor.position)
    }
  }
}

extension InferenceRoute {
  /// The routes whose requests can be the lines of a batch.
  public static let batched: [InferenceRoute] = [.chat, .completions, .embeddings, .responses]

  /// The `url` of a line of this route, and the `endpoint` of its batch.
  public var batchPath: String {
    switch self {
    case .chat: "/v1/chat/completions"
    case .completions: "/v1/completions"
    case .embeddings: "/v1/embeddings"
    case .responses: "/v1/responses"
    default: ""
    }
  }
}
