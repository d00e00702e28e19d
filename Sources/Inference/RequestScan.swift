public import JSONText

/// What one scan of a request's body found: the members that policy depends on, and every text that may leave.
///
/// One per event loop or exchange, used again and again in its place: its arrays keep their capacity. A value, not an
/// object, so that the walk needs no check of exclusivity at run time. All positions are offsets into the body that was
/// scanned; the body itself is not kept.
public final class RequestScan {
  public private(set) var route = InferenceRoute.chat

  // What is asked for
  /// The content of `model`, unescaped nowhere: at most 256 bytes, no escapes, no control characters.
  public internal(set) var model = ByteRange(0, 0)
  public internal(set) var stream = false
  /// The client's own `stream_options.include_usage`.
  public internal(set) var includeUsage = false
  /// How many answers are generated: the larger of `n` and `best_of`, 1 … 128; of completions that for each prompt.
  public internal(set) var n: Int64 = 1
  /// The client's token limit, the smaller one if both members are there.
  public internal(set) var maxTokens: Int64?
  /// The member that holds ``maxTokens``.
  public internal(set) var maxTokensField = TokenLimitField.maxCompletionTokens
  public internal(set) var maxTokensRange: ByteRange?
  public internal(set) var features: RequestFeatures = []
  /// The content of `service_tier`, if it is a string.
  public internal(set) var serviceTier: ByteRange?
  /// What it asks for.
  public internal(set) var tier = ServiceTier.providers
  /// The type of the first hosted tool, for the refusal's text.
  public internal(set) var hostedTool: ByteRange?

  // Who is meant: contents of strings, which are not among the segments because they never travel
  public internal(set) var user: ByteRange?
  public internal(set) var safetyIdentifier: ByteRange?
  public internal(set) var metadataUserID: ByteRange?
  public internal(set) var metadata: ByteRange?

  /// What a conversation is known by from turn to turn: its cache key, else the first text of its first user message.
  public var conversation: ByteRange? { cacheKey ?? firstUserText }
  var cacheKey: ByteRange?
  var firstUserText: ByteRange?

  // What is said
  public internal(set) var segments: [TextSegment] = []
  public internal(set) var messageCount = 0
  public internal(set) var images = 0
  public internal(set) var audios = 0
  public internal(set) var files = 0
  /// Bytes of media that stand in the body as base64; they are neither segments nor part of ``textBytes``.
  public internal(set) var mediaBytes = 0
  /// Bytes of everything that an upstream may turn into tokens, each string unescaped, names and syntax of tools
  /// included. Never below the true count.
  public internal(set) var textBytes = 0
  /// Bytes of prompts that the answer repeats (`echo` of completions): they are not the model's.
  public internal(set) var echoBytes = 0
  /// Numbers in a token array (`embeddings` input, `prompt` of completions).
  public internal(set) var tokenCount = 0
  public internal(set) var inputItems = 0
  /// Bytes of the question that documents are ranked by.
  public internal(set) var queryBytes = 0
  /// Of what is to be spoken, and what the sound is to be.
  public internal(set) var spokenCharacters = 0
  public internal(set) var soundFormat = SoundFormat.mp3
  /// Sound that is to be written down: of what kind, how large, how long where it says so itself, and written how.
  public internal(set) var soundFile = SoundFile.mp3
  public internal(set) var soundBytes = 0
  public internal(set) var soundSeconds: Int64?
  public internal(set) var transcriptFormat = TranscriptFormat.json
  /// `encoding_format: base64` (embeddings), which openai-python asks for by itself.
  public internal(set) var wantsBase64 = false
  /// What the newer `anthropic-version` refuses in this body, if anything; see ``versionFault(_:)``.
  var newerVersionFault: (param: String, reason: StaticString)?
  /// Whether a turn holds a thought of Anthropic's form that nothing proves; see ``removeUnsignedThoughts(_:_:)``.
  var hasUnsignedThoughts = false

  // For edits
  var members: [MemberExtent] = []
  var places = MemberPlaces()
  var formParts: [FormPart] = []
  var formTail = ByteRange(0, 0)
  /// Where a member can be inserted: right behind the last one.
  public internal(set) var insertionPoint = 0

