import Foundation
import StorageSQLite
import Testing

@testable import NodeFolder
@testable import Quotas

/// One process at a time, or two while one relieves the other; what a third leaves behind is booked.
struct NodePlacesTests {
  private static let tenant: UInt128 = 1
  private static let owner = UsageOwner(tenant: tenant, project: 2, key: 3)

  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "places-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.path)
  }

  private func limits() throws -> [Limit] {
    let scope = LimitScope(.tenant, Self.tenant)
    return [
      try Limit(scope: scope, dimension: .tokens, kind: .budget(.total, zone: "UTC"), amount: 1_000, name: "budget"),
      try Limit(scope: scope, dimension: .requests, kind: .rate(.minute), amount: 60, name: "rate"),
      try Limit(scope: scope, dimension: .concurrency, kind: .concurrent, amount: 3, name: "concurrency"),
    ]
  }

  /// A process of the installation, as far as quotas go.
  private final class Process {
    let places: NodePlaces
    let folder: NodeFolder
    let ledger: SQLiteLedger
    let gate: QuotaGate
    let account: QuotaAccount
    let held: Int
    let report: QuotaRecovery.Report
    var journal: [UInt8] = []

    init(_ path: String, _ limits: [Limit], _ clock: ManualQuotaClock, besides: Bool = false) throws {
      places = NodePlaces(data: path, runtimeFolder: nil)
      folder = besides ? try places.openBeside() : try places.openAlone()
      ledger = try SQLiteLedger(path: path + "/ledger.sqlite")
      held = try places.recoverAbandoned(ledger: ledger, besides: folder)
      let (flight, node, report) = try folder.recover(
        ledger: ledger, slots: 32, rates: 8, knowsRates: !places.views(besides: folder).isEmpty)
      self.report = report
      gate = QuotaGate(
        node: node, flight: flight, ledger: ledger, clock: clock, zones: UTCRules(), wake: { _, _ in })
      account = try gate.account(limits, owner: owner, zone: "UTC")
      look()
    }

    func look() {
      for view in places.views(besides: folder) { gate.raiseRates(view.rates) }
      var open: [LimitScope: Int64] = [:]
      for view in places.views(besides: folder, areHeld: true) { open.merge(view.open, uniquingKeysWith: +) }
      gate.noteElsewhere(open)
    }

    func reserve(_ tokens: Int64, attempt: UInt128) throws -> Reservation? {
      for _ in 0..<4 {
        var reservation = Reservation()
        let demand = Demand(inputTokens: tokens, outputTokens: 0, money: 0)
        switch gate.reserve(
          account, demand, attempt: attempt, loop: 0, ticket: 0, into: &reservation, journal: &journal)
        {
        case .admitted: return reservation
        case .refused: return nil
        case .waiting: try gate.flush()
        }
      }
      return nil
    }

    func settle(_ reservation: Reservation, _ tokens: Int64) {
      var reservation = reservation
      gate.sent(&reservation)
      gate.settle(&reservation, Actual(inputTokens: tokens, outputTokens: 0, money: 0), journal: &journal)
      gate.confirmed(&reservation)
    }

    func writeJournal() throws { try Data(journal).write(to: URL(filePath: folder.journalPath)) }
  }

  private let clock = ManualQuotaClock(wallNanoseconds: 1_790_000_000_000_000_000)

  @Test func aSecondProcessIsRefusedUnlessItRelieves() throws {
    try withFolder { path in
      let first = try NodePlaces(data: path, runtimeFolder: nil).openAlone()
      #expect(first.path == path + "/node")
      #expect { try NodePlaces(data: path, runtimeFolder: nil).openAlone() } throws: {
        ($0 as? QuotaError)?.code == .folderLocked
      }
      let second = try NodePlaces(data: path, runtimeFolder: nil).openBeside()
      #expect(second.path == path + "/node-2" && second.id != first.id)
      let more = [
        try NodePlaces(data: path, runtimeFolder: nil).openBeside(),
        try NodePlaces(data: path, runtimeFolder: nil).openBeside(),
      ]
      #expect(more.map(\.path) == [path + "/node-3", path + "/node-4"])
      #expect { try NodePlaces(data: path, runtimeFolder: nil).openBeside() } throws: {
        ($0 as? QuotaError)?.code == .folderLocked
      }
    }
  }

  /// The successor goes on in the second place; a process that starts by itself must not slip into the first.
  @Test func aFreePlaceIsNoWayInWhileAnotherIsHeld() throws {
    try withFolder { path in
      var first: NodeFolder? = try NodePlaces(data: path, runtimeFolder: nil).openAlone()
      var second: NodeFolder? = try NodePlaces(data: path, runtimeFolder: nil).openBeside()
      #expect(first != nil)
      first = nil
      #expect { try NodePlaces(data: path, runtimeFolder: nil).openAlone() } throws: {
        ($0 as? QuotaError)?.code == .folderLocked
      }
      let name = second?.path
      second = nil
      // Alone again: where the last one was.
      #expect(try NodePlaces(data: path, runtimeFolder: nil).openAlone().path == name)
    }
  }

  @Test func twoProcessesTogetherNeverSpendMoreThanTheBudget() throws {
    try withFolder { path in
      let old = try Process(path, try limits(), clock)
      let open = try #require(try old.reserve(300, attempt: 1))
      let new = try Process(path, try limits(), clock, besides: true)
      #expect(new.held == 1)
      try old.gate.beginLeaving()
      clock.advance(nanoseconds: 1_000_000_000)
      try old.gate.flush()
      // All but what is open over there.
      let mine = try #require(try new.reserve(700, attempt: 2))
      #expect(try new.reserve(1, attempt: 3) == nil)
      #expect(try old.reserve(1, attempt: 4) == nil)
      old.settle(open, 100)
      try old.gate.flush()
      clock.advance(nanoseconds: 1_000_000_000)
      try old.gate.flush()
      let rest = try #require(try new.reserve(200, attempt: 5))
      new.settle(mine, 700)
      new.settle(rest, 200)
      try old.gate.stop()
      try new.gate.stop()
      let row = try #require(try new.ledger.rows().budgets.first)
      #expect(row.committed == 1_000 && row.leased == 0 && row.unreconciled == 0)
      #expect(try new.ledger.usage(tenant: Self.tenant, from: .min, to: .max).map(\.totals.requests) == [3])
    }
  }

  @Test func whoLeavesLeasesWhatOneRequestNeedsAndNoMore() throws {
    try withFolder { path in
      let old = try Process(path, try limits(), clock)
      try old.gate.beginLeaving()
      let one = try #require(try old.reserve(5, attempt: 1))
      let row = try #require(try old.ledger.rows().budgets.first)
      #expect(row.leased == 5)
      old.settle(one, 5)
      // Nobody takes over after all: it leases ahead again.
      old.gate.stay()
      _ = try #require(try old.reserve(5, attempt: 2))
      #expect(try #require(try old.ledger.rows().budgets.first).leased > 10)
    }
  }

  @Test func aRateGoesOnWhereTheOtherProcessLeftIt() throws {
    try withFolder { path in
      let old = try Process(path, try limits(), clock)
      for attempt in 0..<40 { old.settle(try #require(try old.reserve(1, attempt: UInt128(attempt + 1))), 1) }
      let new = try Process(path, try limits(), clock, besides: true)
      for attempt in 40..<50 { old.settle(try #require(try old.reserve(1, attempt: UInt128(attempt + 1))), 1) }
      new.look()
      var admitted = 0
      for attempt in 50..<100 {
        guard let reservation = try new.reserve(1, attempt: UInt128(attempt + 1)) else { break }
        new.settle(reservation, 1)
        admitted += 1
      }
      #expect(admitted == 10)
    }
  }

  @Test func aLimitOnConcurrencySeesWhatIsOpenElsewhere() throws {
    try withFolder { path in
      let old = try Process(path, try limits(), clock)
      let first = try #require(try old.reserve(1, attempt: 1))
      let second = try #require(try old.reserve(1, attempt: 2))
      let new = try Process(path, try limits(), clock, besides: true)
      try old.gate.beginLeaving()
      #expect(try new.reserve(1, attempt: 3) != nil)
      #expect(try new.reserve(1, attempt: 4) == nil)
      old.settle(first, 1)
      new.look()
      #expect(try new.reserve(1, attempt: 5) != nil)
      old.settle(second, 1)
      new.look()
      #expect(try new.reserve(1, attempt: 6) != nil)
      #expect(try new.reserve(1, attempt: 7) == nil)
    }
  }

  /// The process that is relieved dies before it has finished: its successor books what it finds.
  @Test func whatAKilledNeighbourLeavesIsBookedByTheOther() throws {
    try withFolder { path in
      var old: Process? = try Process(path, try limits(), clock)
      let new = try Process(path, try limits(), clock, besides: true)
      do {
        let process = try #require(old)
        var open = try #require(try process.reserve(300, attempt: 1))
        process.gate.sent(&open)
        process.settle(try #require(try process.reserve(10, attempt: 2)), 7)
        try process.writeJournal()
      }
      #expect(try new.places.recoverAbandoned(ledger: new.ledger, besides: new.folder) == 1)
      old = nil
      #expect(try new.places.recoverAbandoned(ledger: new.ledger, besides: new.folder) == 0)
      let row = try #require(try new.ledger.rows().budgets.first)
      #expect(row.committed == 7 && row.unreconciled == 300 && row.leased == 0)
      #expect(new.places.views(besides: new.folder).map(\.open) == [[:]])
      // Nothing is left to do, and a later look does nothing.
      #expect(try new.places.recoverAbandoned(ledger: new.ledger, besides: new.folder) == 0)
      new.look()
      #expect(try new.reserve(693, attempt: 3) != nil)
      #expect(try new.reserve(1, attempt: 4) == nil)
    }
  }

  /// Both die, as when the machine kills the group; the next start by itself books both.
  @Test func theNextStartBooksAllPlaces() throws {
    try withFolder { path in
      do {
        let old = try Process(path, try limits(), clock)
        let new = try Process(path, try limits(), clock, besides: true)
        for (index, process) in [old, new].enumerated() {
          process.settle(try #require(try process.reserve(10, attempt: UInt128(index + 1))), 5)
          try process.writeJournal()
        }
      }
      let next = try Process(path, try limits(), clock)
      #expect(next.folder.path == path + "/node-2" && next.held == 0)
      let row = try #require(try next.ledger.rows().budgets.first)
      #expect(row.committed == 10 && row.unreconciled == 0 && row.leased == 0)
    }
  }

  @Test func aViewIsOfThisBootOnly() throws {
    let memory = HeapFlightMemory(slots: 4, rates: 4)
    let table = FlightTable(memory)
    table.begin(node: 1, epoch: 1, bootID: 9)
    table.nameRate(0, limit: 77)
    table.writeRate(0, arrival: 5)
    #expect(FlightView(memory.copyBytes(), bootID: 9)?.rates == [77: 5])
    #expect(FlightView(memory.copyBytes(), bootID: 8) == nil)
    #expect(FlightView(memory.copyBytes(), bootID: 0) == nil)
    #expect(FlightView(Array(memory.copyBytes().dropLast(1)), bootID: 9) == nil)
    #expect(FlightView([], bootID: 9) == nil)
  }
}
