import Policies
import Testing

/// A parent's line, a child's line, and whether the child may say so.
private struct Row: Sendable, CustomStringConvertible {
  let parent: String
  let child: String
  let path: String?
  var description: String { "\(parent) → \(child)" }

  /// Allowed.
  static func ok(_ parent: String, _ child: String) -> Row { Row(parent: parent, child: child, path: nil) }
  /// Refused under this name.
  static func no(_ parent: String, _ child: String, _ path: String) -> Row {
    Row(parent: parent, child: child, path: path)
  }
}

private let table: [Row] = [
  // Numbers go down
  .ok("log: {retention: {content: 30d}}", "log: {retention: {content: 30d}}"),
  .ok("log: {retention: {content: 30d}}", "log: {retention: {content: 29d}}"),
  .no("log: {retention: {content: 30d}}", "log: {retention: {content: 31d}}", "log.retention.content"),
  .no("log: {retention: {metadata: 400d}}", "log: {retention: {metadata: 401d}}", "log.retention.metadata"),
  .no("compliance: {retention: 0d}", "compliance: {retention: 1d}", "compliance.retention"),
  // Words rise
  .ok("log: {mode: managed}", "log: {mode: write-only}"), .ok("log: {mode: write-only}", "log: {mode: off}"),
  .no("log: {mode: write-only}", "log: {mode: managed}", "log.mode"),
  .no("log: {mode: off}", "log: {mode: write-only}", "log.mode"),
  .ok("log: {durability: buffered}", "log: {durability: strict}"),
  .no("log: {durability: strict}", "log: {durability: buffered}", "log.durability"),
  .ok("translation: loud", "translation: strict"), .no("translation: strict", "translation: loud", "translation"),
  .ok("compliance: {agreement: optional}", "compliance: {agreement: required}"),
  .no("compliance: {agreement: required}", "compliance: {agreement: optional}", "compliance.agreement"),
  .ok("compliance: {training: allowed}", "compliance: {training: opt-out}"),
  .no("compliance: {training: never}", "compliance: {training: opt-out}", "compliance.training"),
  .no("secrecy: {undertaking: required}", "secrecy: {undertaking: optional}", "secrecy.undertaking"),
  // Switches
  .ok("show: {provider: true}", "show: {provider: false}"),
  .no("show: {provider: false}", "show: {provider: true}", "show.provider"),
  .no("show: {redactions: false}", "show: {redactions: true}", "show.redactions"),
  .no(
    "secrecy: {hide-tenant-upstream: true}", "secrecy: {hide-tenant-upstream: false}",
    "secrecy.hide-tenant-upstream"),
  .no("dedicated-connections: true", "dedicated-connections: false", "dedicated-connections"),
  // Allow-sets shrink
  .ok("compliance: {countries: [EU]}", "compliance: {countries: [DE, FR]}"),
  .ok("compliance: {countries: [EEA]}", "compliance: {countries: [EU]}"),
  .no("compliance: {countries: [EU]}", "compliance: {countries: [EEA]}", "compliance.countries"),
  .no("compliance: {countries: [EU]}", "compliance: {countries: [CH]}", "compliance.countries"),
  .ok("models: [chat, mail]", "models: [mail]"), .ok("models: [chat]", "models: []"),
  .no("models: [chat]", "models: [chat, mail]", "models"),
  .ok("networks: [10.0.0.0/8]", "networks: [10.1.0.0/16, 10.2.0.0/16]"),
  .no("networks: [10.0.0.0/8]", "networks: [10.1.0.0/16, 11.0.0.0/8]", "networks"),
  .ok("hours: \"Mo-Fr 07:00-19:00 Europe/Berlin\"", "hours: \"Mo-Th 08:00-12:00 Europe/Berlin\""),
  .no("hours: \"Mo-Fr 07:00-19:00 Europe/Berlin\"", "hours: \"Mo-Sa 08:00-12:00 Europe/Berlin\"", "hours"),
  .no("hours: \"Mo-Fr 07:00-19:00 Europe/Berlin\"", "hours: \"Mo-Fr 07:00-19:00 Europe/London\"", "hours"),
  .ok("hours: \"22:00-05:00\"", "hours: \"23:00-04:00\""),
  .no("hours: \"22:00-05:00\"", "hours: \"21:59-05:00\"", "hours"),
  // Require-sets grow
  .ok("compliance: {certificates: [iso27001]}", "compliance: {certificates: [ISO27001, c5-type2]}"),
  .no("compliance: {certificates: [iso27001, c5]}", "compliance: {certificates: [c5]}", "compliance.certificates"),
  .ok("secrecy: {regimes: [stgb-203]}", "secrecy: {regimes: [stgb-203, ch-stgb-321]}"),
  .no("secrecy: {regimes: [stgb-203]}", "secrecy: {regimes: [ch-stgb-321]}", "secrecy.regimes"),
  // Roles become fewer and narrower
  .ok("roles: {clerk: {}, boss: {}}", "roles: {clerk: {models: [chat]}}"),
  .no("roles: {clerk: {}}", "roles: {boss: {}}", "role 'boss' is not among"),
  .no("roles: {clerk: {models: [chat]}}", "roles: {clerk: {models: [mail]}}", "roles.clerk.models"),
  .no("roles: {clerk: {networks: [10.0.0.0/8]}}", "roles: {clerk: {networks: [\"::/0\"]}}", "roles.clerk.networks"),
  .no(
    "roles: {clerk: {hours: \"Mo 08:00-09:00\"}}", "roles: {clerk: {hours: \"Tu 08:00-09:00\"}}", "roles.clerk.hours"),
  // Named things are compared by what is in them
  .ok("plan: wide", "plan: narrow"), .no("plan: narrow", "plan: wide", "plan"),
  .no("plan: wide", "plan: other", "plan"),
  .ok("redaction: mild", "redaction: hard"), .no("redaction: hard", "redaction: mild", "redaction"),
  .no("redaction: mild", "redaction: alien", "redaction"),
  .ok("detection: few", "detection: more"), .no("detection: few", "detection: none", "detection"),
  // What no ancestor sets is open to the child
  .ok("plan: wide", "models: [chat]\nroles: {boss: {}}\ncompliance: {countries: [US]}"),
  // Locked values do not change at all
  .ok("log: {mode: managed}\nlocked: [log.mode]", "log: {mode: managed}"),
  .no("log: {mode: managed}\nlocked: [log.mode]", "log: {mode: off}", "locked"),
  .no("log: {retention: {metadata: 9d}}\nlocked: [log]", "log: {retention: {metadata: 8d}}", "locked"),
  .no("models: [chat]\nlocked: [models]", "models: []", "locked"),
  .no("roles: {clerk: {}, boss: {}}\nlocked: [roles]", "roles: {clerk: {}}", "locked"),
  .no("plan: wide\nlocked: [plan]", "plan: narrow", "locked"),
  .no("redaction: mild\nlocked: [redaction.pii]", "redaction: hard", "locked"),
  .ok("log: {mode: managed}\nlocked: [log.durability]", "log: {mode: off}"),
]

