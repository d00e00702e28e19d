/// The limits that one kind of request is counted against: those of its tenant, project, user and key.
///
/// Made by ``QuotaGate/account(_:owner:zone:)`` when a snapshot is built and kept with it.
public final class QuotaAccount: Sendable {
  public let owner: UsageOwner
  let tenant: TenantQuota
  let budgets: [Int]
  let rates: [Int]
  let concurrencies: [Int]
  let usage: Int
  let hasHardBudget: Bool

  init(
    owner: UsageOwner, tenant: TenantQuota, budgets: [Int], rates: [Int], concurrencies: [Int], usage: Int,
    hasHardBudget: Bool
  ) {
    self.owner = owner
    self.tenant = tenant
    self.budgets = budgets
    self.rates = rates
    self.concurrencies = concurrencies
    self.usage = usage
    self.hasHardBudget = hasHardBudget
  }
}

/// What one attempt has set aside: a slot of the flight table and the generation that owns it. Fixed size, freely
/// copied; of all copies the first end counts.
public struct Reservation: Sendable, Equatable {
  var slot: UInt32 = .max
  var generation: UInt32 = 0

  public init() {}

  /// Whether it was ever admitted.
  public var isMade: Bool { slot != .max }
}
