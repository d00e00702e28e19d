import Policies
import Tenancy
import Testing

private func policy() throws -> EffectivePolicy {
  let set = try PolicyFixture.load(
    """
    kind: Policy
    id: p@1
    models: [chat, mail]
    networks: [10.0.0.0/8]
    roles: {clerk: {models: [chat], networks: [10.1.0.0/16], hours: "Mo-Fr 07:00-19:00 Europe/Berlin"}, boss: {}}

    """)
  return try #require(set.policies["p@1"])
}

private let monday10: Int64 = 1_795_424_400  // 2026-11-23T09:00:00Z, ten o'clock in Berlin

private func decide(
  _ role: String = "clerk", held: Permissions = .chat, needed: Permissions = .chat, alias: String? = "chat",
  keyModels: Set<String>? = nil, from address: String? = "10.1.2.3", at now: Int64 = monday10
) throws -> PolicyDecision {
  try policy().decide(
    role: role, held: held, needed: needed, alias: alias, keyModels: keyModels,
    address: address.flatMap { NetworkAddress($0) }, epochSeconds: now, zone: "UTC")
}

@Test func allStepsPassedIsAllowed() throws {
  #expect(try decide() == .allowed)
  #expect(try decide("boss", alias: "mail", from: "10.9.9.9", at: 0) == .allowed)
  #expect(try decide(alias: nil) == .allowed)
}

/// Lists of models are cut by what the role is kept from, and by nothing else of the policy.
@Test func aRoleIsShownWhatItIsNotKeptFrom() throws {
  let rules = try policy()
  #expect(RoleAccess(rules, role: "clerk").shows("chat") && !RoleAccess(rules, role: "clerk").shows("mail"))
  #expect(RoleAccess(rules, role: "boss").shows("other") && RoleAccess(rules, role: "ghost").shows("other"))
}

@Test func theFirstStepThatFailsIsNamed() throws {
  #expect(try decide("ghost") == .denied(rule: "roles"))
  #expect(try decide(held: []) == .denied(rule: "roles.clerk"))
  #expect(try decide(needed: []) == .denied(rule: "roles.clerk"))
  #expect(try decide(alias: "other") == .denied(rule: "models"))
  #expect(try decide(alias: "mail") == .denied(rule: "roles.clerk.models"))
  #expect(try decide(keyModels: ["mail"]) == .denied(rule: "key.models"))
  #expect(try decide(from: "11.0.0.1") == .denied(rule: "networks"))
  #expect(try decide(from: nil) == .denied(rule: "networks"))
  #expect(try decide(from: "10.2.0.1") == .denied(rule: "roles.clerk.networks"))
}

@Test(arguments: [
  (-10_801 as Int64, false), (-10_800, true), (32_399, true), (32_400, false), (-86_400, false), (432_000, false),
  (345_600, true),
])
func hoursEndAtTheMinute(offset: Int64, open: Bool) throws {
  #expect(try decide(at: monday10 + offset) == (open ? .allowed : .denied(rule: "roles.clerk.hours")))
}

@Test func hoursFollowTheZonesSummerTime() throws {
  // 2026-07-06 is a Monday; 05:00 UTC is seven o'clock in summer and six in winter.
  #expect(try decide(at: 1_783_314_000) == .allowed)
  #expect(try decide(at: 1_783_314_000 - 1) == .denied(rule: "roles.clerk.hours"))
}

@Test(arguments: [
  ("Mo 22:00-05:00", 3 as Int64, 22 as Int64, false), ("Th 22:00-05:00", 3, 22, true), ("Th 22:00-05:00", 4, 4, true),
  ("Th 22:00-05:00", 4, 5, false), ("Th 22:00-05:00", 3, 4, false), ("Do,Fr 00:00-24:00", 4, 23, true),
  ("Fr-Mo 08:00-09:00", 6, 8, true), ("Fr-Mo 08:00-09:00", 1, 8, false), ("12:00-13:00", 2, 12, true),
])
func hoursRunOverMidnight(text: String, weekday: Int64, hour: Int64, inside: Bool) throws {
  let set = try PolicyFixture.load("kind: Policy\nid: p@1\nhours: \"\(text)\"\n")
  let hours = try #require(set.policies["p@1"]?.hours)
  // 1970-01-01 was a Thursday: weekday 3 counted from Monday.
  let day = (weekday - 3 + 7) % 7
  #expect(hours.contains(localSeconds: day * 86_400 + hour * 3600) == inside)
  #expect(hours.contains(localSeconds: (day - 700) * 86_400 + hour * 3600) == inside)
}