@Test(arguments: table)
private func aChildOnlyTightens(row: Row) {
  let errors = PolicyFixture.errors(
    "kind: Policy\nid: p@1\n\(row.parent)\n---\nkind: Policy\nid: c@1\nextends: p@1\n\(row.child)\n",
    wholeLanguage: true)
  if let path = row.path {
    #expect(errors.count == 1)
    #expect(errors.first?.contains(path) == true, "\(errors)")
    // The error stands at the child's line and names the parent's.
    #expect(errors.first?.contains("policy 'p@1'") == true)
    #expect(errors.first?.contains("is at ") == true)
  } else {
    #expect(errors == [])
  }
}

@Test func anErrorNamesTheLineOfChildAndParent() {
  #expect(
    PolicyFixture.errors(
      "kind: Policy\nid: p@1\nlog: {mode: off}\n---\nkind: Policy\nid: c@1\nextends: p@1\nlog: {mode: managed}\n")
      == [
        """
        error: 'log.mode' is looser than in policy 'p@1'
          --> test.yaml:8:13
        hint: a child can only tighten; the parent's value is at test.yaml:3:13
        """
      ])
}

@Test func locksAndLimitsHoldForGrandchildren() {
  let chain = """
    kind: Policy
    id: a@1
    log: {mode: managed, retention: {content: 9d}}
    locked: [log.mode]
    ---
    kind: Policy
    id: b@1
    extends: a@1
    models: [chat]
    locked: [models]
    ---
    kind: Policy
    id: c@1
    extends: b@1

    """
  #expect(PolicyFixture.errors(chain + "log: {mode: off}\n").count == 1)
  #expect(PolicyFixture.errors(chain + "log: {retention: {content: 10d}}\n").count == 1)
  #expect(PolicyFixture.errors(chain + "models: []\n").count == 1)
  #expect(PolicyFixture.errors(chain + "log: {retention: {content: 8d}}\n") == [])
}

@Test func whatNobodySetAllowsNothing() throws {
  let set = try PolicyFixture.load("kind: Policy\nid: bare@1\n")
  let policy = try #require(set.policies["bare@1"])
  #expect(policy.logMode == .off)
  #expect(policy.models.isEmpty)
  #expect(policy.roles.isEmpty)
  #expect(policy.plan.requests?.count == 0)
  #expect(policy.plan.concurrency == 0)
  #expect(policy.strictTranslation)
  #expect(!policy.showsProvider)
  #expect(policy.hidesTenantUpstream)
  #expect(policy.redaction.rules.allSatisfy { $0.action == .block })
}

