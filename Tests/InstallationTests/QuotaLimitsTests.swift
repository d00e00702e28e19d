import Cryptography
import Policies
import Quotas
import Tenancy
import Testing

@testable import Installation

/// All limits that count for a key, the tightest of each kind.
struct QuotaLimitsTests {
  private static let tenant = TenantID(1)
  private static let key = KeyID(3)

  /// The principal of a key whose tenant and key have these limits of their own.
  static func principal(
    tenant limits: [(LimitOverride.Dimension, Int64)] = [], key keyLimits: [(LimitOverride.Dimension, Int64)] = [],
    currency: String = "EUR"
  ) throws -> Principal {
    let slug = try #require(Slug("kanzlei"))
    let rows = DirectoryRows(
      tenants: [
        Tenant(
          id: tenant, slug: slug, name: "Kanzlei", policy: "p@1", timeZone: "Europe/Berlin", currency: currency,
          createdAt: 0)
      ],
      projects: [Project(id: ProjectID(2), tenant: tenant, slug: slug, name: "Büro", createdAt: 0)],
      keys: [
        APIKey(
          id: key, tenant: tenant, project: ProjectID(2), name: "a", role: "app", digest: Digest256(), createdAt: 0)
      ],
      overrides: try limits.map { (tenant, try LimitOverride(key: nil, dimension: $0.0, value: $0.1)) }
        + keyLimits.map { (tenant, try LimitOverride(key: key, dimension: $0.0, value: $0.1)) })
    var found: Principal?
    Directory(rows, roles: RoleCatalog([])).forEachPrincipal { found = $0 }
    return try #require(found)
  }

  private static func find(
    _ limits: [Limit], _ level: LimitScope.Level, _ dimension: Quotas.Dimension, _ kind: Limit.Kind
  ) -> [Limit] {
    limits.filter { $0.scope.level == level && $0.dimension == dimension && $0.kind == kind }
  }

  @Test func aPlanBecomesLimitsOfTheTenant() throws {
    let plan = PlanSpec(
      name: "wide", requests: RateSpec(count: 600, period: .minute), tokens: RateSpec(count: 9_000, period: .hour),
      concurrency: 32,
      budgets: [
        BudgetSpec(dimension: .tokens, amount: 2_000, window: .day),
        BudgetSpec(dimension: .requests, amount: 70, window: .week, kind: .shadow),
        BudgetSpec(dimension: .money("EUR"), amount: 1_000, window: .month),
        BudgetSpec(dimension: .money("EUR"), amount: 5_000, window: .total, kind: .soft),
      ])
    let limits = try QuotaLimits.limits(of: try Self.principal(), plan: plan)
    let expected: [(Quotas.Dimension, Limit.Kind, Int64, LimitMode, String)] = [
      (.requests, .rate(.minute), 600, .hard, "requests per minute of the tenant"),
      (.tokens, .rate(.hour), 9_000, .hard, "tokens per hour of the tenant"),
      (.concurrency, .concurrent, 32, .hard, "concurrent requests of the tenant"),
      (.tokens, .budget(.day, zone: "Europe/Berlin"), 2_000, .hard, "tokens per day of the tenant"),
      (.requests, .budget(.week, zone: "Europe/Berlin"), 70, .shadow, "requests per week of the tenant"),
      (.money, .budget(.month, zone: "Europe/Berlin"), 1_000, .hard, "money per month of the tenant"),
      (.money, .budget(.total, zone: "Europe/Berlin"), 5_000, .soft, "money in total of the tenant"),
    ]
    #expect(limits.count == expected.count)
    for (limit, row) in zip(limits, expected) {
      #expect(limit.scope == LimitScope(.tenant, Self.tenant.value))
      #expect(limit.dimension == row.0 && limit.kind == row.1 && limit.amount == row.2)
      #expect(limit.mode == row.3 && limit.name == row.4)
    }
    #expect(Set(limits.map(\.id)).count == limits.count)
  }

