package import Tenancy

/// What a tenant used, from the ledger's own settlements: the totals are the sums of the rows. Use is kept by days of
/// the tenant's time zone, which are counted from 1970-01-01.
package protocol UsageReporting: Sendable {
  /// The day that contains an instant; nil if it lies outside of what the calendar reaches.
  func day(of instant: Timestamp, in tenant: TenantID) async throws -> Int64?

  /// - Returns: nil if the days lie outside of what the calendar reaches.
  func usage(of tenant: TenantID, days: Range<Int64>) async throws -> UsageReport?
}

package struct UsageReport: Sendable, Hashable {
  /// The start of the first day.
  package let from: Timestamp
  /// The end of the last day, not included.
  package let until: Timestamp
  package let currency: String
  package let rows: [UsageRow]

  package init(from: Timestamp, until: Timestamp, currency: String, rows: [UsageRow]) {
    self.from = from
    self.until = until
    self.currency = currency
    self.rows = rows
  }
}

/// Use of one key through one alias; names are nil when the thing is gone.
package struct UsageRow: Sendable, Hashable {
  package let project: String?
  package let key: KeyID?
  package let keyName: String?
  package let alias: String?
  package let requests: Int64
  package let inputTokens: Int64
  package let outputTokens: Int64
  package let cost: Money

  package init(
    project: String?, key: KeyID?, keyName: String?, alias: String?, requests: Int64, inputTokens: Int64,
    outputTokens: Int64, cost: Money
  ) {
    self.project = project
    self.key = key
    self.keyName = keyName
    self.alias = alias
    self.requests = requests
    self.inputTokens = inputTokens
    self.outputTokens = outputTokens
    self.cost = cost
  }
}
