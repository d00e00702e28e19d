import Inference
import Synchronization

/// What a provider has for one model, by what is spoken there.
///
/// A route prefers its own wire, which passes bytes on as they are; else its requests are translated to one that exists.
package struct UpstreamTargets: Sendable {
  package var chat: UpstreamTarget?
  package var completions: UpstreamTarget?
  package var embeddings: UpstreamTarget?
  package var responses: UpstreamTarget?
  package var messages: MessagesTargets?
  package var gemini: PathTargets?
  package var converse: PathTargets?

  /// A wire whose path, not its body, says whether the answer is a stream.
  package struct PathTargets: Sendable {
    package let plain: UpstreamTarget
    package let stream: UpstreamTarget

    package init(plain: UpstreamTarget, stream: UpstreamTarget) {
      self.plain = plain
      self.stream = stream
    }

    func target(stream isStream: Bool) -> UpstreamTarget { isStream ? stream : plain }
  }

  package init() {}

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
    }
  }

  private var translated: ProviderWire? {
    messages != nil ? .messages : gemini != nil ? .gemini : converse != nil ? .converse : nil
  }
}

/// Anthropic's Messages at one provider: the headers differ by what the client asks for.
///
/// A target is the same object for the same headers, because connections and handles at rest are matched by it.
package final class MessagesTargets: Sendable {
  private let make: @Sendable ([String]) -> UpstreamTarget
  /// For requests that were translated, by the version of the provider's record.
  package let translated: UpstreamTarget
  /// Values of `anthropic-beta` that this provider does not take.
  private let allowsBeta: @Sendable (Substring) -> Bool
  /// Clients choose the values, so only so many are remembered.
  private let remembered = Mutex<[String: UpstreamTarget]>([:])
  private static let most = 64

  /// - Parameter make: Makes a target with these header lines beside the provider's own.
  package init(
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
    var dropped: [String] = []
    var carried = betas
    if !betas.isEmpty {
      let parts = betas.split(separator: ",").map { $0.drop { $0 == " " } }
      let kept = parts.filter { allowsBeta($0) }
      if kept.count != parts.count {
        dropped = parts.filter { !allowsBeta($0) }.map(String.init)
        carried = kept.joined(separator: ",")
      }
    }
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
