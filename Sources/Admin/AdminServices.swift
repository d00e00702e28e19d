/// What the Admin API stands on.
package struct AdminServices: Sendable {
  package let tenancy: any TenancyAdministration
  package let quotas: any QuotaAdministration
  package let usage: any UsageReporting
  package let routes: any RouteExplaining
  package let providers: any ProviderRegister
  package let log: any LogArchive
  package let audit: any AuditTrail
  package let health: any InstallationHealth
  package let metrics: any MetricsText
  package let clock: AdminClock
  /// Makes `req_` ids: 128 random bits in base32, no clock, no counter.
  package let makeRequestID: @Sendable () -> String

  package init(
    tenancy: any TenancyAdministration, quotas: any QuotaAdministration, usage: any UsageReporting,
    routes: any RouteExplaining, providers: any ProviderRegister, log: any LogArchive, audit: any AuditTrail,
    health: any InstallationHealth, metrics: any MetricsText,
    clock: AdminClock, makeRequestID: @escaping @Sendable () -> String
  ) {
    self.tenancy = tenancy
    self.quotas = quotas
    self.usage = usage
    self.routes = routes
    self.providers = providers
    self.log = log
    self.audit = audit
    self.health = health
    self.metrics = metrics
    self.clock = clock
    self.makeRequestID = makeRequestID
  }
}

/// The two clocks of administration, both injected.
package struct AdminClock: Sendable {
  /// Wall clock.
  package let now: @Sendable () -> Timestamp
  /// Nanoseconds of a clock that never jumps; throttles count by it.
  package let monotonic: @Sendable () -> Int64

  package init(now: @escaping @Sendable () -> Timestamp, monotonic: @escaping @Sendable () -> Int64) {
    self.now = now
    self.monotonic = monotonic
  }
}
