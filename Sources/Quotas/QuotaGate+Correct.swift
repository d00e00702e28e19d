import Synchronization

/// Attempts that were settled at their worst case, and what they have cost in truth.
extension QuotaGate {
  /// Where a reservation that is open will be booked at its worst case; nil if it is not open.
  public func booking(of reservation: Reservation) -> Booking? {
    guard let index = slots.index(reservation), let account = slots.pointer(index).pointee.account else { return nil }
    let slot = slots.pointer(index)
    guard slot.pointee.phase == .reserved || slot.pointee.phase == .sent else { return nil }
    let demand = slot.pointee.demand
    let shares = (0..<slot.pointee.budgetCount).compactMap { number -> Booking.Share? in
      let lease = flight.lease(index, number)
      return lease == 0 ? nil : Booking.Share(lease: lease, amount: flight.worst(index, number))
    }
    return Booking(
      attempt: slot.pointee.attempt, owner: account.takeUnretainedValue().owner, day: flight.day(index),
      shares: shares,
      totals: UsageTotals(
        requests: demand.requests, inputTokens: demand.inputTokens, outputTokens: demand.outputTokens,
        money: demand.money))
  }

  /// Books what an attempt has cost in the place of what it was settled as, in the windows that admitted it. Once: whatever
  /// is repeated, by whomever, changes nothing. Durable when this returns. Blocks on the ledger; off the event loops.
  public func correct(_ booking: Booking, to actual: UsageTotals) throws(QuotaError) {
    let tenant = tenants.withLock { $0[booking.owner.tenant] } ?? TenantQuota(id: booking.owner.tenant)
    try driver.withLock { (driver) throws(QuotaError) in
      try settlePending(&driver)
      // What was settled is in the books before it is corrected, by the same transaction.
      tenant.state.withLock { planEverything(&$0, tenant, &driver) }
      driver.plan(.correct(Correction(booking: booking, actual: actual.sane)), tenant, .correction)
      tenant.state.withLock { $0.planLooks(tenant, &driver) }
      try settlePending(&driver)
    }
    guard !isFenced.load(ordering: .relaxed) else { throw QuotaError(.fenced) }
  }
}

extension TenantState {
  /// Asks how the books of all leases stand; changes nothing.
  mutating func planLooks(_ tenant: TenantQuota, _ driver: inout LedgerDriver) {
    for budget in budgets where budget.lease != 0 {
      driver.plan(
        .report(lease: budget.lease, settledTotal: budget.settled), tenant,
        .report(lease: budget.lease, total: budget.settled))
    }
  }
}

extension UsageTotals {
  /// With figures that sums may be made of.
  var sane: UsageTotals {
    UsageTotals(
      requests: Amount.clamped(requests), inputTokens: Amount.clamped(inputTokens),
      outputTokens: Amount.clamped(outputTokens), money: Amount.clamped(money))
  }

  /// By how much these are more than others.
  func difference(from other: UsageTotals) -> UsageTotals {
    UsageTotals(
      requests: Amount.difference(requests, other.requests),
      inputTokens: Amount.difference(inputTokens, other.inputTokens),
      outputTokens: Amount.difference(outputTokens, other.outputTokens), money: Amount.difference(money, other.money))
  }
}
