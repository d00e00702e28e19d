import Foundation
import Quotas
import StorageSQLite
import Testing

/// One suite, every store.
struct LedgerConformanceTests {
  enum Store: String, CaseIterable, Sendable { case memory, sqlite }

  private static let window = BudgetWindow(start: 1_000, end: 2_000)
  private static let node: UInt128 = 5

  private func with(_ store: Store, _ body: (any Ledger) throws -> Void) throws {
    switch store {
    case .memory: try body(MemoryLedger())
    case .sqlite:
      let folder = FileManager.default.temporaryDirectory.appending(path: "ledger-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(at: folder) }
      try body(try SQLiteLedger(path: folder.appending(path: "ledger.db").path))
    }
  }

  private func lease(
    _ sequence: UInt64, want: Int64, min: Int64 = 1, amount: Int64 = 100, limit: UInt64 = .max, now: Int64 = 1_500,
    window: BudgetWindow = LedgerConformanceTests.window
  ) -> LedgerOperation {
    LedgerOperation(
      sequence: sequence,
      kind: .lease(
        LeaseRequest(
          limit: limit, tenant: 9, dimension: .tokens, amount: amount, window: window, now: now, want: want, min: min)))
  }

  private func one(
    _ ledger: any Ledger, _ operation: LedgerOperation, node: UInt128 = LedgerConformanceTests.node, epoch: UInt32 = 1
  ) throws -> LedgerAnswer {
    try #require(try ledger.apply([operation], node: node, epoch: epoch, now: 1_500).first)
  }

  private func apply(_ ledger: any Ledger, _ sequence: UInt64, _ kind: LedgerOperation.Kind) throws -> LedgerAnswer {
    try one(ledger, LedgerOperation(sequence: sequence, kind: kind))
  }

  @Test(arguments: Store.allCases)
  func grantsBetweenTheLeastAndWhatIsFree(store: Store) throws {
    try with(store) { ledger in
      _ = try ledger.open(node: Self.node, epoch: 1)
      let first = try one(ledger, lease(1, want: 70))
      #expect(first.outcome == .granted && first.amount == 70)
      #expect(first.budget?.free == 30)
      let rest = try one(ledger, lease(2, want: 50, min: 10))
      #expect(rest.amount == 30 && rest.lease?.id == first.lease?.id && rest.lease?.granted == 100)
      let none = try one(ledger, lease(3, want: 1))
      #expect(none.outcome == .refused && none.amount == 0 && none.budget?.free == 0)
      #expect(try ledger.totals(limits: [.max, 3]).map(\.leased) == [100])
    }
  }

  @Test(arguments: Store.allCases)
  func refusesWhatIsLessThanTheLeast(store: Store) throws {
    try with(store) { ledger in
      _ = try ledger.open(node: Self.node, epoch: 1)
      let answer = try one(ledger, lease(1, want: 500, min: 101))
      #expect(answer.outcome == .refused)
      #expect(answer.lease?.outstanding == 0)
      #expect(answer.budget?.leased == 0)
    }
  }

  @Test(arguments: Store.allCases)
  func aRepeatedOperationChangesNothingAndAnswersTheSame(store: Store) throws {
    try with(store) { ledger in
      _ = try ledger.open(node: Self.node, epoch: 1)
      let first = try one(ledger, lease(1, want: 40))
      #expect(try one(ledger, lease(1, want: 40)) == first)
      let id = try #require(first.lease?.id)
      let given = try apply(ledger, 2, .shrink(lease: id, by: 15))
      #expect(given.amount == 15)
      #expect(try apply(ledger, 2, .shrink(lease: id, by: 15)) == given)
      #expect(try ledger.totals(limits: [.max]).first?.leased == 25)
      _ = try apply(ledger, 3, .report(lease: id, settledTotal: 10))
      _ = try apply(ledger, 4, .report(lease: id, settledTotal: 10))
      _ = try apply(ledger, 5, .report(lease: id, settledTotal: 4))
      let row = try #require(try ledger.totals(limits: [.max]).first)
      #expect(row.committed == 10 && row.leased == 15)
    }
  }

  @Test(arguments: Store.allCases)
  func anOverdraftIsCommittedInFull(store: Store) throws {
    try with(store) { ledger in
      _ = try ledger.open(node: Self.node, epoch: 1)
      let id = try #require(try one(ledger, lease(1, want: 100)).lease?.id)
      let answer = try apply(ledger, 2, .report(lease: id, settledTotal: 130))
      #expect(answer.amount == 30)
      #expect(answer.budget?.committed == 130 && answer.budget?.leased == 0 && answer.budget?.free == -30)
      #expect(answer.lease?.granted == 130)
      #expect(try one(ledger, lease(3, want: 1)).outcome == .refused)
    }
  }

  @Test(arguments: Store.allCases)
  func closingGivesTheHeadroomBack(store: Store) throws {
    try with(store) { ledger in
      _ = try ledger.open(node: Self.node, epoch: 1)
      let id = try #require(try one(ledger, lease(1, want: 60)).lease?.id)
      let answer = try apply(ledger, 2, .close(lease: id, settledTotal: 20))
      #expect(answer.budget?.committed == 20 && answer.budget?.leased == 0 && answer.lease?.isOpen == false)
      #expect(try apply(ledger, 3, .close(lease: id, settledTotal: 50)).budget?.committed == 20)
      #expect(try apply(ledger, 4, .report(lease: id, settledTotal: 50)).budget?.committed == 20)
      #expect(try ledger.open(node: Self.node, epoch: 2).leases.isEmpty)
    }
  }

  @Test(arguments: Store.allCases)
  func anOrphanKeepsItsOpenAttemptsUntilTheyAreReconciled(store: Store) throws {
    try with(store) { ledger in
      _ = try ledger.open(node: Self.node, epoch: 1)
      let id = try #require(try one(ledger, lease(1, want: 80)).lease?.id)
      let opening = try ledger.open(node: Self.node, epoch: 2)
      #expect(opening.leases.map(\.id) == [id])
      #expect(opening.tenants == [id: 9])
      let owner = UsageOwner(tenant: 9, project: 1, key: 2, user: 3)
      let operations: [LedgerOperation.Kind] = [
        .orphan(
          Orphan(lease: id, settledTotal: 30, open: [.init(attempt: 1_000, amount: 25)], keepRemainder: false)),
        .openAttempt(
          UnreconciledAttempt(
            attempt: 1_000, owner: owner, tenant: 9, day: 4, inputTokens: 5, outputTokens: 6, money: 7)),
        .recovered(epoch: 1),
      ]
      for round in 0..<2 {
        let batch = operations.enumerated().map {
          LedgerOperation(sequence: UInt64(100 * round + $0.offset), kind: $0.element)
        }
        _ = try ledger.apply(batch, node: Self.node, epoch: 2, now: 1_600)
        let row = try #require(try ledger.totals(limits: [.max]).first)
        #expect(row.committed == 30 && row.leased == 0 && row.unreconciled == 25)
      }
      #expect(try ledger.unreconciled(tenant: 9).map(\.attempt) == [1_000])
      #expect(try ledger.unreconciled(tenant: 8).isEmpty)
      #expect(try ledger.unreconciled(tenant: nil).first?.owner == owner)
      let actual = UsageTotals(requests: 1, inputTokens: 8, outputTokens: 4, money: 0)
      let reconcile = LedgerOperation(sequence: 500, kind: .reconcile(attempt: 1_000, actual: actual))
      #expect(try one(ledger, reconcile, epoch: 2).outcome == .done)
      #expect(
        try one(ledger, LedgerOperation(sequence: 501, kind: reconcile.kind), epoch: 2).outcome == .unknown)
      let row = try #require(try ledger.totals(limits: [.max]).first)
      #expect(row.committed == 42 && row.unreconciled == 0 && row.free == 58)
      #expect(try ledger.usage(tenant: 9, from: 4, to: 4) == [UsageRow(owner: owner, day: 4, totals: actual)])
      #expect(try ledger.open(node: Self.node, epoch: 3).recoveredEpoch == 1)
    }
  }

