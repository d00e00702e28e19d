import Synchronization

extension QuotaGate {
  /// Sets a worst case aside in every limit of the account, or in none.
  ///
  /// - Parameters:
  ///   - attempt: unique for ever; every retry and fallback has its own.
  ///   - loop: with `ticket`, whom to wake when the answer was ``Admission/waiting``.
  ///   - reservation: filled in when admitted.
  ///   - journal: gets the RESERVE record.
  public func reserve(
    _ account: QuotaAccount, _ demand: Demand, attempt: UInt128, loop: Int, ticket: UInt64,
    into reservation: inout Reservation, journal: inout [UInt8]
  ) -> Admission {
    guard demand.isSane else { return .refused(absurd(demand)) }
    let boot = clock.bootNanoseconds
    let now = windowTime(boot: boot)
    guard !isStopping.load(ordering: .relaxed), !(account.hasHardBudget && isFenced.load(ordering: .relaxed)) else {
      return .refused(unavailable(account))
    }
    let ledgerIsAway = boot < ledgerFailedUntil.load(ordering: .relaxed)
    var asks = false
    var taken = Reservation()
    let tenant = account.tenant
    let admission = tenant.state.withLock { state -> Admission in
      switch state.check(account, demand, now: now, boot: boot, ledgerIsAway: ledgerIsAway) {
      case .refuse(let refusing): return .refused(refusing.refusal(state))
      case .unavailable: return .refused(unavailable(account))
      case .ask:
        state.ask(account, demand, now: now, boot: boot)
        state.waiters.append(Waiter(loop: loop, ticket: ticket))
        asks = state.enqueue()
        return .waiting
      case .admit:
        guard tenant.slotsTaken.load(ordering: .relaxed) < slots.perTenant, let free = slots.take(),
          let index = slots.index(free)
        else { return .refused(tooManyOpen()) }
        tenant.slotsTaken.wrappingAdd(1, ordering: .relaxed)
        taken = free
        let day = state.day(of: now, calendar)
        if state.take(account, demand, now: now, boot: boot, slot: index, flight) { asks = state.enqueue() }
        open(index, account, demand, attempt: attempt, boot: boot, &state)
        flight.writeHead(
          index, attempt: attempt, time: now, count: account.budgets.count, owner: account.owner, day: day)
        flight.writeUsage(
          index, exit: 0, flags: 0, sequence: 0, input: demand.inputTokens, output: demand.outputTokens,
          money: demand.money)
        flight.set(.reserved, index)
        return .admitted
      }
    }
    if asks {
      work.withLock { $0.asked.append(tenant) }
      thread.signal()
    }
    if taken.isMade {
      reservation = taken
      let index = Int(taken.slot)
      JournalEncoder.append(
        .reserve, time: now, attempt: attempt, count: account.budgets.count, tailBytes: 0, to: &journal
      ) { record, count in
        for number in 0..<count {
          JournalEncoder.writeAmount(
            record, number, lease: flight.lease(index, number), amount: flight.worst(index, number))
        }
      }
    }
    return admission
  }

  private func open(
    _ index: Int, _ account: QuotaAccount, _ demand: Demand, attempt: UInt128, boot: Int64,
    _ state: inout TenantState
  ) {
    let slot = slots.pointer(index)
    slot.pointee.phase = .reserved
    slot.pointee.holdsConcurrency = !account.concurrencies.isEmpty
    slot.pointee.account = Unmanaged.passRetained(account)
    slot.pointee.demand = demand
    slot.pointee.deadline = Amount.sum(boot, max(0, demand.deadlineNanoseconds))
    slot.pointee.attempt = attempt
    slot.pointee.budgetCount = account.budgets.count
    slot.pointee.previous = -1
    slot.pointee.next = state.firstOpen
    if state.firstOpen >= 0 { slots.pointer(Int(state.firstOpen)).pointee.previous = Int32(index) }
    state.firstOpen = Int32(index)
  }

  private func absurd(_ demand: Demand) -> QuotaRefusal {
    QuotaRefusal(
      code: .rateLimitExceeded, limitID: 0, limitName: "size of one request", kind: .tokens, retryAfterSeconds: 60,
      shouldRetry: false, resetAt: nil)
  }

  private func tooManyOpen() -> QuotaRefusal {
    QuotaRefusal(
      code: .rateLimitExceeded, limitID: 0, limitName: "requests open at once", kind: .requests, retryAfterSeconds: 1,
      shouldRetry: true, resetAt: nil)
  }

