import Admin
import Quotas
import StorageSQLite
import Tenancy

extension Administration: QuotaAdministration {
  func quota(of tenant: TenantID, key: KeyID?) async throws -> [QuotaLine] {
    let store = try core.tenancy.scoped(to: tenant)
    if let key { _ = try store.key(key) }
    let overrides = try store.overrides().filter { $0.key == key }
    let owner = try core.tenancy.tenant(tenant)
    let scope = key.map { LimitScope(.key, $0.value) } ?? LimitScope(.tenant, tenant.value)
    return try QuotaKind.allCases.map { kind in
      let limit = overrides.first { $0.dimension == kind.dimension }
      var line = QuotaLine(kind: kind, limit: limit?.value, currency: kind.isMoney ? owner.currency : nil)
      if let budget = Self.budget(kind) {
        let id = try Limit(
          scope: scope, dimension: budget.dimension, kind: .budget(budget.period, zone: owner.timeZone), amount: 0,
          name: kind.rawValue
        ).id
        if let used = try core.quotas.usage(limits: [id]).first {
          line = QuotaLine(
            kind: kind, limit: limit?.value, used: used.committed &+ used.unreconciled, reserved: used.reserved,
            resets: Timestamp(nanoseconds: used.window.end), currency: kind.isMoney ? owner.currency : nil)
        }
      }
      return line
    }
  }

  func setQuota(_ change: QuotaChange, of tenant: TenantID, key: KeyID?) async throws -> [QuotaLine] {
    let store = try core.tenancy.scoped(to: tenant)
    if let key { _ = try store.key(key) }
    for (kind, value) in change.limits {
      if let value {
        try store.setOverride(try LimitOverride(key: key, dimension: kind.dimension, value: value))
      } else {
        try store.removeOverride(key: key, dimension: kind.dimension)
      }
    }
    try Self.publish(core)
    return try await quota(of: tenant, key: key)
  }

  private static func budget(_ kind: QuotaKind) -> (dimension: Quotas.Dimension, period: BudgetPeriod)? {
    switch kind {
    case .tokensPerDay: (.tokens, .day)
    case .tokensPerMonth: (.tokens, .month)
    case .moneyPerDay: (.money, .day)
    case .moneyPerMonth: (.money, .month)
    case .tokensPerMinute, .requestsPerMinute, .concurrency: nil
    }
  }
}

extension Administration: UsageReporting {
  func day(of instant: Timestamp, in tenant: TenantID) async throws -> Int64? {
    let zone = try core.tenancy.tenant(tenant).timeZone
    return core.quotas.calendar.day(of: instant.nanoseconds, zone: zone)?.number
  }

  func usage(of tenant: TenantID, days: Range<Int64>) async throws -> Admin.UsageReport? {
    let owner = try core.tenancy.tenant(tenant)
    guard
      let window = core.quotas.calendar.window(
        fromDay: days.lowerBound, toDay: days.upperBound, zone: owner.timeZone)
    else { return nil }
    let store = try core.tenancy.scoped(to: tenant)
    let projects = Dictionary(
      try store.projects().map { ($0.id.value, $0.slug.text) }, uniquingKeysWith: { first, _ in first })
    let keys = Dictionary(
      try store.keys().map { ($0.id.value, $0) }, uniquingKeysWith: { first, _ in first })
    let report = try core.quotas.usageReport(
      tenant: tenant.value, from: Int32(clamping: days.lowerBound), to: Int32(clamping: days.upperBound - 1))
    var totals: [UInt128: (owner: UsageOwner, totals: UsageTotals)] = [:]
    for row in report.rows { totals[row.owner.key, default: (row.owner, UsageTotals())].totals.add(row.totals) }
    let rows = totals.values.map { owner, sum in
      Admin.UsageRow(
        project: projects[owner.project], key: KeyID(owner.key), keyName: keys[owner.key]?.name, alias: nil,
        requests: sum.requests, inputTokens: sum.inputTokens, outputTokens: sum.outputTokens,
        cost: Money(nanos: sum.money))
    }
    return Admin.UsageReport(
      from: Timestamp(nanoseconds: window.start), until: Timestamp(nanoseconds: window.end), currency: owner.currency,
      rows: rows.sorted { ($0.project ?? "", $0.keyName ?? "") < ($1.project ?? "", $1.keyName ?? "") })
  }
}
