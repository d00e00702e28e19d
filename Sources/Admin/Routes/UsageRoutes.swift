import Tenancy

/// What a tenant used. The totals are the sums of the rows that are shown, computed from them.
enum UsageRoutes {
  static let all = [show]

  static let show = AdminRoute(
    "usage.show", .get, "/v1/tenants/{tenant}/usage", .tenant([.usageRead, .reportsRead]), query: ["from", "to"],
    .read { call in
      let until = try call.queryTime("to") ?? call.now
      let from = try call.queryTime("from") ?? until.advanced(bySeconds: -30 * 86_400)
      guard from < until else { throw AdminError.invalid("'from' must lie before 'to'", param: "from") }
      let report = try await call.services.usage.usage(of: try call.tenant().id, from: from, until: until)
      return try .json(try UsageAnswer(report, from: from, until: until))
    })
}

private struct UsageAnswer: Encodable {
  struct Row: Encodable {
    let project: String?
    let key: String?
    let keyName: String?
    let alias: String?
    let requests: Int64
    let inputTokens: Int64
    let outputTokens: Int64
    let cost: Money
  }

  struct Totals: Encodable {
    var requests: Int64 = 0
    var inputTokens: Int64 = 0
    var outputTokens: Int64 = 0
    var cost = Money(nanos: 0)
  }

  let from: Timestamp
  let to: Timestamp
  let currency: String
  let rows: [Row]
  let totals: Totals

  init(_ report: UsageReport, from: Timestamp, until: Timestamp) throws(AdminError) {
    self.from = from
    to = until
    currency = report.currency
    rows = report.rows.map {
      Row(
        project: $0.project, key: $0.key?.description, keyName: $0.keyName, alias: $0.alias, requests: $0.requests,
        inputTokens: $0.inputTokens, outputTokens: $0.outputTokens, cost: $0.cost)
    }
    var sum = Totals()
    for row in report.rows {
      sum.requests = try Self.add(sum.requests, row.requests)
      sum.inputTokens = try Self.add(sum.inputTokens, row.inputTokens)
      sum.outputTokens = try Self.add(sum.outputTokens, row.outputTokens)
      sum.cost = Money(nanos: try Self.add(sum.cost.nanos, row.cost.nanos))
    }
    totals = sum
  }

  private static func add(_ left: Int64, _ right: Int64) throws(AdminError) -> Int64 {
    let (sum, overflow) = left.addingReportingOverflow(right)
    guard !overflow else {
      throw AdminError(.internalFailure, "the sums are too large to show", detail: "usage totals overflow")
    }
    return sum
  }
}