  @Test(arguments: Store.allCases)
  func aLeaseWhoseAttemptsAreUnknownCountsAsSpent(store: Store) throws {
    try with(store) { ledger in
      _ = try ledger.open(node: Self.node, epoch: 1)
      let id = try #require(try one(ledger, lease(1, want: 80)).lease?.id)
      let answer = try apply(
        ledger, 2, .orphan(Orphan(lease: id, settledTotal: 30, open: [], keepRemainder: true)))
      #expect(answer.amount == 50 && answer.budget?.unreconciled == 50)
      #expect(try ledger.unreconciled(tenant: 9).map(\.attempt) == [UInt128(id)])
      let done = try apply(ledger, 3, .reconcile(attempt: UInt128(id), actual: UsageTotals(inputTokens: 20)))
      #expect(done.outcome == .done)
      #expect(try ledger.totals(limits: [.max]).first?.committed == 50)
      #expect(try ledger.usage(tenant: 9, from: .min, to: .max).isEmpty)
    }
  }

  @Test(arguments: Store.allCases)
  func usageIsAddedOncePerNumber(store: Store) throws {
    try with(store) { ledger in
      _ = try ledger.open(node: Self.node, epoch: 1)
      let owner = UsageOwner(tenant: 9, project: 1, key: 2)
      let row = UsageRow(
        owner: owner, day: 3, totals: UsageTotals(requests: 1, inputTokens: 2, outputTokens: 3, money: 4))
      _ = try apply(ledger, 1, .usage(tenant: 9, epoch: 1, through: 5, rows: [row, row]))
      _ = try apply(ledger, 2, .usage(tenant: 9, epoch: 1, through: 5, rows: [row]))
      _ = try apply(ledger, 3, .usage(tenant: 9, epoch: 1, through: 4, rows: [row]))
      _ = try apply(ledger, 4, .usage(tenant: 9, epoch: 1, through: 6, rows: [row]))
      #expect(try ledger.usage(tenant: 9, from: 3, to: 3).map(\.totals.requests) == [3])
      #expect(try ledger.usage(tenant: 9, from: 4, to: 9).isEmpty)
      #expect(try ledger.usage(tenant: 8, from: 0, to: 9).isEmpty, "another tenant's use")
      let marks = try ledger.open(node: Self.node, epoch: 2).marks
      #expect(marks == [LedgerOpening.Mark(tenant: 9, epoch: 1): 6])
    }
  }

