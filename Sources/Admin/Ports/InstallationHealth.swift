/// Whether the installation can serve, and what stands in its way.
package protocol InstallationHealth: Sendable {
  func checks() async -> [HealthCheck]
}

/// The metrics of the process in Prometheus' text format.
package protocol MetricsText: Sendable {
  func metricsText() async -> String
}

package struct HealthCheck: Sendable, Hashable {
  /// For example `ledger`, `log`, `policies`.
  package let name: String
  package let isReady: Bool
  /// For the operator; holds no secret.
  package let detail: String

  package init(name: String, isReady: Bool, detail: String) {
    self.name = name
    self.isReady = isReady
    self.detail = detail
  }
}
