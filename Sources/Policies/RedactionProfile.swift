/// A redaction rule as plain values; the gateway compiles it.
public struct RedactionRuleSpec: Hashable, Sendable {
  public enum Side: String, Sendable, CaseIterable { case input, output }
  /// How sure a finding must be for the rule to act; `possible` acts on the most.
  public enum Level: String, Sendable, CaseIterable, Comparable {
    case possible, likely, certain
    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    public static func < (left: Level, right: Level) -> Bool { left.rank < right.rank }
  }
  /// Shadow: counted, not applied.
  public enum Mode: String, Sendable, CaseIterable { case enforce, shadow }
  /// Inside what the same value has the same placeholder, wide to narrow.
  public enum Reach: String, Sendable, CaseIterable, Comparable {
    case tenant, project, subject
    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    public static func < (left: Reach, right: Reach) -> Bool { left.rank < right.rank }
  }
  /// A pattern in RE2's syntax and the type name its findings have.
  public struct Pattern: Hashable, Sendable {
    public let name: String
    public let regex: String
    public init(name: String, regex: String) {
      self.name = name
      self.regex = regex
    }
  }

  public let id: String
  public let sides: Set<Side>
  /// Types and groups as written.
  public let detect: [String]
  public let patterns: [Pattern]
  /// Names of the tenant's lists.
  public let lists: [String]
  /// Nil: by type, ``RedactionTypes/usualAction(for:)``.
  public let action: RedactionAction?
  /// Nil: as the profile's settings have it.
  public let min: Level?
  public let mode: Mode
  public let scope: Reach
  /// Only requests for these aliases; nil: all.
  public let aliases: [String]?
  /// Only requests of these roles; nil: all.
  public let roles: [String]?

  public init(
    id: String, sides: Set<Side>, detect: [String] = [], patterns: [Pattern] = [], lists: [String] = [],
    action: RedactionAction? = nil, min: Level? = nil, mode: Mode = .enforce, scope: Reach = .tenant,
    aliases: [String]? = nil, roles: [String]? = nil
  ) {
    self.id = id
    self.sides = sides
    self.detect = detect
    self.patterns = patterns
    self.lists = lists
    self.action = action
    self.min = min
    self.mode = mode
    self.scope = scope
    self.aliases = aliases
    self.roles = roles
  }

  /// Types with groups expanded, each once, in the order written.
  public var types: [String] {
    var seen = Set<String>()
    return detect.flatMap { RedactionTypes.expand($0) ?? [] }.filter { seen.insert($0).inserted }
  }

  public func action(for type: String) -> RedactionAction { action ?? RedactionTypes.usualAction(for: type) }

  /// What is weaker here than there, by field name.
  func weakerFields(than other: RedactionRuleSpec) -> [String] {
    func narrows(_ mine: [String]?, _ theirs: [String]?) -> Bool {
      guard let mine else { return false }
      guard let theirs else { return true }
      return !Set(mine).isSuperset(of: theirs)
    }
    var weaker: [String] = []
    if !sides.isSuperset(of: other.sides) { weaker.append("where") }
    let types = Set(types)
    if !types.isSuperset(of: other.types) { weaker.append("detect") }
    if !Set(patterns).isSuperset(of: other.patterns) { weaker.append("patterns") }
    if !Set(lists).isSuperset(of: other.lists) { weaker.append("lists") }
    // A pattern or list has no usual action but pseudonymise.
    let named = other.types + (other.patterns.isEmpty && other.lists.isEmpty ? [] : [""])
    if named.contains(where: { action(for: $0).strength < other.action(for: $0).strength }) { weaker.append("action") }
    if let limit = other.min, min.map({ $0 > limit }) ?? true { weaker.append("min") }
    if other.min == nil, let min, min > .likely { weaker.append("min") }
    if other.mode == .enforce, mode == .shadow { weaker.append("mode") }
    if scope < other.scope { weaker.append("scope") }
    if narrows(aliases, other.aliases) { weaker.append("aliases") }
    if narrows(roles, other.roles) { weaker.append("roles") }
    return weaker
  }
}

/// Settings of a redaction profile.
public struct RedactionSettings: Hashable, Sendable {
  public enum Checksum: String, Sendable, CaseIterable { case strict, lenient }
  public enum Binary: String, Sendable, CaseIterable { case allow, block }
  public enum RestoreURLs: String, Sendable, CaseIterable {
    case asSent = "as-sent"
    case always
  }
  public enum Recogniser: String, Sendable, CaseIterable {
    case none
    case refuse
    case rulesOnly = "rules-only"
  }

  public var min = RedactionRuleSpec.Level.likely
  public var checksum = Checksum.strict
  public var binary = Binary.block
  public var restoreURLs = RestoreURLs.asSent
  public var recogniser = Recogniser.none
  /// Names of the tenant's lists of what is no finding; never for secrets.
  public var allowLists: [String] = []
  /// Whether secrets may be pseudonymised.
  public var reversibleSecrets = false

  public init() {}

  func weakerFields(than other: RedactionSettings) -> [String] {
    var weaker: [String] = []
    if min > other.min { weaker.append("min") }
    if other.checksum == .lenient, checksum == .strict { weaker.append("checksum") }
    if other.binary == .block, binary == .allow { weaker.append("binary") }
    if other.restoreURLs == .asSent, restoreURLs == .always { weaker.append("restore-urls") }
    if other.recogniser == .refuse, recogniser != .refuse { weaker.append("recogniser") }
    if other.recogniser == .rulesOnly, recogniser == .none { weaker.append("recogniser") }
    if !Set(allowLists).isSubset(of: other.allowLists) { weaker.append("allow-lists") }
    if reversibleSecrets, !other.reversibleSecrets { weaker.append("reversible-secrets") }
    return weaker
  }
}

/// A named list of redaction rules with its settings.
public struct RedactionProfileSpec: Hashable, Sendable {
  public let name: String
  public let rules: [RedactionRuleSpec]
  public let settings: RedactionSettings

  public init(name: String, rules: [RedactionRuleSpec], settings: RedactionSettings = RedactionSettings()) {
    self.name = name
    self.rules = rules
    self.settings = settings
  }

  /// What is weaker here than there, as `rule.field`.
  func weakerFields(than other: RedactionProfileSpec) -> [String] {
    var weaker = settings.weakerFields(than: other.settings).map { "settings.\($0)" }
    for theirs in other.rules {
      guard let mine = rules.first(where: { $0.id == theirs.id }) else {
        weaker.append(theirs.id)
        continue
      }
      weaker += mine.weakerFields(than: theirs).map { "\(theirs.id).\($0)" }
    }
    return weaker
  }
}
