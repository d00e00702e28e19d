/// What a provider's record allows of it at a time.
public struct ProviderLimits: Hashable, Sendable {
  /// Requests under way, over all tenants and loops of this process; nil: as many as come.
  public var concurrency: Int?

  public init(concurrency: Int? = nil) { self.concurrency = concurrency }
}
