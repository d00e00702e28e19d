/// Works out what an unclean stop left behind, from what survived it (section 4 of the quotas page, "Start after an
/// unclean stop"), and books it. Nothing survives: nothing to do.
public struct QuotaRecovery: Sendable {
  /// One journal file of an epoch.
  public struct Journal: Sendable {
    public let epoch: UInt32
    public let replay: JournalReplay

    public init(epoch: UInt32, bytes: [UInt8]) {
      self.epoch = epoch
      replay = JournalReplay(bytes)
    }
  }

  /// What was found and booked.
  public struct Report: Sendable, Equatable {
    /// Settlements that the ledger did not have yet.
    public var settled = 0
    /// Reserved and never sent.
    public var released = 0
    /// Sent, and nobody knows what they cost.
    public var unreconciled = 0
    /// Leases whose remainder counts as spent, because the attempts on them are not known.
    public var lostLeases = 0
    /// The latest time that anything knew, nanoseconds since 1970; 0 if none.
    public var lastTime: Int64 = 0
    public var rateStart = QuotaGate.RateStart.full
    /// A journal had bad bytes in its middle.
    public var isJournalDamaged = false
  }

  public private(set) var report = Report()
  /// One transaction for the ledger; empty if there is nothing to book.
  public private(set) var operations: [LedgerOperation] = []

  private struct Settlement {
    let amounts: [JournalRecord.Amount]
    let row: UsageRow
  }

  private struct Number: Hashable {
    let mark: LedgerOpening.Mark
    let sequence: UInt64
  }

  /// - Parameters:
  ///   - flight: what lay in flight memory; nil if nothing readable did.
  ///   - isSameBoot: whether the machine has not been restarted since that was written.
  ///   - journals: all files that are there.
  ///   - opening: what the ledger said when this epoch was opened.
  public init(flight: FlightSnapshot?, isSameBoot: Bool, journals: [Journal], opening: LedgerOpening, epoch: UInt32) {
    let journals = journals.filter { $0.epoch > opening.recoveredEpoch && $0.epoch < epoch }
    let flight = flight.flatMap { $0.epoch > opening.recoveredEpoch && $0.epoch < epoch && isSameBoot ? $0 : nil }
    report.lastTime = opening.lastTime
    var numbered: [Number: Settlement] = [:]
    var ended: Set<UInt128> = []
    var damagedEpochs: Set<UInt32> = []
    // A snapshot's totals hold all settlements up to its number.
    var snapshots: [LedgerOpening.Mark: (sequence: UInt64, totals: [UInt32: Int64])] = [:]
    for journal in journals {
      if case .damaged = journal.replay.end { damagedEpochs.insert(journal.epoch) }
      for record in journal.replay.records {
        if record.time > 0 { report.lastTime = max(report.lastTime, record.time) }
        switch record.type {
        case .settle:
          guard let settlement = record.settlement else { continue }
          let mark = LedgerOpening.Mark(tenant: settlement.owner.tenant, epoch: journal.epoch)
          numbered[Number(mark: mark, sequence: settlement.sequence)] = Settlement(
            amounts: record.amounts,
            row: UsageRow(owner: settlement.owner, day: settlement.day, totals: settlement.totals))
          ended.insert(record.attempt)
        case .release: ended.insert(record.attempt)
        case .snapshot:
          let mark = LedgerOpening.Mark(tenant: record.attempt, epoch: journal.epoch)
          if record.snapshotSequence > snapshots[mark]?.sequence ?? 0 {
            snapshots[mark] = (record.snapshotSequence, [:])
          }
          guard record.snapshotSequence == snapshots[mark]?.sequence else { continue }
          for amount in record.amounts { snapshots[mark]?.totals[amount.lease] = Amount.clampedTotal(amount.amount) }
        default: break
        }
      }
    }
    report.isJournalDamaged = !damagedEpochs.isEmpty
    var open: [UInt32: [Orphan.Attempt]] = [:]
    var cut: [UnreconciledAttempt] = []
    for slot in flight?.slots ?? [] {
      report.lastTime = max(report.lastTime, slot.time)
      switch slot.state {
      case .free: break
      case .reserved: if !ended.contains(slot.attempt) { report.released += 1 }
      case .settled:
        guard let flight, slot.sequence > 0 else { continue }
        let mark = LedgerOpening.Mark(tenant: slot.owner.tenant, epoch: flight.epoch)
        numbered[Number(mark: mark, sequence: slot.sequence)] = Settlement(
          amounts: slot.entries.map { JournalRecord.Amount(lease: $0.lease, amount: $0.actual) },
          row: UsageRow(
            owner: slot.owner, day: slot.day,
            totals: UsageTotals(
              requests: 1, inputTokens: slot.inputTokens, outputTokens: slot.outputTokens, money: slot.money)))
      case .sent:
        if ended.contains(slot.attempt) { continue }
        report.unreconciled += 1
        for entry in slot.entries where entry.lease != 0 {
          open[entry.lease, default: []].append(Orphan.Attempt(attempt: slot.attempt, amount: entry.worst))
        }
        cut.append(
          UnreconciledAttempt(
            attempt: slot.attempt, owner: slot.owner, tenant: slot.owner.tenant, day: slot.day,
            inputTokens: slot.inputTokens, outputTokens: Int64(slot.outputSoFar), money: slot.money))
      }
    }
    let settledByLease = Self.settled(numbered, snapshots: snapshots, opening: opening)
    for lease in opening.leases {
      let total = max(lease.settled, settledByLease[lease.id] ?? lease.settled)
      let isExact = flight?.epoch == lease.epoch && !damagedEpochs.contains(lease.epoch)
      let attempts = open[lease.id] ?? []
      let promised = attempts.reduce(into: Int64(0)) { $0 = Amount.sum($0, $1.amount) }
      if !isExact, Amount.sum(total, promised) < lease.granted { report.lostLeases += 1 }
      plan(
        .orphan(
          Orphan(lease: lease.id, settledTotal: total, open: attempts, keepRemainder: !isExact)))
    }
    for attempt in cut { plan(.openAttempt(attempt)) }
    planUsage(numbered, opening)
    if epoch > 1 { plan(.recovered(epoch: epoch - 1)) }
    if flight != nil {
      report.rateStart = .kept
    } else if report.lastTime > 0 {
      report.rateStart = .emptyAt(report.lastTime)
    }
  }

