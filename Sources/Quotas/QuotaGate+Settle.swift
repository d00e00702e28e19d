import Synchronization

extension QuotaGate {
  /// Call before the first byte goes upstream: from here on a crash counts the worst case.
  public func sent(_ reservation: inout Reservation) {
    guard let index = slots.index(reservation), slots.pointer(index).pointee.phase == .reserved else { return }
    slots.pointer(index).pointee.phase = .sent
    flight.set(.sent, index)
  }

  /// Output tokens seen so far, for the suggestion after a crash.
  public func progress(_ reservation: Reservation, outputTokens: Int) {
    guard let index = slots.index(reservation) else { return }
    flight.writeOutputSoFar(index, UInt32(clamping: outputTokens))
  }

  /// Books what the attempt cost and gives the rest back. Once: whatever is repeated changes nothing.
  /// - Parameter journal: gets the SETTLE record; when it is written, call ``confirmed(_:)``.
  public func settle(_ reservation: inout Reservation, _ actual: Actual, journal: inout [UInt8]) {
    if actual.exit == .notSent { return release(&reservation, journal: &journal) }
    end(reservation, actual.sane, journal: &journal)
  }

  /// Gives everything back: the attempt was never sent.
  /// - Parameter journal: gets the RELEASE record; when it is written, call ``confirmed(_:)``.
  public func release(_ reservation: inout Reservation, journal: inout [UInt8]) {
    end(
      reservation, Actual(inputTokens: 0, outputTokens: 0, money: 0, exit: .notSent, flags: .released),
      journal: &journal)
  }

  /// The SETTLE or RELEASE record is written: the slot is free for others.
  public func confirmed(_ reservation: inout Reservation) {
    guard let index = slots.index(reservation) else { return }
    let slot = slots.pointer(index)
    guard slot.pointee.phase == .settled || slot.pointee.phase == .released else { return }
    slot.pointee.phase = .free
    flight.set(.free, index)
    if let account = slot.pointee.account {
      account._withUnsafeGuaranteedRef { _ = $0.tenant.slotsTaken.wrappingSubtract(1, ordering: .relaxed) }
      account.release()
      slot.pointee.account = nil
    }
    slots.give(reservation)
    reservation = Reservation()
  }

  private func end(_ reservation: Reservation, _ actual: Actual, journal: inout [UInt8]) {
    guard let index = slots.index(reservation), let account = slots.pointer(index).pointee.account else { return }
    // The slot holds it until ``confirmed(_:)``.
    account._withUnsafeGuaranteedRef { end(index, $0, actual, journal: &journal) }
  }

  private func end(_ index: Int, _ account: QuotaAccount, _ actual: Actual, journal: inout [UInt8]) {
    let boot = clock.bootNanoseconds
    let now = windowTime(boot: boot)
    let isRelease = actual.exit == .notSent
    let tenant = account.tenant
    var flags = actual.flags
    var sequence: UInt64 = 0
    var isNews = false
    let count = slots.pointer(index).pointee.budgetCount
    let day = flight.day(index)
    let isDone = tenant.state.withLock { state -> Bool in
      let slot = slots.pointer(index)
      let phase = slot.pointee.phase
      guard phase == .reserved || phase == .sent else { return false }
      if state.settle(account, slot.pointee.demand, actual, boot: boot, slot: index, flight) {
        flags.insert(.overdraft)
      }
      unlink(index, &state)
      if slot.pointee.holdsConcurrency {
        slot.pointee.holdsConcurrency = false
        state.leaveConcurrency(account)
      }
      if !isRelease {
        sequence = state.book(
          UsageTotals(
            requests: 1, inputTokens: actual.inputTokens, outputTokens: actual.outputTokens, money: actual.money),
          on: day, at: account.usage)
      }
      isNews = state.markDirty()
      flight.writeUsage(
        index, exit: actual.exit.rawValue, flags: flags.rawValue, sequence: sequence, input: actual.inputTokens,
        output: actual.outputTokens, money: actual.money)
      // Not sent and given back looks the same after a crash as not sent: only what was sent needs its actuals.
      if !isRelease || phase == .sent { flight.set(.settled, index) }
      slot.pointee.phase = isRelease ? .released : .settled
      return true
    }
    guard isDone else { return }
    if isNews { work.withLock { $0.dirty.append(tenant) } }
    let attempt = slots.pointer(index).pointee.attempt
    let owner = account.owner
    if isRelease {
      JournalEncoder.append(.release, time: now, attempt: attempt, count: count, tailBytes: 0, to: &journal) {
        record, count in
        for number in 0..<count {
          JournalEncoder.writeAmount(
            record, number, lease: flight.lease(index, number), amount: flight.worst(index, number))
        }
      }
    } else {
      JournalEncoder.append(
        .settle, time: now, attempt: attempt, count: count, tailBytes: JournalLayout.settleTailBytes, to: &journal
      ) { record, count in
        for number in 0..<count {
          JournalEncoder.writeAmount(
            record, number, lease: flight.lease(index, number), amount: flight.actual(index, number))
        }
        JournalEncoder.writeSettlement(
          record, at: JournalLayout.headBytes + count * JournalLayout.entryBytes, exit: actual.exit.rawValue,
          flags: flags.rawValue, day: day, sequence: sequence, owner: owner, requests: 1, input: actual.inputTokens,
          output: actual.outputTokens, money: actual.money)
      }
    }
  }

