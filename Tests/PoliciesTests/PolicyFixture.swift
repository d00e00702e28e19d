import Testing

@testable import Policies

/// A small whole policy set, to which a test adds what it is about.
enum PolicyFixture {
  static let base = """
    kind: Providers
    providers:
      - {id: eu, adapter: openai, endpoint: "https://eu.example/v1", credential: eu, country: NO,
         agreement: {kind: avv, expires: 2027-12-31}, retention: 0d, training: never,
         models: [{id: m, max-output: 1000, price: {version: 1, currency: EUR, input: "1", output: "2"}}]}
    ---
    kind: Routing
    aliases:
      chat: {candidates: [eu/m]}
      mail: {candidates: [eu/m]}
    ---
    kind: Roles
    roles:
      clerk: {scope: project, can: [chat]}
      boss: {scope: tenant, can: [chat, reports.read]}
    ---
    kind: Plans
    plans:
      wide: {requests: 600/min, tokens: 400k/min, concurrency: 32, budgets: [2M tokens/day], body: 8MiB}
      narrow: {extends: wide, requests: 60/min}
      other: {requests: 60/min}
    ---
    kind: Redaction
    profiles:
      mild: [{id: pii, where: [input], detect: [iban, email], action: pseudonymise}]
      hard: [{extends: mild}, {id: pii, where: [input], detect: [iban, email, phone], action: mask}]
      alien: [{id: else, where: [input], detect: [ip], action: block}]
    ---
    kind: Detection
    profiles:
      few: [{id: guessing, when: failed-keys, above: 20/min, per: source, then: [alert]}]
      more: [{extends: few}, {id: canary, when: canary-key-used, then: [freeze-key]}]
      none: []

    """

  static func file(_ text: String, _ name: String = "test.yaml") -> PolicyFile {
    PolicyFile(name: name, bytes: Array(text.utf8))
  }

  /// The set of base and text; the text is in `test.yaml`.
  /// - Parameter wholeLanguage: Whether that may be said, too, which nothing carries out yet.
  static func load(_ text: String, wholeLanguage: Bool = false) throws(PolicyError) -> PolicySet {
    try PolicyLoader.load(files: [file(base, "base.yaml"), file(text)], refusesUnavailable: !wholeLanguage)
  }

  /// All that is wrong with base and text, as it is printed; warnings left out.
  static func errors(_ text: String, wholeLanguage: Bool = false) -> [String] {
    do throws(PolicyError) {
      _ = try load(text, wholeLanguage: wholeLanguage)
      return []
    } catch {
      return error.diagnostics.filter { $0.severity == .error }.map(\.description)
    }
  }
}