  /// Books it: one transaction, which may be repeated.
  public func apply(to ledger: any Ledger, node: UInt128, epoch: UInt32) throws(QuotaError) {
    guard !operations.isEmpty else { return }
    let answers = try ledger.apply(operations, node: node, epoch: epoch, now: report.lastTime)
    if answers.contains(where: { $0.outcome == .fenced }) { throw QuotaError(.fenced) }
  }

  /// Numbers that no gate of this epoch will use.
  private mutating func plan(_ kind: LedgerOperation.Kind) {
    operations.append(LedgerOperation(sequence: LedgerDriver.firstSequence &+ UInt64(operations.count), kind: kind))
  }

  private static func settled(
    _ numbered: [Number: Settlement], snapshots: [LedgerOpening.Mark: (sequence: UInt64, totals: [UInt32: Int64])],
    opening: LedgerOpening
  ) -> [UInt32: Int64] {
    var totals: [UInt32: Int64] = [:]
    var base: [UInt32: UInt64] = [:]
    let leases = Dictionary(opening.leases.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    for lease in opening.leases {
      guard let tenant = opening.tenants[lease.id] else { continue }
      let mark = LedgerOpening.Mark(tenant: tenant, epoch: lease.epoch)
      totals[lease.id] = lease.settled
      base[lease.id] = opening.marks[mark] ?? 0
      if let snapshot = snapshots[mark], snapshot.sequence > base[lease.id] ?? 0 {
        totals[lease.id] = max(lease.settled, snapshot.totals[lease.id] ?? 0)
        base[lease.id] = snapshot.sequence
      }
    }
    for (number, settlement) in numbered {
      for amount in settlement.amounts {
        guard let lease = leases[amount.lease], lease.epoch == number.mark.epoch,
          number.sequence > base[lease.id] ?? .max
        else { continue }
        totals[lease.id] = Amount.sum(totals[lease.id] ?? 0, Amount.clamped(amount.amount))
      }
    }
    return totals
  }

  private mutating func planUsage(_ numbered: [Number: Settlement], _ opening: LedgerOpening) {
    var byMark: [LedgerOpening.Mark: (through: UInt64, rows: [UsageRow])] = [:]
    for (number, settlement) in numbered where number.sequence > opening.marks[number.mark] ?? 0 {
      var news = byMark.removeValue(forKey: number.mark) ?? (0, [])
      news.rows.append(settlement.row)
      news.through = max(news.through, number.sequence)
      byMark[number.mark] = news
      report.settled += 1
    }
    for (mark, news) in byMark.sorted(by: { ($0.key.epoch, $0.key.tenant) < ($1.key.epoch, $1.key.tenant) }) {
      plan(.usage(tenant: mark.tenant, epoch: mark.epoch, through: news.through, rows: news.rows))
    }
  }
}

extension Amount {
  static func clampedTotal(_ value: Int64) -> Int64 { max(0, value) }
}
