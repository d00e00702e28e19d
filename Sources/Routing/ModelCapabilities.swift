/// What a model takes and does beyond text in and text out; also what a request needs of it.
public struct ModelCapabilities: OptionSet, Hashable, Sendable {
  public let rawValue: UInt16
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  public static let images = ModelCapabilities(rawValue: 1 << 0)
  public static let audio = ModelCapabilities(rawValue: 1 << 1)
  public static let files = ModelCapabilities(rawValue: 1 << 2)
  public static let tools = ModelCapabilities(rawValue: 1 << 3)
  public static let jsonSchema = ModelCapabilities(rawValue: 1 << 4)
  public static let reasoning = ModelCapabilities(rawValue: 1 << 5)
  // Routes of their own.
  public static let moderation = ModelCapabilities(rawValue: 1 << 6)
  public static let rerank = ModelCapabilities(rawValue: 1 << 7)
  public static let imageGeneration = ModelCapabilities(rawValue: 1 << 8)
  public static let speech = ModelCapabilities(rawValue: 1 << 9)
  public static let transcription = ModelCapabilities(rawValue: 1 << 10)
  public static let translation = ModelCapabilities(rawValue: 1 << 11)
  /// Its provider works on files of requests for it.
  public static let batch = ModelCapabilities(rawValue: 1 << 12)

  /// All that a model can do which talks.
  public static let conversation: ModelCapabilities = [
    .images, .audio, .files, .tools, .jsonSchema, .reasoning, .batch,
  ]

  /// Those that stand for a route: a model that has one is there for such routes alone, and a model whose record does not
  /// name it is never asked.
  public static let routes: ModelCapabilities = [
    .moderation, .rerank, .imageGeneration, .speech, .transcription, .translation,
  ]

  /// What a model cannot do unless its record says so.
  public static let named = routes.union(.batch)

  /// Each with its name in the register, in the order of the list above.
  public static let names: [(name: String, capability: ModelCapabilities)] = [
    ("images", .images), ("audio", .audio), ("files", .files), ("tools", .tools), ("json-schema", .jsonSchema),
    ("reasoning", .reasoning), ("moderation", .moderation), ("rerank", .rerank),
    ("image-generation", .imageGeneration), ("speech", .speech),
    ("transcription", .transcription), ("translation", .translation),
    ("batch", .batch),
  ]

  /// Nil for a word that is none.
  public init?(name: String) {
    guard let found = Self.names.first(where: { $0.name == name }) else { return nil }
    self = found.capability
  }

  public var nameList: [String] { Self.names.filter { contains($0.capability) }.map(\.name) }
}

/// Whether any of an alias's candidates can do what a request needs, told candidate by candidate.
public struct CapabilityCheck: Sendable {
  public let needed: ModelCapabilities
  private var isFit = false
  private var lacking: ModelCapabilities?
  private var anyLack: ModelCapabilities = []

  public init(needed: ModelCapabilities) { self.needed = needed }

  /// Whether a model can; what it lacks is noted. Asks for its capabilities alone: with every request, a call with all of
  /// the model would be given a copy.
  public mutating func admits(capabilities: ModelCapabilities?) -> Bool {
    let missing = Model.missing(of: needed, among: capabilities)
    guard !missing.isEmpty else {
      isFit = true
      return true
    }
    lacking = lacking.map { $0.intersection(missing) } ?? missing
    anyLack.formUnion(missing)
    return false
  }

  /// What no candidate can do; where each can do something, but none can do all: what at least one cannot. Nil as long
  /// as nobody was refused, or somebody can do it all.
  public var refused: ModelCapabilities? {
    guard !isFit, let lacking else { return nil }
    return lacking.isEmpty ? anyLack : lacking
  }
}