  // While scanning
  var body = UnsafeRawBufferPointer(start: nil, count: 0)
  var group: Int32 = 0
  var refusal: InferenceError?
  /// There were more than ``segments`` may hold: not all of them are there.
  var hasTooManyTexts = false

  public init() {}

  /// Scans a body, which is valid and unambiguous where this returns.
  /// - Parameter boundary: Of a form, where the route takes one.
  /// - Throws: ``InferenceError`` with `invalid_json`, `missing_required_parameter`, `invalid_type` or `invalid_value`.
  public func scan(_ body: UnsafeRawBufferPointer, route: InferenceRoute, boundary: [UInt8] = [])
    throws(InferenceError)
  {
    reset()
    self.route = route
    guard !route.takesForm else { return try scanForm(body, boundary: boundary) }
    self.body = body
    defer { self.body = UnsafeRawBufferPointer(start: nil, count: 0) }
    do throws(JSONTextError) {
      var cursor = try JSONCursor(body)
      guard try cursor.peek() == .object else {
        throw refuse(.invalidType, nil, "The body must be a JSON object.", at: cursor)
      }
      switch route {
      case .chat: try scanChat(&cursor)
      case .completions: try scanCompletions(&cursor)
      case .embeddings: try scanEmbeddings(&cursor)
      case .responses: try scanResponses(&cursor)
      case .messages, .countTokens: try scanMessages(&cursor)
      case .moderations, .rerank, .images, .speech, .transcriptions, .translations: try scanFurther(&cursor)
      }
      try cursor.finish()
      if hasTooManyTexts { throw JSONTextError(.tooManyTexts, at: cursor.position) }
    } catch {
      if let refusal { throw refusal }
      throw InferenceError(
        .invalidJSON, message: "The body is not acceptable JSON: \(error.explanation) (byte \(error.offset)).",
        detail: error.code.rawValue)
    }
  }

  /// Forgets the last body and stands for a request of this route in which nothing was asked for beyond it.
  public func begin(_ route: InferenceRoute) {
    reset()
    self.route = route
  }

  private func reset() {
    model = ByteRange(0, 0)
    (stream, includeUsage, n, maxTokens) = (false, false, 1, nil)
    (maxTokensField, maxTokensRange) = (.maxCompletionTokens, nil)
    (features, serviceTier, tier, hostedTool) = ([], nil, .providers, nil)
    (user, safetyIdentifier, metadataUserID, metadata) = (nil, nil, nil, nil)
    segments.removeAll(keepingCapacity: segments.capacity <= 16_384)
    if segments.capacity < 16 { segments.reserveCapacity(16) }
    (messageCount, images, audios, files, mediaBytes) = (0, 0, 0, 0, 0)
    (textBytes, echoBytes, tokenCount, inputItems, wantsBase64) = (0, 0, 0, 0, false)
    (newerVersionFault, hasUnsignedThoughts) = (nil, false)
    (queryBytes, spokenCharacters, soundFormat) = (0, 0, .mp3)
    (soundFile, soundBytes, soundSeconds, transcriptFormat) = (.mp3, 0, nil, .json)
    if !formParts.isEmpty { formParts.removeAll() }
    (cacheKey, firstUserText) = (nil, nil)
    members.removeAll(keepingCapacity: members.capacity <= 1024)
    places = MemberPlaces()
    (insertionPoint, group, refusal, hasTooManyTexts) = (0, 0, nil, false)
  }

  /// Gives back the memory of what is known of single texts and members: no body is written of this request any more.
  public func release() {
    segments = []
    members = []
    formParts = []
  }

  /// The request is over: gives back memory beyond what most requests take. Many scans are kept for later requests.
  public func trim() {
    if segments.capacity > 1024 { segments = [] }
    if members.capacity > 256 { members = [] }
    if !formParts.isEmpty { formParts = [] }
  }

  /// The model's name, as the client wrote it.
  public func modelName(in body: UnsafeRawBufferPointer) -> String {
    String(decoding: model.of(body), as: UTF8.self)
  }