  @Test(arguments: [(600, 100, 100), (100, 600, 100), (100, 100, 100), (600, 0, 0)] as [(Int64, Int64, Int64)])
  func theTightestOfPlanAndTenantCounts(plan: Int64, own: Int64, effective: Int64) throws {
    let spec = PlanSpec(
      name: "p", requests: RateSpec(count: plan, period: .minute), tokens: RateSpec(count: plan, period: .minute),
      concurrency: plan,
      budgets: [
        BudgetSpec(dimension: .tokens, amount: plan, window: .day),
        BudgetSpec(dimension: .tokens, amount: plan, window: .month),
        BudgetSpec(dimension: .money("EUR"), amount: plan, window: .day),
        BudgetSpec(dimension: .money("EUR"), amount: plan, window: .month),
      ])
    let principal = try Self.principal(tenant: LimitOverride.Dimension.allCases.map { ($0, own) })
    let limits = try QuotaLimits.limits(of: principal, plan: spec)
    #expect(limits.count == 7, "one of each")
    #expect(limits.allSatisfy { $0.amount == effective && $0.scope.level == .tenant })
  }

  @Test func aKeysLimitsStandBesideItsTenants() throws {
    let principal = try Self.principal(
      tenant: [(.tokensPerDay, 100)], key: LimitOverride.Dimension.allCases.map { ($0, 7) })
    let limits = try QuotaLimits.limits(of: principal, plan: PlanSpec(name: "p"))
    #expect(
      limits.filter { $0.scope == LimitScope(.key, Self.key.value) }.count == LimitOverride.Dimension.allCases.count)
    #expect(limits.filter { $0.scope.level == .tenant }.map(\.amount) == [100])
    #expect(Self.find(limits, .key, .tokens, .budget(.day, zone: "Europe/Berlin")).map(\.amount) == [7])
    #expect(limits.filter { $0.scope.level == .key }.allSatisfy { $0.name.hasSuffix("of the key") && $0.mode == .hard })
  }

  /// A limit that only warns must not take the place of one that refuses, however tight it is.
  @Test(arguments: [false, true]) func aHardLimitIsNotReplacedByASoftOne(softFirst: Bool) throws {
    let hard = BudgetSpec(dimension: .tokens, amount: 1_000, window: .day)
    let soft = BudgetSpec(dimension: .tokens, amount: 800, window: .day, kind: .soft)
    let plan = PlanSpec(name: "p", budgets: softFirst ? [soft, hard] : [hard, soft])
    let limits = try QuotaLimits.limits(of: try Self.principal(), plan: plan)
    #expect(limits.contains { $0.mode == .hard && $0.amount == 1_000 })
  }

  /// The shipped plan: 1000 a month refuses, 800 a month warns. Both are what the operator wrote.
  @Test func aSoftBudgetBesideAHardOneStillWarns() throws {
    let plan = PlanSpec(
      name: "p",
      budgets: [
        BudgetSpec(dimension: .money("EUR"), amount: 1_000, window: .month),
        BudgetSpec(dimension: .money("EUR"), amount: 800, window: .month, kind: .soft),
      ])
    let limits = try QuotaLimits.limits(of: try Self.principal(), plan: plan)
    #expect(limits.contains { $0.mode == .hard && $0.amount == 1_000 })
    #expect(limits.contains { $0.mode == .soft && $0.amount == 800 })
  }

  @Test(arguments: ["EUR", "CHF", "USD"]) func aBudgetInAnotherCurrencyIsRefused(currency: String) throws {
    let plan = PlanSpec(name: "p", budgets: [BudgetSpec(dimension: .money("EUR"), amount: 1, window: .month)])
    let principal = try Self.principal(currency: currency)
    if currency == "EUR" {
      #expect(try QuotaLimits.limits(of: principal, plan: plan).count == 1)
    } else {
      let error = try #require(throws: InstallationError.self) { try QuotaLimits.limits(of: principal, plan: plan) }
      #expect(error.code == .invalidPolicies)
      #expect(error.message.contains("EUR") && error.message.contains(currency))
    }
  }

  @Test func aPlanWithoutLimitsHasNone() throws {
    #expect(try QuotaLimits.limits(of: try Self.principal(), plan: PlanSpec(name: "p")).isEmpty)
  }
}