  @Test(arguments: Store.allCases)
  func anOlderProcessIsFenced(store: Store) throws {
    try with(store) { ledger in
      _ = try ledger.open(node: Self.node, epoch: 1)
      let id = try #require(try one(ledger, lease(1, want: 10)).lease?.id)
      _ = try ledger.open(node: Self.node, epoch: 2)
      #expect(try apply(ledger, 2, .report(lease: id, settledTotal: 5)).outcome == .fenced)
      #expect(try ledger.totals(limits: [.max]).first?.committed == 0)
      #expect(throws: QuotaError(.fenced)) { try ledger.open(node: Self.node, epoch: 2) }
      #expect(try one(ledger, lease(1, want: 10), node: 66).outcome == .fenced, "a node that never opened")
    }
  }

  @Test(arguments: Store.allCases)
  func anotherNodesLeaseIsOutOfReach(store: Store) throws {
    try with(store) { ledger in
      _ = try ledger.open(node: Self.node, epoch: 1)
      _ = try ledger.open(node: 6, epoch: 1)
      let id = try #require(try one(ledger, lease(1, want: 60)).lease?.id)
      let other = try one(ledger, lease(1, want: 60), node: 6)
      #expect(other.amount == 40 && other.lease?.id != id)
      let foreign = LedgerOperation(sequence: 2, kind: .shrink(lease: id, by: 10))
      #expect(try one(ledger, foreign, node: 6).outcome == .unknown)
      #expect(try ledger.totals(limits: [.max]).first?.leased == 100)
    }
  }

  @Test(arguments: Store.allCases)
  func aWindowIsNeverOpenedTwice(store: Store) throws {
    try with(store) { ledger in
      _ = try ledger.open(node: Self.node, epoch: 1)
      _ = try one(ledger, lease(1, want: 60))
      let overlapping = BudgetWindow(start: 1_400, end: 2_400)
      let same = try one(ledger, lease(2, want: 10, window: overlapping))
      #expect(same.budget?.window == Self.window)
      let next = try one(ledger, lease(3, want: 100, now: 2_000, window: overlapping))
      #expect(next.budget?.window == BudgetWindow(start: 2_000, end: 2_400) && next.amount == 100)
      let back = try one(ledger, lease(4, want: 100, now: 1_500))
      #expect(back.budget?.window.start == 2_000 && back.outcome == .refused, "a clock that went back")
    }
  }

