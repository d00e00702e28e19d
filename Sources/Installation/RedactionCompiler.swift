import PatternsRE2
import Policies
import Redaction

/// Turns a policy's redaction rules into a profile that scans: types by name, tenants' patterns by RE2.
struct RedactionCompiler: Sendable {
  /// - Throws: When a type, list, action or pattern cannot be honoured; a rule is never left out in silence.
  func profile(_ spec: RedactionProfileSpec) throws -> RedactionProfile {
    let rules = try spec.rules.map { try rule($0, spec) }
    let patterns = rules.flatMap(\.patterns)
    return try RedactionProfile(
      name: spec.name, rules: rules, patterns: patterns.isEmpty ? nil : try RE2PatternSet(patterns),
      passesBinary: spec.settings.binary == .allow)
  }

  private func rule(_ rule: RedactionRuleSpec, _ profile: RedactionProfileSpec) throws -> RedactionRule {
    var types: [FindingType] = []
    for word in rule.detect {
      guard let found = FindingType.expand(word), !found.isEmpty else {
        throw InstallationError(
          .invalidPolicies,
          "rule '\(rule.id)' of profile '\(profile.name)' detects '\(word)', which nothing can find yet",
          hint:
            "name a group or one of: \(FindingType.all.filter { $0.group != nil }.map(\.name).joined(separator: ", "))")
      }
      for type in found where !types.contains(type) { types.append(type) }
    }
    guard rule.lists.isEmpty else {
      throw InstallationError(
        .invalidPolicies, "rule '\(rule.id)' of profile '\(profile.name)' names a list, and no list is stored yet",
        hint: "use a pattern until lists can be imported")
    }
    guard !rule.sides.contains(.output) else {
      throw InstallationError(
        .invalidPolicies, "rule '\(rule.id)' of profile '\(profile.name)' looks at answers, which nothing does yet",
        hint: "write where: [input]")
    }
    // Aliases and roles narrow a rule; applied to all of them it is only stricter.
    return RedactionRule(
      id: rule.id, detect: types, patterns: rule.patterns.map { .init(name: $0.name, regex: $0.regex) },
      action: rule.action.flatMap { RedactionAction(named: $0.rawValue) },
      minimum: level(rule.min ?? profile.settings.min), mode: rule.mode == .shadow ? .shadow : .apply,
      reversibleSecrets: profile.settings.reversibleSecrets)
  }

  private func level(_ level: RedactionRuleSpec.Level) -> FindingLevel {
    switch level {
    case .possible: .possible
    case .likely: .likely
    case .certain: .certain
    }
  }
}