@Test func aChildKeepsWhatItDoesNotSay() throws {
  let set = try PolicyFixture.load(
    """
    kind: Policy
    id: p@1
    log: {mode: write-only, retention: {content: 9d}}
    plan: narrow
    models: [chat, mail]
    roles: {clerk: {models: [chat]}, boss: {}}
    locked: [log.mode]
    ---
    kind: Policy
    id: c@1
    extends: p@1
    roles: {clerk: {hours: "Mo 08:00-09:00"}}
    locked: [models]

    """, wholeLanguage: true)
  let policy = try #require(set.policies["c@1"])
  #expect(policy.chain == ["c@1", "p@1"])
  #expect(policy.logMode == .writeOnly)
  #expect(policy.contentRetentionDays == 9)
  #expect(policy.plan.name == "narrow")
  #expect(policy.plan.tokens == RateSpec(count: 400_000, period: .minute))
  #expect(Set(policy.roles.keys) == ["clerk"])
  #expect(policy.roles["clerk"]?.models == ["chat"])
  #expect(policy.roles["clerk"]?.hours != nil)
  #expect(policy.locked == ["log.mode", "models"])
}

/// A rule of a redaction profile against the one that it takes the place of.
@Test(arguments: [
  ("{id: r, where: [input], detect: [iban], action: mask}", "action: hash}", true),
  ("{id: r, where: [input], detect: [iban], action: mask}", "action: block}", true),
  ("{id: r, where: [input], detect: [iban], action: mask}", "action: surrogate}", false),
  ("{id: r, where: [input], detect: [iban], action: pseudonymise}", "action: surrogate}", true),
  ("{id: r, where: [input], detect: [iban], action: pseudonymise}", "action: flag}", false),
  ("{id: r, where: [input], detect: [iban]}", "action: flag}", false),
  ("{id: r, where: [input], detect: [iban]}", "min: possible}", true),
  ("{id: r, where: [input], detect: [iban]}", "min: certain}", false),
  ("{id: r, where: [input], detect: [iban], min: certain}", "min: likely}", true),
  ("{id: r, where: [input], detect: [iban]}", "mode: shadow}", false),
  ("{id: r, where: [input], detect: [iban], mode: shadow}", "mode: enforce}", true),
  ("{id: r, where: [input], detect: [iban], scope: project}", "scope: subject}", true),
  ("{id: r, where: [input], detect: [iban], scope: project}", "scope: tenant}", false),
  ("{id: r, where: [input], detect: [iban]}", "roles: [clerk]}", false),
  ("{id: r, where: [input], detect: [iban], roles: [clerk]}", "roles: [clerk, boss]}", true),
  ("{id: r, where: [input], detect: [iban], aliases: [chat]}", "aliases: [mail]}", false),
  ("{id: r, where: [input], detect: [card]}", "action: pseudonymise}", false),
  ("{id: r, where: [input], detect: [iban, bic]}", "action: mask}", false),
  ("{id: r, where: [input, output], detect: [iban]}", "action: mask}", false),
  ("{id: r, where: [input], detect: [iban], lists: [a]}", "lists: [b]}", false),
])
func aRedactionRuleOnlyRises(parent: String, change: String, allowed: Bool) {
  let type = parent.contains("card") ? "card" : "iban"
  let errors = PolicyFixture.errors(
    """
    kind: Redaction
    profiles:
      p: [\(parent)]
      c: [{extends: p}, {id: r, where: [input], detect: [\(type)], \(change)]

    """, wholeLanguage: true)
  #expect(errors.isEmpty == allowed, "\(errors)")
}

@Test func aGroupCoversItsTypes() {
  let errors = PolicyFixture.errors(
    """
    kind: Redaction
    profiles:
      p: [{id: r, where: [input], detect: [iban, card], action: mask}]
      c: [{extends: p}, {id: r, where: [input], detect: [finance], action: mask}]
      d: [{extends: c}, {id: r, where: [input], detect: [iban, card], action: mask}]

    """)
  #expect(errors.count == 1)
  #expect(errors.first?.contains("'r' is weaker than in profile 'c': detect") == true)
}

@Test(arguments: [
  ("min: possible", true), ("min: certain", false), ("checksum: lenient", true), ("binary: allow", false),
  ("restore-urls: always", false), ("recogniser: refuse", true), ("allow-lists: [own]", false),
  ("reversible-secrets: true", false),
])
func settingsOfAProfileOnlyTighten(setting: String, allowed: Bool) {
  let errors = PolicyFixture.errors(
    "kind: Redaction\nprofiles: {c: [{extends: mild}, {settings: {\(setting)}}]}\n", wholeLanguage: true)
  #expect(errors.isEmpty == allowed, "\(errors)")
}

@Test func aTenantsOwnBudgetIsAddedAndTheRestStays() throws {
  let set = try PolicyFixture.load(
    """
    kind: Policy
    id: p@1
    plan: wide
    ---
    kind: Tenants
    tenants:
      - {id: nord, name: Nord, policy: p@1, plan: {budgets: [400 EUR/month]}}
      - {id: sued, name: Süd, policy: p@1}

    """)
  let nord = try #require(set.tenants.first)
  let plan = try #require(set.plan(of: nord.slug, policy: "p@1"))
  #expect(
    plan.budgets == [
      BudgetSpec(dimension: .tokens, amount: 2_000_000, window: .day),
      BudgetSpec(dimension: .money("EUR"), amount: 400_000_000_000, window: .month),
    ])
  #expect(set.plan(of: set.tenants[1].slug, policy: "p@1") == set.plans["wide"])
}