  @Test(arguments: Store.allCases)
  func aLoweredAmountStopsGrantsAndTakesNothingBack(store: Store) throws {
    try with(store) { ledger in
      _ = try ledger.open(node: Self.node, epoch: 1)
      _ = try one(ledger, lease(1, want: 60))
      let answer = try one(ledger, lease(2, want: 1, amount: 50))
      #expect(answer.outcome == .refused && answer.budget?.free == -10 && answer.lease?.granted == 60)
    }
  }

  @Test(arguments: Store.allCases)
  func remembersTheLatestTime(store: Store) throws {
    try with(store) { ledger in
      _ = try ledger.open(node: Self.node, epoch: 1)
      _ = try ledger.apply([], node: Self.node, epoch: 1, now: 900)
      _ = try ledger.apply([], node: Self.node, epoch: 1, now: 800)
      #expect(try ledger.open(node: Self.node, epoch: 2).lastTime == 900)
    }
  }

  @Test func pruningForgetsOnlyWhatIsOver() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "ledger-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let ledger = try SQLiteLedger(path: folder.appending(path: "ledger.db").path)
    _ = try ledger.open(node: Self.node, epoch: 1)
    let closed = try #require(try one(ledger, lease(1, want: 10, limit: 1)).lease?.id)
    _ = try apply(ledger, 2, .close(lease: closed, settledTotal: 5))
    _ = try one(ledger, lease(3, want: 10, limit: 2))
    let lost = try #require(try one(ledger, lease(4, want: 10, limit: 3)).lease?.id)
    _ = try apply(ledger, 5, .orphan(Orphan(lease: lost, settledTotal: 0, open: [], keepRemainder: true)))
    let later = try one(
      ledger, lease(6, want: 10, limit: 4, window: BudgetWindow(start: 1_000, end: 9_000)))
    _ = try apply(ledger, 7, .close(lease: try #require(later.lease?.id), settledTotal: 0))
    try ledger.prune(endedBefore: 2_000)
    #expect(try ledger.rows().budgets.map(\.limit).sorted() == [1, 2, 3, 4])
    try ledger.prune(endedBefore: 2_001)
    #expect(try ledger.rows().budgets.map(\.limit).sorted() == [2, 3, 4])
    #expect(try ledger.rows().leases.map(\.limit).sorted() == [2, 4])
    let again = try one(ledger, lease(8, want: 10, limit: 1))
    #expect(again.lease?.id != closed, "a lease number is never used twice")
  }

  @Test func theFileKeepsEverythingAndADamagedOneIsRefused() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "ledger-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "ledger.db").path
    do {
      let ledger = try SQLiteLedger(path: path)
      _ = try ledger.open(node: Self.node, epoch: 1)
      _ = try one(ledger, lease(1, want: 60))
    }
    do {
      let ledger = try SQLiteLedger(path: path)
      #expect(try ledger.open(node: Self.node, epoch: 2).leases.map(\.granted) == [60])
    }
    let other = folder.appending(path: "damaged.db").path
    try Data(repeating: 0x41, count: 8_192).write(to: URL(filePath: other))
    #expect { try SQLiteLedger(path: other) } throws: { ($0 as? QuotaError)?.code == .ledgerDamaged }
  }

  private static let owner = UsageOwner(tenant: 9, project: 2, key: 3)

  private func booking(_ attempt: UInt128, lease: UInt32, _ amount: Int64) -> Booking {
    Booking(
      attempt: attempt, owner: Self.owner, day: 4, shares: [Booking.Share(lease: lease, amount: amount)],
      totals: UsageTotals(requests: 1, inputTokens: amount - 10, outputTokens: 10, money: 0))
  }

  private func correction(_ booking: Booking, _ tokens: Int64) -> LedgerOperation.Kind {
    .correct(
      Correction(
        booking: booking, actual: UsageTotals(requests: 1, inputTokens: tokens - 1, outputTokens: 1, money: 7)))
  }

