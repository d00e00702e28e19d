public import Inference
import Synchronization

/// What a provider has for one model, by what is spoken there.
///
/// A route prefers its own wire, which passes bytes on as they are; else its requests are translated to one that exists.
public struct UpstreamTargets: Sendable {
  public var chat: UpstreamTarget?
  public var completions: UpstreamTarget?
  public var embeddings: UpstreamTarget?
  public var responses: UpstreamTarget?
  public var messages: MessagesTargets?
  public var gemini: PathTargets?
  public var converse: PathTargets?
  public var further: FurtherTargets?
  public var batches: BatchTargets?

  /// A wire whose path, not its body, says whether the answer is a stream.
  public struct PathTargets: Sendable {
    public let plain: UpstreamTarget
    public let stream: UpstreamTarget

    public init(plain: UpstreamTarget, stream: UpstreamTarget) {
      self.plain = plain
      self.stream = stream
    }

    func target(stream isStream: Bool) -> UpstreamTarget { isStream ? stream : plain }
  }

  public init() {}

  /// The wire that a request of this route is sent on; nil: this provider cannot serve it.
  func wire(for route: InferenceRoute) -> ProviderWire? {
    switch route {
    case .chat: chat != nil ? .chat : translated
    case .responses: responses != nil ? .responses : chat != nil ? .chat : translated
    case .messages: messages != nil ? .messages : chat != nil ? .chat : translated
    case .completions: completions == nil ? nil : .completions
    case .embeddings: embeddings == nil ? nil : .embeddings
    // Counted here, whatever the provider.
    case .countTokens: chat != nil ? .chat : translated
    case .moderations, .rerank, .images, .speech, .transcriptions, .translations:
      route.ownWire.flatMap { further?[$0] == nil ? nil : $0 }
    }
  }

  private var translated: ProviderWire? {
    messages != nil ? .messages : gemini != nil ? .gemini : converse != nil ? .converse : nil
  }
}

/// What a provider has for a model that is there for routes which are no conversation.
public final class FurtherTargets: Sendable {
  private let targets: [ProviderWire: UpstreamTarget]

  public init(_ targets: [ProviderWire: UpstreamTarget]) { self.targets = targets }

  public subscript(wire: ProviderWire) -> UpstreamTarget? { targets[wire] }
}

/// Files of requests at a provider that takes them as OpenAI does.
public final class BatchTargets: Sendable {
  private let make: @Sendable (UpstreamTarget.Method, String, Bool) -> UpstreamTarget
  let files: UpstreamTarget
  let batches: UpstreamTarget

  /// - Parameter make: Makes a target for a method and a path; whether it takes a form.
  public init(make: @escaping @Sendable (UpstreamTarget.Method, String, Bool) -> UpstreamTarget) {
    self.make = make
    files = make(.post, "/files", true)
    batches = make(.post, "/batches", false)
  }

  // A provider's names are of letters, digits, dashes and underscores: they were read so.
  func deleting(file: String) -> UpstreamTarget { make(.delete, "/files/\(file)", false) }
  func content(of file: String) -> UpstreamTarget { make(.get, "/files/\(file)/content", false) }
  func look(at batch: String) -> UpstreamTarget { make(.get, "/batches/\(batch)", false) }
  func cancelling(_ batch: String) -> UpstreamTarget { make(.post, "/batches/\(batch)/cancel", false) }
}

/// Anthropic's Messages at one provider: the headers differ by what the client asks for.
///
/// A target is the same object for the same headers, because connections and handles at rest are matched by it.
public final class MessagesTargets: Sendable {
  private let make: @Sendable ([String]) -> UpstreamTarget
  /// For requests that were translated, by the version of the provider's record.
  public let translated: UpstreamTarget
  /// Values of `anthropic-beta` that this provider does not take.
  private let allowsBeta: @Sendable (Substring) -> Bool
  /// Clients choose the values, so only so many are remembered.
  private let remembered = Mutex<[String: UpstreamTarget]>([:])
  private static let most = 64

  /// - Parameter make: Makes a target with these header lines beside the provider's own.
  public init(
    version: String, allowsBeta: @escaping @Sendable (Substring) -> Bool = { _ in true },
    make: @escaping @Sendable ([String]) -> UpstreamTarget
  ) {
    self.make = make
    self.allowsBeta = allowsBeta
    translated = make(["anthropic-version: \(version)"])
  }

  /// - Parameters:
  ///   - version: As the client sent it, and known.
  ///   - betas: The client's `anthropic-beta`: printable ASCII.
  /// - Returns: The target, and the betas that it does not carry.
  func target(version: String, betas: String) -> (target: UpstreamTarget, dropped: [String]) {
    let parts = betas.split(separator: ",").map { $0.drop { $0 == " " } }
    let kept = parts.filter { Beta.isName($0) && !Beta.isPriced($0) && allowsBeta($0) }
    // What is no name may be anything, and is not repeated.
    let dropped = parts.filter { !kept.contains($0) }.map {
      Beta.isName($0) ? "anthropic-beta:\($0)" : "anthropic-beta"
    }
    let carried = kept.count == parts.count ? betas : kept.joined(separator: ",")
    let key = "\(version)\n\(carried)"
    let target = remembered.withLock { known in
      if let target = known[key] { return target }
      if known.count >= Self.most { known.removeAll(keepingCapacity: true) }
      let made = make(
        ["anthropic-version: \(version)"] + (carried.isEmpty ? [] : ["anthropic-beta: \(carried)"]))
      known[key] = made
      return made
    }
    return (target, dropped)
  }
}

/// A value of `anthropic-beta`: `fine-grained-tool-streaming-2025-05-14`.
///
/// The header travels beside the body, where nothing is looked for, so nothing but such names may stand in it.
enum Beta {
  /// Lower case letters, digits and dashes, with a date at the end.
  static func isName(_ text: Substring) -> Bool {
    let bytes = Array(text.utf8)
    guard (12...64).contains(bytes.count) else { return false }
    let date = bytes.suffix(11)
    for (offset, byte) in date.enumerated() {
      guard [0, 5, 8].contains(offset) ? byte == 0x2D : (0x30...0x39).contains(byte) else { return false }
    }
    // Letters and single dashes in front, and no long number: that is somebody's.
    var digits = 0
    for byte in bytes.dropLast(11) {
      guard byte == 0x2D || (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) else { return false }
      digits = (0x30...0x39).contains(byte) ? digits + 1 : 0
      guard digits < 9 else { return false }
    }
    return true
  }

  /// Changes what a token costs, and no price table names it.
  static func isPriced(_ text: Substring) -> Bool { text.hasPrefix("context-1m-") || text.hasPrefix("fast-mode-") }
}
