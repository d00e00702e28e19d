internal import JSONText

/// How fast, and for how much, a provider serves: what a request asks for and what an answer says, in the words of all
/// dialects.
public enum ServiceTier: Sendable, Equatable {
  /// The provider chooses: a request names none, or `auto`.
  case providers
  /// `default`; Anthropic's `standard`, asked for as `standard_only`.
  case usual
  case flex, priority, scale, fast
  /// A word that is none of these.
  case other

  /// Reads the content of `service_tier` in a request of OpenAI's dialects.
  init(asked name: UnsafeRawBufferPointer) {
    self = name.equals("auto") ? .providers : name.equals("default") ? .usual : Self.named(name) ?? .other
  }

  /// Reads the value of `service_tier` in an answer.
  /// - Parameter value: With its quotes.
  /// - Returns: Nil where it says nothing: null, no string, or `auto`.
  init?(answered value: UnsafeRawBufferPointer) {
    guard value.count > 2, value.first == 0x22 else { return nil }
    let name = ByteRange(1, value.count - 1).of(value)
    if name.equals("auto") { return nil }
    let isUsual = name.equals("default") || name.equals("standard") || name.equals("on_demand")
    self = isUsual ? .usual : Self.named(name) ?? .other
  }

  private static func named(_ name: UnsafeRawBufferPointer) -> ServiceTier? {
    if name.equals("flex") { return .flex }
    if name.equals("priority") { return .priority }
    if name.equals("scale") { return .scale }
    return name.equals("fast") ? .fast : nil
  }

  /// Whether a candidate needs a price for it beyond the usual one.
  public var needsPrice: Bool { self != .providers && self != .usual }
}