  @Test(arguments: Store.allCases)
  func aCorrectionGivesBackWhatWasNotUsedOnceForEachAttempt(store: Store) throws {
    try with(store) { ledger in
      _ = try ledger.open(node: Self.node, epoch: 1)
      let id = try #require(try one(ledger, lease(1, want: 80)).lease?.id)
      let booking = booking(77, lease: id, 60)
      _ = try apply(ledger, 2, .report(lease: id, settledTotal: 70))
      _ = try apply(
        ledger, 3,
        .usage(tenant: 9, epoch: 1, through: 1, rows: [UsageRow(owner: Self.owner, day: 4, totals: booking.totals)]))
      #expect(try apply(ledger, 4, correction(booking, 15)).outcome == .done)
      // By another number, another process, with another figure: the first counts.
      #expect(try apply(ledger, 5, correction(booking, 3)).outcome == .done)
      _ = try ledger.open(node: 6, epoch: 1)
      _ = try one(
        ledger, LedgerOperation(sequence: 1, kind: correction(booking, 3)), node: 6)
      let row = try #require(try ledger.totals(limits: [.max]).first)
      #expect(row.committed == 25 && row.leased == 10 && row.free == 65)
      #expect(
        try ledger.usage(tenant: 9, from: 4, to: 4).map(\.totals) == [
          UsageTotals(requests: 1, inputTokens: 14, outputTokens: 1, money: 7)
        ])
      // The lease goes on as if nothing had been.
      #expect(try apply(ledger, 6, .report(lease: id, settledTotal: 75)).budget?.committed == 30)
    }
  }

  @Test(arguments: Store.allCases)
  func aCorrectionUpwardsIsCommittedInFull(store: Store) throws {
    try with(store) { ledger in
      _ = try ledger.open(node: Self.node, epoch: 1)
      let id = try #require(try one(ledger, lease(1, want: 60)).lease?.id)
      _ = try apply(ledger, 2, .report(lease: id, settledTotal: 60))
      _ = try apply(ledger, 3, correction(booking(77, lease: id, 60), 130))
      let row = try #require(try ledger.totals(limits: [.max]).first)
      #expect(row.committed == 130 && row.free == -30)
    }
  }

  @Test(arguments: Store.allCases)
  func aCorrectionOfWhatACrashHasCutReconcilesItAndTheOtherWayRound(store: Store) throws {
    try with(store) { ledger in
      _ = try ledger.open(node: Self.node, epoch: 1)
      let id = try #require(try one(ledger, lease(1, want: 80)).lease?.id)
      _ = try apply(
        ledger, 2,
        .orphan(
          Orphan(
            lease: id, settledTotal: 10,
            open: [Orphan.Attempt(attempt: 77, amount: 30), Orphan.Attempt(attempt: 78, amount: 20)],
            keepRemainder: false)))
      for (number, attempt) in [77, 78].enumerated() {
        _ = try apply(
          ledger, 3 + UInt64(number),
          .openAttempt(
            UnreconciledAttempt(
              attempt: UInt128(attempt), owner: Self.owner, tenant: 9, day: 4, inputTokens: 0, outputTokens: 0,
              money: 0)))
      }
      _ = try apply(ledger, 5, correction(booking(77, lease: id, 30), 4))
      _ = try apply(
        ledger, 6, .reconcile(attempt: 78, actual: UsageTotals(requests: 1, inputTokens: 5, outputTokens: 1, money: 0)))
      _ = try apply(ledger, 7, correction(booking(78, lease: id, 20), 1))
      _ = try apply(ledger, 8, correction(booking(77, lease: id, 30), 1))
      let row = try #require(try ledger.totals(limits: [.max]).first)
      #expect(row.committed == 20 && row.unreconciled == 0)
      #expect(try ledger.unreconciled(tenant: 9).isEmpty)
      #expect(
        try ledger.usage(tenant: 9, from: 4, to: 4).map(\.totals) == [
          UsageTotals(requests: 2, inputTokens: 8, outputTokens: 2, money: 7)
        ])
    }
  }

  @Test(arguments: Store.allCases)
  func aCorrectionTakesNothingOutThatIsNotThere(store: Store) throws {
    try with(store) { ledger in
      _ = try ledger.open(node: Self.node, epoch: 1)
      let id = try #require(try one(ledger, lease(1, want: 80)).lease?.id)
      _ = try apply(ledger, 2, .report(lease: id, settledTotal: 10))
      _ = try apply(ledger, 3, correction(booking(77, lease: id, 60), 15))
      _ = try apply(ledger, 4, correction(booking(79, lease: 999, 60), 15))
      let row = try #require(try ledger.totals(limits: [.max]).first)
      #expect(row.committed == 15 && row.leased == 70)
    }
  }
}
