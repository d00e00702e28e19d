import Synchronization
import Testing

@testable import Quotas

/// A ledger that fails on demand, before or after the transaction: then it has happened and nobody knows.
final class FlakyLedger: Ledger {
  enum Mode: Sendable { case works, failsBefore, failsAfter }

  let inner = MemoryLedger()
  private let mode = Mutex(Mode.works)

  func set(_ fresh: Mode) { mode.withLock { $0 = fresh } }

  func open(node: UInt128, epoch: UInt32) throws(QuotaError) -> LedgerOpening {
    try inner.open(node: node, epoch: epoch)
  }

  func apply(
    _ operations: [LedgerOperation], node: UInt128, epoch: UInt32, now: Int64
  ) throws(QuotaError) -> [LedgerAnswer] {
    let mode = mode.withLock { $0 }
    if mode == .failsBefore { throw QuotaError(.ledgerUnavailable) }
    let answers = try inner.apply(operations, node: node, epoch: epoch, now: now)
    if mode == .failsAfter { throw QuotaError(.ledgerUnavailable) }
    return answers
  }

  func totals(limits: [UInt64]) throws(QuotaError) -> [BudgetRow] { try inner.totals(limits: limits) }
  func usage(tenant: UInt128, from: Int32, to: Int32) throws(QuotaError) -> [UsageRow] {
    try inner.usage(tenant: tenant, from: from, to: to)
  }
  func unreconciled(tenant: UInt128?) throws(QuotaError) -> [UnreconciledAttempt] {
    try inner.unreconciled(tenant: tenant)
  }
}

/// One attempt and what its provider will bill.
struct SimulatedAttempt {
  enum Phase { case reserved, sent, billed, ended }

  let id: UInt128
  var reservation: Reservation
  let demand: Demand
  let actual: Actual
  /// The leases it was taken from, in the order of the account's budgets.
  let leases: [UInt32]
  var phase = Phase.reserved
}

/// A node whose process can be killed between any two steps: what it wrote survives, what it remembers does not.
final class SimulatedNode {
  static let id: UInt128 = 77

  let ledger = FlakyLedger()
  let clock: ManualQuotaClock
  let limits: [Limit]
  let owner: UsageOwner
  private(set) var epoch: UInt32 = 0
  private(set) var gate: QuotaGate
  private(set) var account: QuotaAccount
  private(set) var flight = HeapFlightMemory(slots: 64, rates: 16)
  /// By epoch, as on disk; `synced` bytes of the current one survive a power cut too.
  private(set) var journals: [UInt32: [UInt8]] = [:]
  var synced = 0
  /// In the writer's queue: lost with the process.
  private(set) var queue: [UInt8] = []
  private var toConfirm: [Reservation] = []
  private(set) var woken: [UInt64] = []
  private let wakes = Mutex<[UInt64]>([])

  init(limits: [Limit], owner: UsageOwner, clock: ManualQuotaClock) throws {
    self.limits = limits
    self.owner = owner
    self.clock = clock
    epoch = 1
    _ = try ledger.open(node: Self.id, epoch: 1)
    gate = QuotaGate(
      node: QuotaGate.Node(id: Self.id, epoch: 1), flight: flight, ledger: ledger, clock: clock, zones: UTCRules(),
      wake: { _, _ in })
    account = try gate.account(limits, owner: owner, zone: "UTC")
  }

  /// Asks as an exchange does: parked, woken after the ledger's turn, asked again.
  func reserve(_ demand: Demand, attempt: UInt128, actual: Actual) -> (SimulatedAttempt?, QuotaRefusal?) {
    for _ in 0..<5 {
      var reservation = Reservation()
      switch gate.reserve(
        account, demand, attempt: attempt, loop: 0, ticket: 1, into: &reservation, journal: &queue)
      {
      case .admitted:
        let slot = Int(reservation.slot)
        let leases = account.budgets.indices.map { gate.flight.lease(slot, $0) }
        return (
          SimulatedAttempt(id: attempt, reservation: reservation, demand: demand, actual: actual, leases: leases), nil
        )
      case .refused(let refusal): return (nil, refusal)
      case .waiting: _ = gate.turn()
      }
    }
    return (nil, nil)
  }

  func send(_ attempt: inout SimulatedAttempt) {
    gate.sent(&attempt.reservation)
    attempt.phase = .sent
  }

  func settle(_ attempt: inout SimulatedAttempt) {
    gate.settle(&attempt.reservation, attempt.actual, journal: &queue)
    toConfirm.append(attempt.reservation)
    attempt.phase = .ended
  }

  func release(_ attempt: inout SimulatedAttempt) {
    gate.release(&attempt.reservation, journal: &queue)
    toConfirm.append(attempt.reservation)
    attempt.phase = .ended
  }

  /// The log's writer writes its batch and confirms.
  func write() {
    journals[epoch, default: []].append(contentsOf: queue)
    queue.removeAll()
    for index in toConfirm.indices { gate.confirmed(&toConfirm[index]) }
    toConfirm.removeAll()
  }

  /// The writer begins a new journal file; the old one goes after a flush, if that works.
  func roll() throws {
    write()
    var fresh: [UInt8] = []
    gate.journalSnapshot(into: &fresh)
    try gate.flush()
    journals[epoch] = fresh
    synced = 0
  }

  func damageJournal(_ body: (inout [UInt8]) -> Void) { body(&journals[epoch, default: []]) }

  enum Stop { case kill, power, clean }

  /// Ends the process and starts the next one; `repeats` times the start itself is killed after its recovery.
  @discardableResult
  func restart(_ stop: Stop, repeats: Int = 0, torn: Int = 0) throws -> QuotaRecovery.Report {
    if stop == .clean {
      write()
      try gate.stop()
    }
    queue.removeAll()
    toConfirm.removeAll()
    var snapshot = FlightSnapshot(flight.copyBytes())
    if stop == .power {
      snapshot = nil
      if let bytes = journals[epoch] { journals[epoch] = Array(bytes.prefix(max(synced, bytes.count - torn))) }
    }
    var report = QuotaRecovery.Report()
    for round in 0...repeats {
      epoch += 1
      let opening = try ledger.open(node: Self.id, epoch: epoch)
      let recovery = QuotaRecovery(
        flight: snapshot, isSameBoot: stop != .power,
        journals: journals.map { QuotaRecovery.Journal(epoch: $0.key, bytes: $0.value) }, opening: opening,
        epoch: epoch)
      try recovery.apply(to: ledger, node: Self.id, epoch: epoch)
      try recovery.apply(to: ledger, node: Self.id, epoch: epoch)
      if round == 0 { report = recovery.report }
    }
    journals.removeAll()
    synced = 0
    if stop == .power { flight = HeapFlightMemory(slots: 64, rates: 16) }
    gate = QuotaGate(
      node: QuotaGate.Node(
        id: Self.id, epoch: epoch, lastTime: report.lastTime, rateStart: report.rateStart), flight: flight,
      ledger: ledger, clock: clock, zones: UTCRules(), wake: { _, _ in })
    account = try gate.account(limits, owner: owner, zone: "UTC")
    return report
  }
}
