internal import JSONText

/// A request between two dialects: what is said and asked for, as ranges of the source's body. Raw contents of strings
/// and whole subtrees are spliced into the target, never decoded and encoded again.
///
/// Not copyable: a copy counts up the references of a dozen arrays, which takes longer than reading a message.
struct Conversation: ~Copyable {
  enum Source: Sendable { case chat, responses, messages }

  let source: Source
  /// Texts in front of the first turn that are the system's.
  var systems: [SystemText] = []
  var turns: [Turn] = []
  var blocks: [Block] = []
  var tools: [Tool] = []
  var toolsPath = "tools"
  var choice = ToolChoice.unset
  var choicePath = "tool_choice"
  /// Names of tools that ``ToolChoice`` allows; empty: all.
  var allowed: [ByteRange] = []
  var parallelCalls: Bool?
  var format = OutputFormat.text
  var thinking = Thinking()
  var temperature: ByteRange?
  var topP: ByteRange?
  /// Anthropic's limit of the answer, which its thinking budget must stay below.
  var maxTokens: Int64?
  var topK: ByteRange?
  var seed: ByteRange?
  var frequencyPenalty: ByteRange?
  var presencePenalty: ByteRange?
  var stops: [Stop] = []
  var stream = false
  var includesObfuscation: ByteRange?
  var answers: Int64 = 1
  /// The source names a person, in these members.
  var persons: [StaticString] = []
  /// Members that have the same name and form in the target, name and value.
  var carried: [(name: ByteRange, value: ByteRange)] = []
  /// Whether an earlier turn calls a tool.
  var hasCalls = false
  /// Whether a turn of the user's brings a result.
  var hasResults = false

  /// - Parameter bytes: Of the body: a guess at how much is said in it.
  init(of source: Source, bytes: Int) {
    self.source = source
    let pieces = 8 + min(bytes / 192, 1024)
    turns.reserveCapacity(pieces)
    blocks.reserveCapacity(pieces)
  }
}

struct SystemText {
  var text: ByteRange
  /// The value of its `cache_control`; empty if there is none.
  var cache = ByteRange(0, 0)
  var place: Place
}

struct Stop {
  var text: ByteRange
  var place: String
}

struct Turn {
  enum Role: UInt8, Sendable {
    case user, assistant
    /// Behind the first turn.
    case system
  }
  var role: Role
  /// Its blocks in ``Conversation/blocks``.
  var first: Int
  var end: Int
  var place: Place
}

/// A piece of a turn. What stands inside of a tool's result follows its block: ``inner`` blocks.
struct Block {
  enum Kind: UInt8, Sendable { case text, image, document, audio, call, result, thinking, redactedThinking }
  enum Form: UInt8, Sendable {
    /// Arguments as JSON in a string; media as base64.
    case string
    /// Arguments as an object.
    case object
    /// The free text of a custom tool.
    case custom
    /// Media by their address.
    case url
  }

  var kind: Kind
  var form = Form.string
  var media = MediaType.unknown
  var isError = false
  /// Whether the signature came out of the call's id, so that it is written in base64url.
  var isSealed = false
  var inner = 0
  /// Number of a call that has no id of its own; 0: it has one.
  var madeID = 0
  /// Text, payload, address, arguments or thought: the raw content of a string, or an object.
  @ShortRange var text: ByteRange
  /// The tool's name; the file's.
  @ShortRange var name: ByteRange
  /// The raw media type where ``media`` is unknown; may be empty.
  @ShortRange var type: ByteRange
  /// Of a call, also in its result; without a signature that was sealed into it.
  @ShortRange var id: ByteRange
  /// Of a thought: Anthropic's, or Gemini's on a call.
  @ShortRange var signature: ByteRange
  /// The value of `cache_control`; empty if there is none.
  @ShortRange var cache: ByteRange
  /// The value of an image's `detail`, with its quotes; empty if there is none.
  @ShortRange var detail: ByteRange
  /// A document's title and context, raw contents.
  @ShortRange var context: ByteRange
  var place: Place

  @inline(__always)
  init(_ kind: Kind, _ text: ByteRange = ByteRange(0, 0), cache: ByteRange = ByteRange(0, 0), at place: Place) {
    self.kind = kind
    self.place = place
    self.text = text
    self.cache = cache
  }
}

/// A ``ByteRange`` in half of its size, because each piece of a conversation keeps many, most of them empty.
///
/// Only for bodies of less than ``most`` bytes.
@propertyWrapper
struct ShortRange {
  static let most = Int(UInt32.max)
  private var start: UInt32 = 0
  private var end: UInt32 = 0

  var wrappedValue: ByteRange {
    get { ByteRange(Int(start), Int(end)) }
    set {
      start = UInt32(clamping: newValue.start)
      end = UInt32(clamping: newValue.end)
    }
  }
}

struct Tool {
  var name: ByteRange
  var description = ByteRange(0, 0)
  /// The schema's object; empty if there is none.
  var schema = ByteRange(0, 0)
  var strict: Bool?
  /// Whether the schema's own object names a type, which some targets want.
  var isTyped = false
  /// Whether the schema's own object says `"additionalProperties": false`.
  var isClosed = false
  var cache = ByteRange(0, 0)
  /// Of OpenAI's type `custom`, which takes free text instead of a schema.
  var isCustom = false
  /// The grammar of that text, values with their quotes; empty if there is none.
  var syntax = ByteRange(0, 0)
  var definition = ByteRange(0, 0)
  var place: Place
}

enum ToolChoice: Equatable {
  case unset, none, auto, required
  case tool(ByteRange, isCustom: Bool)
  /// Of ``Conversation/allowed`` only.
  case allowed(required: Bool)
}

enum OutputFormat {
  case text
  case json
  case schema(Schema)

  struct Schema {
    /// Raw contents; empty if there are none.
    var name = ByteRange(0, 0)
    var description = ByteRange(0, 0)
    var schema = ByteRange(0, 0)
    /// The value of `strict`; nil if there is none.
    var strict: Bool?
    var place: Place
  }
}

/// How much the model is to think.
struct Thinking {
  enum Effort: String, CaseIterable, Sendable { case none, minimal, low, medium, high, xhigh, max }
  enum Mode: Sendable { case unset, disabled, adaptive, budget }

  var mode = Mode.unset
  var effort: Effort?
  var budget: Int64 = 0
  /// Where the budget stands.
  var budgetRange = ByteRange(0, 0)
  /// Whether the client wants to read the thoughts or their summary.
  var wantsText = false
  /// Where the effort stands.
  var effortPath = ""
  /// Anthropic's `thinking`, whole; empty if there is none.
  var whole = ByteRange(0, 0)
}
