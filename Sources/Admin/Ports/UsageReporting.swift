package import Tenancy

/// What a tenant used, from the ledger's own settlements: the totals are the sums of the rows.
package protocol UsageReporting: Sendable {
  /// - Parameter until: Not included.
  func usage(of tenant: TenantID, from: Timestamp, until: Timestamp) async throws -> UsageReport
}

package struct UsageReport: Sendable, Hashable {
  package let currency: String
  package let rows: [UsageRow]

  package init(currency: String, rows: [UsageRow]) {
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
