/// A detection rule as plain values.
public struct DetectionRuleSpec: Hashable, Sendable {
  public enum Signal: String, Sendable, CaseIterable {
    case failedKeys = "failed-keys"
    case newNetwork = "new-network"
    case newCountry = "new-country"
    case newModel = "new-model"
    case requests, tokens, findings, refusals
    case canaryKeyUsed = "canary-key-used"
    case injectionSigns = "injection-signs"
  }
  /// What a threshold is counted for.
  public enum Subject: String, Sendable, CaseIterable { case source, key, user, project, tenant }
  public enum Reaction: String, Sendable, CaseIterable {
    case alert, slow
    case freezeKey = "freeze-key"
  }
  public enum Threshold: Hashable, Sendable {
    case rate(RateSpec)
    /// Times what is usual at this hour.
    case usual(Int64)
  }

  public let id: String
  public let signal: Signal
  /// Nil: the first one counts.
  public let above: Threshold?
  public let per: Subject?
  /// Nil: at any time.
  public let hours: Hours?
  public let then: [Reaction]
}

/// A named list of detection rules.
public struct DetectionProfileSpec: Hashable, Sendable {
  public let name: String
  public let rules: [DetectionRuleSpec]

  public init(name: String, rules: [DetectionRuleSpec]) {
    self.name = name
    self.rules = rules
  }
}

/// Reads `kind: Detection`.
struct DetectionReader {
  let report: Report

  func profiles(_ entries: [YAMLNode.Entry]) -> [String: Located<DetectionProfileSpec>] {
    var done: [String: Located<DetectionProfileSpec>] = [:]
    for entry in entries {
      guard let items = report.list(entry.value, "profile '\(entry.key)'") else { continue }
      var rules: [DetectionRuleSpec] = []
      for item in items {
        guard let map = MapReader(item, "a rule of profile '\(entry.key)'", report) else { continue }
        if let extends = map.text("extends") {
          map.finish()
          // Profiles are read in the order of the file: a parent stands above its child.
          if let parent = done[extends.value] {
            rules = parent.value.rules
          } else {
            report.error(
              "there is no detection profile '\(extends.value)' above", at: extends.place,
              hint: Suggestion.hint(for: extends.value, among: Array(done.keys)))
          }
          continue
        }
        guard let rule = rule(map) else { continue }
        if rules.contains(where: { $0.id == rule.value.id }) {
          report.error("rule '\(rule.value.id)' stands twice in profile '\(entry.key)'", at: rule.place)
        } else {
          rules.append(rule.value)
        }
      }
      done[entry.key] = Located(value: DetectionProfileSpec(name: entry.key, rules: rules), place: entry.keyPlace)
    }
    return done
  }

  private func rule(_ map: MapReader) -> Located<DetectionRuleSpec>? {
    let id = map.requiredText("id")
    let when = map.requiredText("when").flatMap { map.word($0, "when", DetectionRuleSpec.Signal.self) }
    let above = map.measured("above", Self.threshold)
    let per = map.word("per", DetectionRuleSpec.Subject.self)
    let hours = map.measured("hours", Hours.init(parsing:))
    let reactions = (map.requiredTexts("then")?.value ?? []).compactMap {
      map.word($0, "then", DetectionRuleSpec.Reaction.self)?.value
    }
    map.finish()
    guard let id, let when else { return nil }
    return Located(
      value: DetectionRuleSpec(
        id: id.value, signal: when.value, above: above?.value, per: per?.value, hours: hours?.value, then: reactions),
      place: id.place)
  }

  /// `20/min` or `5x usual`.
  static func threshold(_ text: String) throws(UnitError) -> DetectionRuleSpec.Threshold {
    if text.hasSuffix("x usual") {
      guard let factor = Int64(text.dropLast(7)), (2...1000).contains(factor) else {
        throw UnitError(hint: "write 2x usual to 1000x usual")
      }
      return .usual(factor)
    }
    do { return .rate(try Units.rate(text)) } catch { throw UnitError(hint: "write 20/min or 5x usual") }
  }
}
