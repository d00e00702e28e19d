/// What a provider's record allows of it at a time.
package struct ProviderLimits: Hashable, Sendable {
  /// Requests under way, over all tenants and loops of this process; nil: as many as come.
  package var concurrency: Int?

  package init(concurrency: Int? = nil) { self.concurrency = concurrency }
}