  /// A user's message has been read whose segments begin at this place.
  func noteUserMessage(from place: Int) {
    guard firstUserText == nil, place < segments.count else { return }
    firstUserText = segments[place...].first { !$0.isIdentifier }.map { ByteRange($0.start, $0.end) }
  }

  /// Reads `prompt_cache_key`.
  func cacheKey(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .string else { return try free(&cursor) }
    let text = try cursor.string()
    if !text.isEmpty { cacheKey = text.range }
    addText(text, isIdentifier: true)
  }

  public var hasTools: Bool { features.contains(.tools) }
  public var isTokenArray: Bool { features.contains(.tokenArray) }
  public var hasHostedTool: Bool { features.contains(.hostedTool) }

  /// Notes why the body is refused and gives the error that ends the walk.
  func refuse(_ code: Refusal.Code, _ param: String?, _ message: String, at cursor: JSONCursor)
    -> JSONTextError
  {
    refusal = InferenceError(code, param: param, message: message)
    return JSONTextError(.stopped, at: cursor.position)
  }

  func wrongType(_ param: String, _ wanted: String, at cursor: JSONCursor) -> JSONTextError {
    refuse(.invalidType, param, "'\(param)' must be \(wanted).", at: cursor)
  }
}

/// What a request uses beyond text in and text out; most is refused until policy and price table name it.
public struct RequestFeatures: OptionSet, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Function or custom tools, which the client runs.
  public static let tools = RequestFeatures(rawValue: 1 << 0)
  /// Tools that the provider runs (`web_search_options`, `mcp_servers` or a tool of another type).
  public static let hostedTool = RequestFeatures(rawValue: 1 << 1)
  public static let audioOutput = RequestFeatures(rawValue: 1 << 2)
  /// A `service_tier` that no price table can name, and whatever else changes the price: Anthropic's `speed`,
  /// `inference_geo` and `fallbacks`.
  public static let pricedTier = RequestFeatures(rawValue: 1 << 3)
  /// A file, audio or container that lies with the provider and is named by its id.
  public static let remoteFile = RequestFeatures(rawValue: 1 << 4)
  /// An image or document by URL, which the provider would fetch.
  public static let remoteMedia = RequestFeatures(rawValue: 1 << 5)
  /// Media in the body.
  public static let binary = RequestFeatures(rawValue: 1 << 6)
  /// Tokens instead of text: cannot be redacted.
  public static let tokenArray = RequestFeatures(rawValue: 1 << 7)
  /// `store: true`.
  public static let store = RequestFeatures(rawValue: 1 << 8)
  public static let background = RequestFeatures(rawValue: 1 << 9)
  /// An answer that follows a JSON schema (`response_format`).
  public static let jsonSchema = RequestFeatures(rawValue: 1 << 24)
  /// A `reasoning_effort` other than `none`.
  public static let reasoning = RequestFeatures(rawValue: 1 << 25)
}

/// The member that limits the output.
public enum TokenLimitField: String, Sendable, CaseIterable {
  case maxTokens = "max_tokens"
  case maxCompletionTokens = "max_completion_tokens"
}

/// Where a member of the body's object lies.
struct MemberExtent {
  /// The opening quote of its name.
  var nameStart: Int
  var valueStart: Int
  var valueEnd: Int
}

/// Indexes into ``RequestScan/members`` of those that are edited; -1 where there is none.
struct MemberPlaces {
  var model = -1
  var streamOptions = -1
  /// The value of `stream_options.include_usage`.
  var includeUsage: ByteRange?
  var streamOptionsIsObject = false
  var streamOptionsIsEmpty = true
  var maxTokens = -1
  var maxCompletionTokens = -1
  var maxOutputTokens = -1
  var user = -1
  var safetyIdentifier = -1
  var metadata = -1
  /// Whether an Anthropic `metadata` holds more than `user_id`.
  var metadataHasMore = false
  var store = -1
  /// Whether `store` says false, and not null.
  var isStoreFalse = false
}
