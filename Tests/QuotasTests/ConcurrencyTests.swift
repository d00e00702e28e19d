import Dispatch
import Foundation
import Synchronization
import Testing

@testable import Quotas

/// Wakes threads by ticket, as an event loop wakes exchanges.
private final class Wakes: Sendable {
  private let parked = Mutex<[UInt64: DispatchSemaphore]>([:])

  func park(_ ticket: UInt64) -> DispatchSemaphore {
    let semaphore = DispatchSemaphore(value: 0)
    parked.withLock { $0[ticket] = semaphore }
    return semaphore
  }

  func wake(_ tickets: [UInt64]) {
    let found = parked.withLock { parked in tickets.compactMap { parked.removeValue(forKey: $0) } }
    for semaphore in found { semaphore.signal() }
  }
}

struct ConcurrencyTests {
  private static func world(amount: Int64) throws -> (QuotaGate, QuotaAccount, MemoryLedger, Wakes) {
    let ledger = MemoryLedger()
    _ = try ledger.open(node: 1, epoch: 1)
    let wakes = Wakes()
    let gate = QuotaGate(
      node: QuotaGate.Node(id: 1, epoch: 1), flight: HeapFlightMemory(slots: 512, rates: 8), ledger: ledger,
      clock: ManualQuotaClock(wallNanoseconds: 1_790_000_000_000_000_000), zones: UTCRules(),
      wake: { _, tickets in wakes.wake(tickets) })
    let limit = try Limit(
      scope: LimitScope(.tenant, 1), dimension: .requests, kind: .budget(.day, zone: "UTC"), amount: amount,
      name: "requests per day of the tenant")
    let account = try gate.account([limit], owner: UsageOwner(tenant: 1, project: 2, key: 3), zone: "UTC")
    gate.start()
    return (gate, account, ledger, wakes)
  }

  private static func reserve(
    _ gate: QuotaGate, _ account: QuotaAccount, _ wakes: Wakes, _ ticket: UInt64
  ) -> (Reservation?, QuotaRefusal?) {
    var journal: [UInt8] = []
    while true {
      let semaphore = wakes.park(ticket)
      var reservation = Reservation()
      switch gate.reserve(
        account, Demand(inputTokens: 1, outputTokens: 1, money: 0), attempt: UInt128(ticket), loop: 0, ticket: ticket,
        into: &reservation, journal: &journal)
      {
      case .admitted: return (reservation, nil)
      case .refused(let refusal): return (nil, refusal)
      case .waiting: if semaphore.wait(timeout: .now() + 20) == .timedOut { return (nil, nil) }
      }
    }
  }

  private static func threads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let group = DispatchGroup()
    for index in 0..<count {
      group.enter()
      let thread = Thread {
        body(index)
        group.leave()
      }
      thread.stackSize = 1 << 18
      thread.start()
    }
    group.wait()
  }

  @Test func twoHundredThreadsGetExactlyWhatThereIs() throws {
    let (gate, account, ledger, wakes) = try Self.world(amount: 50)
    let admitted = Mutex<[Reservation]>([])
    let refused = Mutex<[QuotaRefusal?]>([])
    Self.threads(200) { index in
      let (reservation, refusal) = Self.reserve(gate, account, wakes, UInt64(index))
      if let reservation {
        admitted.withLock { $0.append(reservation) }
      } else {
        refused.withLock { $0.append(refusal) }
      }
    }
    #expect(admitted.withLock { $0.count } == 50)
    #expect(
      refused.withLock { $0.allSatisfy { $0?.code == .rateLimitExceeded } }, "only open reservations are in the way")
    var journal: [UInt8] = []
    // Half is given back, the other half is spent: what came back can be had again at once, and no more.
    for (index, reservation) in admitted.withLock({ $0 }).enumerated() {
      var reservation = reservation
      if index % 2 == 0 {
        gate.release(&reservation, journal: &journal)
      } else {
        gate.sent(&reservation)
        gate.settle(&reservation, Actual(inputTokens: 1, outputTokens: 1, money: 0), journal: &journal)
      }
      gate.confirmed(&reservation)
    }
    let again = Mutex(0)
    Self.threads(25) { index in
      let (reservation, _) = Self.reserve(gate, account, wakes, 1_000 + UInt64(index))
      guard var reservation else { return }
      var journal: [UInt8] = []
      gate.settle(&reservation, Actual(inputTokens: 1, outputTokens: 1, money: 0), journal: &journal)
      gate.confirmed(&reservation)
      again.withLock { $0 += 1 }
    }
    #expect(again.withLock { $0 } == 25)
    let (more, refusal) = Self.reserve(gate, account, wakes, 5_000)
    #expect(more == nil)
    #expect(refusal?.code == .insufficientQuota)
    #expect(refusal?.shouldRetry == false)
    try gate.stop()
    let row = try #require(ledger.rows.budgets.first)
    #expect(row.committed == 50 && row.leased == 0)
    #expect(gate.openReservations == 0)
  }

  @Test func throughputOfManyThreadsLosesNothing() throws {
    let (gate, account, ledger, wakes) = try Self.world(amount: 20_000)
    Self.threads(40) { index in
      for round in 0..<250 {
        let (reservation, _) = Self.reserve(gate, account, wakes, UInt64(index * 1_000 + round))
        guard var reservation else { return }
        var journal: [UInt8] = []
        gate.sent(&reservation)
        gate.settle(&reservation, Actual(inputTokens: 1, outputTokens: 2, money: 3), journal: &journal)
        gate.confirmed(&reservation)
      }
    }
    let report = try gate.usageReport(tenant: 1, from: .min, to: .max)
    #expect(report.totals == UsageTotals(requests: 10_000, inputTokens: 10_000, outputTokens: 20_000, money: 30_000))
    try gate.stop()
    #expect(ledger.rows.budgets.first?.committed == 10_000)
  }

  @Test func stopReleasesThoseWhoWait() throws {
    let (gate, account, ledger, wakes) = try Self.world(amount: 10)
    ledger.fail(with: QuotaError(.ledgerUnavailable))
    let (reservation, refusal) = Self.reserve(gate, account, wakes, 1)
    #expect(reservation == nil)
    #expect(refusal?.code == .ledgerUnavailable)
    #expect(throws: QuotaError.self) { try gate.stop() }
    #expect(Self.reserve(gate, account, wakes, 2).1?.code == .ledgerUnavailable)
  }
}
