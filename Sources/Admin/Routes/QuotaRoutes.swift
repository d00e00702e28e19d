import Tenancy

/// Limits of a tenant, or of one key of it (`?key=`).
enum QuotaRoutes {
  static let all = [show, set]

  static let show = AdminRoute(
    "quota.show", .get, "/v1/tenants/{tenant}/quota", .tenant([.quotaManage, .usageRead]), query: ["key"],
    .read { call in
      let key = try await namedKey(call)
      let lines = try await call.services.quotas.quota(of: try call.tenant().id, key: key)
      return try .json(QuotaAnswer(key: key?.description, limits: lines.map(QuotaLineAnswer.init)))
    })

  static let set = AdminRoute(
    "quota.set", .put, "/v1/tenants/{tenant}/quota", .tenant(.quotaManage), query: ["key"],
    .change { call in
      let tenant = try call.tenant().id
      let key = try await namedKey(call)
      let change = try read(call)
      let summary = change.limits.map { "\($0.key.rawValue)=\($0.value.map(String.init) ?? "none")" }.sorted()
      return AuditedAct(on: "\(key?.description ?? "tenant"): \(summary.joined(separator: " "))") {
        let lines = try await call.services.quotas.setQuota(change, of: tenant, key: key)
        return try .json(QuotaAnswer(key: key?.description, limits: lines.map(QuotaLineAnswer.init)))
      }
    })

  /// The kinds that are named; null lifts a limit.
  private static func read(_ call: AdminCall) throws(AdminError) -> QuotaChange {
    let fields = try call.fields(Set(QuotaKind.allCases.map(\.rawValue)))
    var limits: [QuotaKind: Int64?] = [:]
    for kind in QuotaKind.allCases where fields.contains(kind.rawValue) {
      let value =
        kind.isMoney
        ? try fields.optionalMoney(kind.rawValue)?.nanos
        : try fields.optionalInteger(kind.rawValue, range: 0...1_000_000_000_000_000)
      limits.updateValue(value, forKey: kind)
    }
    guard !limits.isEmpty else {
      throw .invalid(
        "no limit is named", hint: "name one or more of \(QuotaKind.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return QuotaChange(limits: limits)
  }

  private static func namedKey(_ call: AdminCall) async throws -> KeyID? {
    guard let text = call.query["key"] else { return nil }
    let keys = try await call.services.tenancy.keys(of: try call.tenant().id)
    guard let id = KeyID(text), keys.contains(where: { $0.id == id }) else { throw AdminError.notFound }
    return id
  }
}

private struct QuotaAnswer: Encodable {
  let key: String?
  let limits: [QuotaLineAnswer]
}

/// Counts are numbers, money is decimal text.
private struct QuotaLineAnswer: Encodable {
  let kind: String
  let limit: Amount?
  let used: Amount?
  let reserved: Amount?
  let resetsAt: Timestamp?
  let currency: String?

  init(_ line: QuotaLine) {
    kind = line.kind.rawValue
    limit = line.limit.map { Amount($0, isMoney: line.kind.isMoney) }
    used = line.used.map { Amount($0, isMoney: line.kind.isMoney) }
    reserved = line.reserved.map { Amount($0, isMoney: line.kind.isMoney) }
    resetsAt = line.resets
    currency = line.currency
  }

  struct Amount: Encodable {
    let value: Int64
    let isMoney: Bool

    init(_ value: Int64, isMoney: Bool) {
      self.value = value
      self.isMoney = isMoney
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      if isMoney {
        try container.encode(Money(nanos: value))
      } else {
        try container.encode(value)
      }
    }
  }
}