@Test(arguments: [
  "", "Mo", "07:00", "7:00-9:00", "07:00-07:00", "24:00-01:00", "07:00-24:01", "07:60-08:00", "Xx 07:00-09:00",
  "Mo- 07:00-09:00", "Mo,,Tu 07:00-09:00", "07:00-09:00 Mars/Olympus", "07:00-09:00 Europe/Berlin x",
])
func whatAreNoHoursIsRefused(text: String) {
  #expect(PolicyFixture.errors("kind: Policy\nid: p@1\nhours: \"\(text)\"\n").count == 1)
}

@Test(arguments: [
  ("600/min", true), ("400k/hour", true), ("9G/min", true), ("0/min", true), ("1.5k/min", false), ("-1/min", false),
  ("600/sec", false), ("600 /min", false), ("1_000/min", false), ("0x10/min", false), ("99999999999G/min", false),
  ("999999999999999999999/min", false), ("k/min", false), ("/min", false), ("6/min/min", false), ("٦/min", false),
])
func ratesAreWrittenWithTheirUnit(text: String, valid: Bool) {
  let errors = PolicyFixture.errors("kind: Plans\nplans: {p: {requests: \(text)}}\n")
  #expect(errors.isEmpty == valid, "\(errors)")
}

@Test(arguments: [
  ("2M tokens/day", BudgetSpec(dimension: .tokens, amount: 2_000_000, window: .day)),
  ("1000 EUR/month", BudgetSpec(dimension: .money("EUR"), amount: 1_000_000_000_000, window: .month)),
  ("0.5 CHF/total", BudgetSpec(dimension: .money("CHF"), amount: 500_000_000, window: .total)),
  ("10k requests/week", BudgetSpec(dimension: .requests, amount: 10_000, window: .week)),
  ("{soft: 800 EUR/month}", BudgetSpec(dimension: .money("EUR"), amount: 800_000_000_000, window: .month, kind: .soft)),
  ("{shadow: 1 tokens/day}", BudgetSpec(dimension: .tokens, amount: 1, window: .day, kind: .shadow)),
])
func budgetsAreExactIntegers(text: String, budget: BudgetSpec) throws {
  let set = try PolicyFixture.load("kind: Plans\nplans: {p: {budgets: [\(text)]}}\n")
  #expect(set.plans["p"]?.budgets == [budget])
}

@Test(arguments: [
  "1000 eur/month", "1000 EURO/month", "1e3 EUR/month", "-1 EUR/month", "0.0000000001 EUR/day", "9999999999 EUR/day",
  "EUR/day", "5/day", "5 tokens", "5 tokens/day/day", "{soft: 5 EUR/day, hard: 6 EUR/day}", "{mild: 5 EUR/day}",
])
func whatIsNoBudgetIsRefused(text: String) {
  #expect(!PolicyFixture.errors("kind: Plans\nplans: {p: {budgets: [\"\(text)\"]}}\n").isEmpty)
}

@Test func aTestThatFailsSaysWhatHappened() throws {
  let set = try PolicyFixture.load(
    """
    kind: Policy
    id: p@1
    models: [chat]
    roles: {clerk: {}}
    ---
    kind: Tenants
    tenants: [{id: acme, name: A, policy: p@1}]
    ---
    kind: Tests
    tests:
      - {name: good, as: {tenant: acme, role: clerk}, do: chat, model: chat, expect: allow}
      - {name: foreign, as: {tenant: acme, role: clerk}, do: chat, target: other, expect: deny, rule: tenant-scope}
      - {name: wrong, as: {tenant: acme, role: clerk}, do: chat, model: chat, expect: deny}
      - {name: rule, as: {tenant: acme, role: clerk}, do: chat, model: mail, expect: deny, rule: hours}
      - {name: nobody, as: {tenant: none, role: clerk}, do: chat, expect: deny}

    """)
  #expect(
    set.tests.map { set.failure(of: $0)?.message } == [
      nil, nil, "test 'wrong' failed: allowed, not denied", "test 'rule' failed: denied by models, not by hours",
      "test 'nobody' failed: there is no tenant 'none'",
    ])
}
