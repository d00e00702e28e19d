/// The names that redaction rules may detect, with their groups (`design/redaction.md` section 4).
public enum RedactionTypes {
  /// Groups in the order of the page; disjoint.
  public static let groups: [(name: String, types: [String])] = [
    ("contact", ["person", "address", "email", "phone", "birth-date", "plate"]),
    (
      "national-ids",
      [
        "ahv", "ahv-old", "ch-passport", "ch-id-card", "de-id-card", "de-passport", "steuer-id", "rvnr", "svnr",
        "codice-fiscale", "nir",
      ]
    ),
    (
      "finance",
      [
        "iban", "bic", "card", "qr-reference", "rf-reference", "wallet", "steuernummer", "de-vat-id", "at-uid",
        "at-tax-number", "partita-iva", "ch-uid", "handelsregister",
      ]
    ),
    ("health", ["icd10", "kvnr", "insurance-card"]),
    ("network", ["ip", "mac"]),
    ("secrets", ["api-key", "private-key", "password", "jwt", "url-credentials", "high-entropy"]),
  ]

  /// In no group: off unless a rule names it.
  public static let ungrouped = ["company"]

  /// Every type, groups first.
  public static let all: [String] = groups.flatMap(\.types) + ungrouped

  /// What the engine finds today: the names of `Redaction.FindingType`.
  public static let available: Set<String> = [
    "email", "phone", "ip", "iban", "card", "ch-uid", "de-vat-id", "at-uid", "ahv", "steuer-id", "rvnr", "svnr", "kvnr",
    "api-key", "private-key", "jwt", "password", "url-credentials", "high-entropy",
  ]

  /// The types that a word of a rule stands for: what is ``available`` of a group, or itself; nil if there is no such
  /// word.
  public static func expand(_ word: String) -> [String]? {
    if let group = groups.first(where: { $0.name == word }) { return group.types.filter(available.contains) }
    return all.contains(word) ? [word] : nil
  }

  public static func group(of type: String) -> String? { groups.first { $0.types.contains(type) }?.name }

  /// What happens to a finding of a rule without action.
  public static func usualAction(for type: String) -> RedactionAction {
    if type == "card" { return .mask }
    switch group(of: type) {
    case "national-ids", "secrets": return .mask
    default: return .pseudonymise
    }
  }
}

/// What is done to a finding, weak to strong; neighbours of one strength may be swapped.
public enum RedactionAction: String, Sendable, CaseIterable {
  case flag, pseudonymise, surrogate, mask, hash, block

  public var strength: Int {
    switch self {
    case .flag: 0
    case .pseudonymise, .surrogate: 1
    case .mask, .hash: 2
    case .block: 3
    }
  }

  /// Whether the original can come back.
  public var isReversible: Bool { self == .pseudonymise || self == .surrogate || self == .flag }
}
