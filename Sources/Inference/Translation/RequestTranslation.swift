public import JSONText

/// Writes a request of one dialect in another (`api.md` section 11): nothing is lost in silence.
///
/// A hub: three readers make a ``Conversation`` of ranges into the body, four writers splice them into the target.
public enum RequestTranslation {
  /// What of the target is known beside the request.
  public struct Target: Sendable {
    public var wire: ProviderWire
    /// The candidate's name of the model.
    public var model: String
    /// The limit that the reservation assumed; written always.
    public var maxTokens: Int64
    public var maxTokensField: TokenLimitField
    public var includeUsage: Bool
    /// Stands for the person; nil: nobody is named.
    public var userHash: [UInt8]?
    /// Members of the target's body that the provider refuses: left out and named. One inside of `output_config`,
    /// `outputConfig` or `generationConfig` is written with a dot.
    public var deniedFields: [String]
    /// Whether Claude is asked in a version that refuses temperature, top_p and top_k (2026-10-21).
    public var anthropicDropsSampling: Bool

    public init(
      wire: ProviderWire, model: String, maxTokens: Int64, maxTokensField: TokenLimitField = .maxCompletionTokens,
      includeUsage: Bool = true, userHash: [UInt8]? = nil, deniedFields: [String] = [],
      anthropicDropsSampling: Bool = false
    ) {
      self.wire = wire
      self.model = model
      self.maxTokens = maxTokens
      self.maxTokensField = maxTokensField
      self.includeUsage = includeUsage
      self.userHash = userHash
      self.deniedFields = deniedFields
      self.anthropicDropsSampling = anthropicDropsSampling
    }
  }

  /// - Parameters:
  ///   - body: Of a route that ``RequestScan`` has accepted; redacted since.
  ///   - out: Gets the target's body.
  /// - Returns: The paths of what was not carried, for `x-torhaus-dropped`: in the source's words, safe for a header.
  /// - Throws: ``InferenceError`` where the target has no form for what the request cannot do without; `out` is then as
  ///   it was.
  public static func translate(
    _ body: UnsafeRawBufferPointer, of route: InferenceRoute, to target: Target, into out: ByteArena
  ) throws(InferenceError) -> [String] {
    let source: Conversation.Source
    switch route {
    case .chat: source = .chat
    case .responses: source = .responses
    case .messages, .countTokens: source = .messages
    default: throw noForm
    }
    guard target.wire != route.ownWire, route != .countTokens || target.wire != .messages else { throw noForm }
    let takes = TargetAbilities(target)
    var reader = try ConversationReader(body, of: source, for: takes)
    try reader.read()
    var writer = ConversationWriter(reader, to: target, into: out)
    let began = out.count
    out.reserve(body.count + body.count / 8 + 256)
    do throws(InferenceError) {
      try writer.write()
    } catch {
      out.truncate(to: began)
      throw error
    }
    return writer.dropped.all
  }

  static let noForm = InferenceError(
    .unsupportedParameter, param: "model",
    message: "This model cannot be asked in this dialect: use its own route, or another model.")
}
