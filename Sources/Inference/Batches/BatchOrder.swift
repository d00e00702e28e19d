public import JSONText

/// The body of `POST /v1/batches`: which file is to be worked on.
public struct BatchOrder: Sendable, Equatable {
  /// The content of `input_file_id`, in our words.
  public let file: ByteRange
  /// The content of `endpoint`.
  public let endpoint: ByteRange
  /// The client's labels; they are not carried.
  public let hasMetadata: Bool

  public init(_ body: UnsafeRawBufferPointer) throws(InferenceError) {
    var (file, endpoint): (ByteRange?, ByteRange?)
    var (hasWindow, hasMetadata) = (false, false)
    var fault: InferenceError?
    do throws(JSONTextError) {
      var cursor = try JSONCursor(body)
      func refuse(_ code: Refusal.Code, _ param: String?, _ message: String) -> JSONTextError {
        fault = InferenceError(code, param: param, message: message)
        return JSONTextError(.stopped, at: cursor.position)
      }
      guard try cursor.peek() == .object else { throw refuse(.invalidType, nil, "The body must be a JSON object.") }
      var walk = try cursor.enterObject()
      while let key = try cursor.nextMember(&walk) {
        let member = key.range.of(body)
        if member.equals("metadata"), !hasMetadata {
          hasMetadata = try cursor.peek() != .null
          try cursor.skipValue()
          continue
        }
        let name = ["input_file_id", "endpoint", "completion_window"].first { member.elementsEqual($0.utf8) }
        guard let name else {
          throw refuse(
            .unsupportedParameter, nil,
            "The body has a member that is none of input_file_id, endpoint, completion_window and metadata.")
        }
        guard try cursor.peek() == .string else { throw refuse(.invalidType, name, "'\(name)' must be a string.") }
        let text = try cursor.string().range
        switch name {
        case "input_file_id" where file == nil: file = text
        case "endpoint" where endpoint == nil: endpoint = text
        case "completion_window" where !hasWindow:
          guard text.of(body).equals("24h") else { throw refuse(.invalidValue, name, "'\(name)' must be '24h'.") }
          hasWindow = true
        default: throw refuse(.invalidValue, name, "'\(name)' stands more than once.")
        }
      }
      try cursor.finish()
    } catch {
      throw fault
        ?? InferenceError(
          .invalidJSON, message: "The body is not acceptable JSON: \(error.explanation) (byte \(error.offset)).",
          detail: error.code.rawValue)
    }
    guard let file else { throw Self.missing("input_file_id") }
    guard let endpoint else { throw Self.missing("endpoint") }
    guard hasWindow else { throw Self.missing("completion_window") }
    (self.file, self.endpoint, self.hasMetadata) = (file, endpoint, hasMetadata)
  }

  private static func missing(_ name: String) -> InferenceError {
    InferenceError(.missingRequiredParameter, param: name, message: "'\(name)' is missing.")
  }

  /// Appends what the provider is told.
  /// - Parameter file: The provider's own id.
  public static func append(file: String, route: InferenceRoute, to out: ByteArena) {
    out.append("{\"input_file_id\":")
    JSONEscape.appendQuoted(file, to: out)
    out.append(",\"endpoint\":")
    JSONEscape.appendQuoted(route.batchPath, to: out)
    out.append(",\"completion_window\":\"24h\"}")
  }
}
