import Synchronization

/// Two processes on one ledger, while one relieves the other. Budgets need nothing for it: each spends its own leases.
extension QuotaGate {
  /// Headroom that was granted so recently may be on its way to somebody who waits for it.
  static let freshGrant: Int64 = 500_000_000

  /// Gives back what was leased and not spent, and leases no more than single requests need: another process takes over.
  /// What is open goes on. Blocks on the ledger; off the event loops.
  public func beginLeaving() throws(QuotaError) {
    isLeaving.store(true, ordering: .relaxed)
    try flush()
  }

  /// Nobody takes over after all.
  public func stay() { isLeaving.store(false, ordering: .relaxed) }

  /// The rates of other processes of this machine: what they have let through counts here, too.
  public func raiseRates(_ arrivals: [UInt64: Int64]) {
    guard !arrivals.isEmpty else { return }
    let boot = clock.bootNanoseconds
    for tenant in tenants.withLock({ Array($0.values) }) {
      tenant.state.withLock { state in
        for index in state.rates.indices {
          guard let arrival = arrivals[state.rateLimits[index].id], arrival > state.rates[index].bucket.arrival else {
            continue
          }
          state.rates[index].bucket.restore(arrival: arrival, now: boot)
          if state.rates[index].place >= 0 {
            flight.writeRate(state.rates[index].place, arrival: state.rates[index].bucket.arrival)
          }
        }
      }
    }
  }

  /// Attempts that are open in other processes of this machine: they count against limits on concurrency.
  public func noteElsewhere(_ open: [LimitScope: Int64]) {
    for tenant in tenants.withLock({ Array($0.values) }) {
      tenant.state.withLock { state in
        for index in state.concurrencies.indices {
          state.concurrencies[index].elsewhere = max(0, open[state.concurrencyLimits[index].scope] ?? 0)
        }
      }
    }
  }

  /// Plans the giving back of all headroom that nobody waits for.
  func planGivingBack(_ driver: inout LedgerDriver, boot: Int64) {
    guard isLeaving.load(ordering: .relaxed) else { return }
    for tenant in tenants.withLock({ Array($0.values) }) {
      tenant.state.withLock { state in
        var gives = false
        for index in state.budgets.indices where state.budgets[index].giveBack(boot: boot) { gives = true }
        if gives { planEverything(&state, tenant, &driver) }
      }
    }
  }
}

extension FlightMemory {
  /// Everything in it is booked, and no gate follows here for now: nobody finds open attempts any more.
  public func clear(_ node: QuotaGate.Node) {
    let table = FlightTable(self)
    _ = RatePlaces(table, keep: node.rateStart == .kept)
    table.begin(node: node.id, epoch: node.epoch, bootID: node.bootID)
  }
}

extension BudgetState {
  /// - Returns: Whether there was headroom to give.
  mutating func giveBack(boot: Int64) -> Bool {
    guard lease != 0, !isAsked, headroom > 0, Amount.difference(boot, grantedAt) > QuotaGate.freshGrant else {
      return false
    }
    shrinking = Amount.sum(shrinking, headroom)
    granted = Amount.sum(settled, reserved)
    return true
  }
}
