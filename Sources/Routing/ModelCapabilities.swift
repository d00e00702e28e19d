/// What a model takes and does beyond text in and text out; also what a request needs of it.
package struct ModelCapabilities: OptionSet, Hashable, Sendable {
  package let rawValue: UInt16
  package init(rawValue: UInt16) { self.rawValue = rawValue }

  package static let images = ModelCapabilities(rawValue: 1 << 0)
  package static let audio = ModelCapabilities(rawValue: 1 << 1)
  package static let files = ModelCapabilities(rawValue: 1 << 2)
  package static let tools = ModelCapabilities(rawValue: 1 << 3)
  package static let jsonSchema = ModelCapabilities(rawValue: 1 << 4)
  package static let reasoning = ModelCapabilities(rawValue: 1 << 5)
  // Routes of their own.
  package static let moderation = ModelCapabilities(rawValue: 1 << 6)
  package static let rerank = ModelCapabilities(rawValue: 1 << 7)
  package static let imageGeneration = ModelCapabilities(rawValue: 1 << 8)
  package static let speech = ModelCapabilities(rawValue: 1 << 9)
  package static let transcription = ModelCapabilities(rawValue: 1 << 10)
  package static let translation = ModelCapabilities(rawValue: 1 << 11)

  /// Those that stand for a route: a model that has one is there for such routes alone, and a model whose record does not
  /// name it is never asked.
  package static let routes: ModelCapabilities = [
    .moderation, .rerank, .imageGeneration, .speech, .transcription, .translation,
  ]

  /// Each with its name in the register, in the order of the list above.
  package static let names: [(name: String, capability: ModelCapabilities)] = [
    ("images", .images), ("audio", .audio), ("files", .files), ("tools", .tools), ("json-schema", .jsonSchema),
    ("reasoning", .reasoning), ("moderation", .moderation), ("rerank", .rerank),
    ("image-generation", .imageGeneration), ("speech", .speech),
    ("transcription", .transcription), ("translation", .translation),
  ]

  /// Nil for a word that is none.
  package init?(name: String) {
    guard let found = Self.names.first(where: { $0.name == name }) else { return nil }
    self = found.capability
  }

  package var nameList: [String] { Self.names.filter { contains($0.capability) }.map(\.name) }
}

/// Whether any of an alias's candidates can do what a request needs, told candidate by candidate.
package struct CapabilityCheck: Sendable {
  package let needed: ModelCapabilities
  private var isFit = false
  private var lacking: ModelCapabilities?
  private var anyLack: ModelCapabilities = []

  package init(needed: ModelCapabilities) { self.needed = needed }

  /// Whether this model can; what it lacks is noted.
  @inline(__always)
  package mutating func admits(_ model: Model) -> Bool {
    let missing = model.missing(of: needed)
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
  package var refused: ModelCapabilities? {
    guard !isFit, let lacking else { return nil }
    return lacking.isEmpty ? anyLack : lacking
  }
}
