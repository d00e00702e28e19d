/// How evenly tenants are served.
package enum Fairness {
  /// Jain's index: 1 if all values are the same, 1/n if one has everything; nil without a positive value.
  package static func jain(_ values: [Double]) -> Double? {
    let sum = values.reduce(0, +)
    let squares = values.reduce(0) { $0 + $1 * $1 }
    guard squares > 0 else { return nil }
    return sum * sum / (Double(values.count) * squares)
  }
}

/// What one tenant, or one class of requests, got.
package struct GroupReport: Sendable, Codable {
  package var name: String
  package var offered: Int
  package var succeeded: Int
  package var failed: Int
  package var aborted: Int
  /// Nil where there are too many groups for a histogram each.
  package var latency: LatencySummary?

  init(_ name: String, _ count: GroupCount) {
    self.name = name
    offered = count.offered
    succeeded = count.succeeded
    failed = count.failed
    aborted = count.aborted
    latency = count.latency?.summary
  }
}
