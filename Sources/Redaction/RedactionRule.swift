/// What happens to a finding, from weak to strong. ``surrogate`` compares as ``pseudonymise`` does in strength order.
public enum RedactionAction: Int, Comparable, Sendable, CaseIterable {
  /// Counted, left as it is.
  case flag
  /// Replaced by a placeholder that is restored in the answer.
  case pseudonymise
  /// Replaced by a plausible value that is restored in the answer.
  case surrogate
  /// Replaced by `[TYPE]`, never restored.
  case mask
  /// Replaced by a keyed hash that looks like a placeholder, never restored.
  case hash
  /// The request is refused.
  case block

  public var name: String {
    switch self {
    case .flag: "flag"
    case .pseudonymise: "pseudonymise"
    case .surrogate: "surrogate"
    case .mask: "mask"
    case .hash: "hash"
    case .block: "block"
    }
  }

  public init?(named name: String) {
    guard let action = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = action
  }

  public static func < (left: RedactionAction, right: RedactionAction) -> Bool { left.rawValue < right.rawValue }
}

/// How sure a finding is.
public enum FindingLevel: Int, Comparable, Sendable, CaseIterable {
  /// Its format alone.
  case possible
  /// Its checksum alone, or its format with a context word.
  case likely
  /// Its checksum with prefix or format; a tenant's list.
  case certain

  public static func < (left: FindingLevel, right: FindingLevel) -> Bool { left.rawValue < right.rawValue }
}

/// One rule of a profile: what it looks for, where, and what then happens.
public struct RedactionRule: Sendable {
  /// A tenant's pattern in RE2's syntax, with the name that its placeholders show.
  public struct Pattern: Sendable, Hashable {
    public let name: String
    public let regex: String
    public init(name: String, regex: String) {
      self.name = name
      self.regex = regex
    }
  }

  /// A tenant's list of words and phrases, with the name that its placeholders show.
  public struct List: Sendable {
    public let name: String
    public let entries: [String]
    public init(name: String, entries: [String]) {
      self.name = name
      self.entries = entries
    }
  }

  public enum Mode: Sendable { case apply, shadow }

  public struct Places: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    public static let input = Places(rawValue: 1)
    public static let output = Places(rawValue: 2)
  }

  public let id: String
  /// Types, groups already expanded.
  public let detect: [FindingType]
  public let patterns: [Pattern]
  public let lists: [List]
  /// Nil takes each type's own default (``RedactionRule/defaultAction(for:)``).
  public let action: RedactionAction?
  public let minimum: FindingLevel
  public let mode: Mode
  public let places: Places
  /// Says in words that secrets may come back; without it `pseudonymise` on a secret does not compile.
  public let reversibleSecrets: Bool

  public init(
    id: String, detect: [FindingType] = [], patterns: [Pattern] = [], lists: [List] = [],
    action: RedactionAction? = nil, minimum: FindingLevel = .likely, mode: Mode = .apply, places: Places = .input,
    reversibleSecrets: Bool = false
  ) {
    self.id = id
    self.detect = detect
    self.patterns = patterns
    self.lists = lists
    self.action = action
    self.minimum = minimum
    self.mode = mode
    self.places = places
    self.reversibleSecrets = reversibleSecrets
  }

  /// What happens to a type where its rule names no action.
  public static func defaultAction(for type: FindingType) -> RedactionAction {
    switch type.group {
    case .nationalIDs, .secrets: .mask
    default: type == .card ? .mask : .pseudonymise
    }
  }
}