  private func unavailable(_ account: QuotaAccount) -> QuotaRefusal {
    QuotaRefusal(
      code: .ledgerUnavailable, limitID: 0, limitName: "quota ledger", kind: .requests, retryAfterSeconds: 1,
      shouldRetry: true, resetAt: nil)
  }
}

extension TenantState {
  enum Verdict {
    case admit
    case ask
    case refuse(Refusing)
    case unavailable
  }

  /// Looks at every limit and changes nothing.
  @inline(__always) func check(
    _ account: QuotaAccount, _ demand: Demand, now: Int64, boot: Int64, ledgerIsAway: Bool
  ) -> Verdict {
    var refusing = Refusing()
    var asks = false
    var asksHard = false
    for index in account.concurrencies
    where concurrencies[index].blocks && concurrencies[index].isFull {
      if concurrencies[index].amount == 0 {
        refusing.never(.concurrency(index))
      } else {
        refusing.later(1_000_000_000, .concurrency(index))
      }
    }
    for index in account.rates where rates[index].blocks {
      switch rates[index].bucket.check(demand[rates[index].dimension], now: boot) {
      case .fits: break
      case .wait(let nanoseconds): refusing.later(nanoseconds, .rate(index))
      case .never: refusing.never(.rate(index))
      }
    }
    for index in account.budgets {
      let worst = demand[budgets[index].dimension]
      switch budgets[index].check(worst, now: now, boot: boot) {
      case .fits: break
      case .ask:
        asks = true
        asksHard = asksHard || budgets[index].blocks
      case .exhausted:
        let budget = budgets[index]
        if worst > Amount.difference(budget.amount, budget.committed) {
          refusing.usedUp(until: budget.windowEnd, now: now, .budget(index))
        } else {
          refusing.later(1_000_000_000, .budget(index))
        }
      }
    }
    if refusing.found { return .refuse(refusing) }
    guard asks else { return .admit }
    // A soft limit never blocks, not even for want of its books: while they are away it goes uncounted.
    if ledgerIsAway { return asksHard ? .unavailable : .admit }
    return .ask
  }

  mutating func ask(_ account: QuotaAccount, _ demand: Demand, now: Int64, boot: Int64) {
    for index in account.budgets {
      let worst = demand[budgets[index].dimension]
      if budgets[index].check(worst, now: now, boot: boot) == .ask {
        budgets[index].need(worst)
        budgets[index].sizing.saw(worst, boot: boot)
        budgets[index].isAsked = true
      }
    }
  }

  /// Takes from every limit what was checked; fills the entries of the flight slot.
  /// - Returns: whether the ledger should be asked for more, before anyone has to wait.
  @inline(__always) mutating func take(
    _ account: QuotaAccount, _ demand: Demand, now: Int64, boot: Int64, slot: Int, _ flight: FlightTable
  ) -> Bool {
    var asks = false
    var number = 0
    for index in account.budgets {
      let worst = demand[budgets[index].dimension]
      // A soft limit whose books are away, or whose window has passed meanwhile, is not counted: lease 0.
      if budgets[index].lease == 0 || now >= budgets[index].windowEnd {
        flight.writeEntry(slot, number, lease: 0, worst: 0)
      } else {
        if budgets[index].reserve(worst, boot: boot) {
          budgets[index].isAsked = true
          asks = true
        }
        flight.writeEntry(slot, number, lease: budgets[index].lease, worst: worst)
      }
      number &+= 1
    }
    for index in account.rates {
      rates[index].bucket.debit(demand[rates[index].dimension], now: boot)
      if rates[index].place >= 0 { flight.writeRate(rates[index].place, arrival: rates[index].bucket.arrival) }
    }
    for index in account.concurrencies { concurrencies[index].count &+= 1 }
    return asks
  }

  /// True if the caller must put the tenant on the ledger's list.
  mutating func enqueue() -> Bool {
    if isQueued { return false }
    isQueued = true
    return true
  }

  /// The local day of an instant; computed once a day.
  @inline(__always) mutating func day(of now: Int64, _ calendar: WindowCalendar) -> Int32 {
    if dayWindow.contains(now) { return day }
    if let (number, window) = calendar.day(of: now, zone: zone) {
      day = Int32(clamping: number)
      dayWindow = window
    }
    return day
  }
}