  private func unlink(_ index: Int, _ state: inout TenantState) {
    let slot = slots.pointer(index)
    let (next, previous) = (slot.pointee.next, slot.pointee.previous)
    if next >= 0 { slots.pointer(Int(next)).pointee.previous = previous }
    if previous >= 0 {
      slots.pointer(Int(previous)).pointee.next = next
    } else {
      state.firstOpen = next
    }
  }

  /// Takes exchanges past their deadline out of the concurrency sets: their end was forgotten.
  func sweep(_ tenant: TenantQuota, boot: Int64) {
    tenant.state.withLock { state in
      var next = state.firstOpen
      while next >= 0 {
        let slot = slots.pointer(Int(next))
        next = slot.pointee.next
        guard slot.pointee.holdsConcurrency, slot.pointee.deadline <= boot, let account = slot.pointee.account else {
          continue
        }
        slot.pointee.holdsConcurrency = false
        state.leaveConcurrency(account.takeUnretainedValue())
      }
    }
  }
}

extension TenantState {
  mutating func leaveConcurrency(_ account: QuotaAccount) {
    for index in account.concurrencies { concurrencies[index].count = max(0, concurrencies[index].count &- 1) }
  }

  /// Moves an attempt from reserved to settled in every limit; the budgets that admitted it are named by its flight
  /// slot.
  /// - Returns: whether any limit was overdrawn.
  @inline(__always) mutating func settle(
    _ account: QuotaAccount, _ demand: Demand, _ actual: Actual, boot: Int64, slot: Int, _ flight: FlightTable
  ) -> Bool {
    var isOverdrawn = false
    var number = 0
    for index in account.budgets {
      let lease = flight.lease(slot, number)
      let worst = flight.worst(slot, number)
      if lease != 0 {
        let cost = actual[budgets[index].dimension]
        if cost > worst { isOverdrawn = true }
        flight.writeActual(slot, number, cost)
        if budgets[index].lease == lease {
          budgets[index].settle(worst: worst, actual: cost)
        } else {
          settleRetired(lease, worst: worst, actual: cost)
        }
      }
      number &+= 1
    }
    for index in account.rates {
      let worst = demand[rates[index].dimension]
      let cost = actual[rates[index].dimension]
      if cost < worst {
        rates[index].bucket.credit(worst &- cost, now: boot)
      } else if cost > worst {
        rates[index].bucket.debit(cost &- worst, now: boot)
      }
      if rates[index].place >= 0 { flight.writeRate(rates[index].place, arrival: rates[index].bucket.arrival) }
    }
    return isOverdrawn
  }

  private mutating func settleRetired(_ lease: UInt32, worst: Int64, actual: Int64) {
    guard let place = retired.firstIndex(where: { $0.lease == lease }) else { return }
    retired[place].reserved = max(0, Amount.difference(retired[place].reserved, worst))
    retired[place].settled = Amount.sum(retired[place].settled, actual)
  }
}
