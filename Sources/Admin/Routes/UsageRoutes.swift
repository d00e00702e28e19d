import Tenancy

/// What a tenant used, by whole days of its time zone. The totals are the sums of the rows that are shown, computed
/// from them.
enum UsageRoutes {
  static let all = [show]

  static let show = AdminRoute(
    "usage.show", .get, "/v1/tenants/{tenant}/usage", .tenant([.usageRead, .reportsRead]), query: ["from", "to"],
    .read { call in
      let end = try await day(after: call.queryDay("to") ?? .instant(call.now), "to", call)
      let start =
        switch try call.queryDay("from") {
        case nil: end - 30
        case .day(let day): day.daysSince1970
        case .instant(let instant): try await day(of: instant, "from", call)
        }
      guard start < end else { throw AdminError.invalid("'from' must lie before 'to'", param: "from") }
      guard let report = try await call.services.usage.usage(of: try call.tenant().id, days: start..<end) else {
        throw outOfReach("from")
      }
      return try .json(try UsageAnswer(report))
    })

  /// The first day of which nothing lies before an end that is not included.
  private static func day(after end: AdminCall.Day, _ name: String, _ call: AdminCall) async throws -> Int64 {
    switch end {
    case .day(let day): day.daysSince1970
    case .instant(let instant): try await day(of: instant.previous, name, call) + 1
    }
  }

  private static func day(of instant: Timestamp, _ name: String, _ call: AdminCall) async throws -> Int64 {
    guard let day = try await call.services.usage.day(of: instant, in: try call.tenant().id) else {
      throw outOfReach(name)
    }
    return day
  }

  private static func outOfReach(_ name: String) -> AdminError {
    .invalid("'\(name)' must lie between the years 1700 and 2200", param: name)
  }
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

  init(_ report: UsageReport) throws(AdminError) {
    from = report.from
    to = report.until
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
