/// The compiled rules of one profile: which types are looked for and what happens at which level. Immutable, part of a
/// policy set, shared by all event loops.
public final class RedactionProfile: Sendable {
  public let name: String
  let patterns: (any PatternSet)?
  let lists: WordLists?
  let input: ActionTable
  let output: ActionTable
  /// Labels of the tenant's patterns and lists as bytes; index + ``FindingType/count`` is the label's number.
  let customLabels: [[UInt8]]
  let patternCount: Int
  /// Whether images, sound and files pass unseen; what is text beside them is looked at all the same.
  public let passesBinary: Bool

  /// Whether any rule looks at what the caller sends.
  public var actsOnInput: Bool { !input.isEmpty }
  /// Whether any rule looks at what the model answers.
  public var actsOnOutput: Bool { !output.isEmpty }

  /// - Parameter patterns: All rules' patterns compiled, in order; nil if no rule has any.
  /// - Throws: ``RedactionError`` with code `invalid_profile` for what could never work.
  public init(
    name: String, rules: [RedactionRule], patterns: (any PatternSet)? = nil, passesBinary: Bool = false
  ) throws(RedactionError) {
    var input = ActionTable()
    var output = ActionTable()
    var labels: [[UInt8]] = []
    var words: [WordLists.Entry] = []
    var ids: Set<String> = []
    let patternRules = rules.flatMap { rule in rule.patterns.map { (rule, $0.name) } }
    let listRules = rules.flatMap { rule in rule.lists.map { (rule, $0) } }
    guard patternRules.count == patterns?.count ?? 0 else {
      throw .invalidProfile(
        "profile \(name): its rules have \(patternRules.count) patterns, another number is compiled")
    }
    guard patternRules.count + listRules.count <= 200 else {
      throw .invalidProfile("profile \(name): more than 200 patterns and lists")
    }
    for rule in rules {
      guard ids.insert(rule.id).inserted else { throw .invalidProfile("profile \(name): rule \(rule.id) stands twice") }
      guard !(rule.detect.isEmpty && rule.patterns.isEmpty && rule.lists.isEmpty) else {
        throw .invalidProfile("rule \(rule.id): finds nothing: name types, patterns or lists")
      }
      guard rule.action != .surrogate else {
        throw .invalidProfile("rule \(rule.id): action surrogate is not available; use pseudonymise")
      }
      for type in rule.detect {
        let action = rule.action ?? RedactionRule.defaultAction(for: type)
        guard action != .pseudonymise || type.group != .secrets || rule.reversibleSecrets else {
          throw .invalidProfile("rule \(rule.id): pseudonymise on \(type.name) needs reversible-secrets: true")
        }
        if rule.places.contains(.input) { input.add(Int(type.index), action, rule.minimum, rule.mode) }
        if rule.places.contains(.output) { output.add(Int(type.index), action, rule.minimum, rule.mode) }
      }
    }
    for (rule, label) in patternRules {
      labels.append(try Self.label(label, of: rule))
      Self.add(rule, FindingType.count + labels.count - 1, &input, &output)
    }
    for (rule, list) in listRules {
      labels.append(try Self.label(list.name, of: rule))
      let number = FindingType.count + labels.count - 1
      Self.add(rule, number, &input, &output)
      for entry in list.entries { words.append(WordLists.Entry(text: Array(entry.utf8), label: UInt8(number))) }
    }
    self.name = name
    self.passesBinary = passesBinary
    self.patterns = patterns
    self.patternCount = patternRules.count
    self.lists = words.isEmpty ? nil : try WordLists(words)
    self.input = input
    self.output = output
    self.customLabels = labels
  }

  private static func add(_ rule: RedactionRule, _ label: Int, _ input: inout ActionTable, _ output: inout ActionTable)
  {
    let action = rule.action ?? .pseudonymise
    if rule.places.contains(.input) { input.add(label, action, rule.minimum, rule.mode) }
    if rule.places.contains(.output) { output.add(label, action, rule.minimum, rule.mode) }
  }

  /// A label from a tenant's name: capitals, digits and `_`, at most 16 bytes, starting with a letter.
  private static func label(_ name: String, of rule: RedactionRule) throws(RedactionError) -> [UInt8] {
    let bytes = name.utf8.map { byte -> UInt8 in
      switch byte {
      case 0x61...0x7A: byte - 0x20
      case 0x2D, 0x2E, 0x20: 0x5F
      default: byte
      }
    }
    guard let first = bytes.first, (0x41...0x5A).contains(first), bytes.count <= 16,
      bytes.allSatisfy({ (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F })
    else {
      throw .invalidProfile("rule \(rule.id): the name of a pattern or list is 1 to 16 letters, digits and dashes")
    }
    return bytes
  }
}

/// For every label and level: the strongest action of the rules that apply, and whether one looks on.
struct ActionTable: Sendable {
  private static let width = 256 * 3
  private var actions = [UInt8](repeating: 0, count: ActionTable.width)  // 0 is none, else the action's number + 1
  private var shadows = [Bool](repeating: false, count: ActionTable.width)
  /// Built-in types that any rule names, one bit each.
  private(set) var types: UInt64 = 0
  private(set) var isEmpty = true

  mutating func add(_ label: Int, _ action: RedactionAction, _ minimum: FindingLevel, _ mode: RedactionRule.Mode) {
    guard label < 256 else { return }
    isEmpty = false
    if label < 64 { types |= 1 << UInt64(label) }
    for level in FindingLevel.allCases where level >= minimum {
      let index = label * 3 + level.rawValue
      switch mode {
      case .shadow: shadows[index] = true
      case .apply: actions[index] = max(actions[index], UInt8(action.rawValue + 1))
      }
    }
  }

  func action(_ label: UInt8, _ level: FindingLevel) -> RedactionAction? {
    let stored = actions[Int(label) * 3 + level.rawValue]
    return stored == 0 ? nil : RedactionAction(rawValue: Int(stored) - 1)
  }

  func isShadowed(_ label: UInt8, _ level: FindingLevel) -> Bool { shadows[Int(label) * 3 + level.rawValue] }
}
