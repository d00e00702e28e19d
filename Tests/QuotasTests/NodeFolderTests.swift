import Foundation
import NodeFolder
import Staging
import StorageSQLite
import Testing

@testable import Quotas

struct NodeFolderTests {
  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "node-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.path)
  }

  @Test func oneProcessAtATimeAndEveryStartIsANewEpoch() throws {
    try withFolder { path in
      var id: UInt128 = 0
      do {
        let first = try NodeFolder(path: path + "/data", runtimeFolder: nil)
        #expect(first.epoch == 1)
        id = first.id
        #expect { try NodeFolder(path: path + "/data", runtimeFolder: nil) } throws: {
          ($0 as? QuotaError)?.code == .folderLocked
        }
      }
      let second = try NodeFolder(path: path + "/data", runtimeFolder: path)
      #expect(second.epoch == 2)
      #expect(second.id == id)
      #expect(second.flightPath.hasPrefix(path + "/") && second.flightPath.hasSuffix("/flight"))
    }
  }

  @Test(arguments: ["node.id", "node.epoch"])
  func aDamagedIdentityIsRefused(file: String) throws {
    try withFolder { path in
      do { _ = try NodeFolder(path: path, runtimeFolder: nil) }
      try Data("nonsense".utf8).write(to: URL(filePath: path + "/" + file))
      #expect { try NodeFolder(path: path, runtimeFolder: nil) } throws: {
        ($0 as? QuotaError)?.code == .folderUnusable
      }
    }
  }

  // MARK: Staged bytes

  /// A process that has staged bytes for the log and died, and where its memory lies.
  private func leaveStaged(_ path: String, _ runtime: String) throws -> String? {
    try FileManager.default.createDirectory(atPath: path + "/log", withIntermediateDirectories: true)
    try Data("one ".utf8).write(to: URL(filePath: path + "/log/a"))
    let node = try NodeFolder(path: path + "/node", runtimeFolder: runtime)
    guard let staging = node.stagingPath else { return nil }
    try node.noteStaging(staging)
    let memory = try StagedMemory(path: staging, halfBytes: 65_536)
    memory.empty(0, generation: 1)
    _ = Array("two".utf8).withUnsafeBytes { memory.append(0, at: 0, to: Array("log/a".utf8), offset: 4, $0) }
    return staging
  }

  private func withMemoryFolder(_ body: (_ path: String, _ runtime: String) throws -> Void) throws {
    try withFolder { path in
      let runtime = "/dev/shm/node-\(UUID().uuidString)"
      try FileManager.default.createDirectory(atPath: runtime, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(atPath: runtime) }
      try body(path, runtime)
    }
  }

  @Test func whatWasStagedComesIntoItsFileWhereverTheNextProcessKeepsItsOwn() throws {
    try withMemoryFolder { path, runtime in
      let staging = try #require(try leaveStaged(path, runtime))
      let next = try NodeFolder(path: path + "/node", runtimeFolder: nil)
      #expect(next.stagingPath == nil, "a folder on a disk is no memory")
      #expect(!next.hasLostStaged)
      #expect(try String(contentsOfFile: path + "/log/a", encoding: .utf8) == "one two")
      #expect(!FileManager.default.fileExists(atPath: staging))
    }
  }

  @Test func memoryThatIsGoneIsTold() throws {
    try withMemoryFolder { path, runtime in
      let staging = try #require(try leaveStaged(path, runtime))
      try FileManager.default.removeItem(atPath: staging)
      #expect(try NodeFolder(path: path + "/node", runtimeFolder: runtime).hasLostStaged)
      #expect(try !NodeFolder(path: path + "/node", runtimeFolder: runtime).hasLostStaged, "once")
    }
  }

  @Test func afterAnOrderlyEndNothingIsMissed() throws {
    try withMemoryFolder { path, runtime in
      let staging = try #require(try leaveStaged(path, runtime))
      try NodeFolder(path: path + "/node", runtimeFolder: runtime).forgetStaging()
      #expect(!FileManager.default.fileExists(atPath: staging))
      #expect(try !NodeFolder(path: path + "/node", runtimeFolder: runtime).hasLostStaged)
    }
  }

  @Test func aNoteThatSaysNothingIsRefused() throws {
    try withFolder { path in
      do { _ = try NodeFolder(path: path, runtimeFolder: nil) }
      try Data("nonsense".utf8).write(to: URL(filePath: path + "/staged.at"))
      #expect { try NodeFolder(path: path, runtimeFolder: nil) } throws: {
        ($0 as? QuotaError)?.code == .folderUnusable
      }
    }
  }

  /// The real parts together: SQLite, the mapped table, journal files; the process "dies" by being forgotten.
  @Test func aKilledProcessIsRecoveredByTheNext() throws {
    try withFolder { path in
      let limit = try Limit(
        scope: LimitScope(.tenant, 1), dimension: .tokens, kind: .budget(.total, zone: "UTC"), amount: 1_000, name: "a")
      let owner = UsageOwner(tenant: 1, project: 2, key: 3)
      let clock = ManualQuotaClock(wallNanoseconds: 1_790_000_000_000_000_000)
      func start() throws -> (NodeFolder, QuotaGate, QuotaAccount, QuotaRecovery.Report, SQLiteLedger) {
        let folder = try NodeFolder(path: path, runtimeFolder: nil)
        let ledger = try SQLiteLedger(path: path + "/ledger.db")
        let (flight, node, report) = try folder.recover(ledger: ledger, slots: 32, rates: 8)
        let gate = QuotaGate(
          node: node, flight: flight, ledger: ledger, clock: clock, zones: SystemZoneRules(), wake: { _, _ in })
        return (folder, gate, try gate.account([limit], owner: owner, zone: "Europe/Zurich"), report, ledger)
      }
      do {
        let (folder, gate, account, report, _) = try start()
        #expect(report == QuotaRecovery.Report())
        var journal: [UInt8] = []
        var reservations: [Reservation] = []
        for attempt in 1...3 {
          var reservation = Reservation()
          let demand = Demand(inputTokens: 10, outputTokens: 10, money: 0)
          for _ in 0..<3 {
            if case .admitted = gate.reserve(
              account, demand, attempt: UInt128(attempt), loop: 0, ticket: 0, into: &reservation, journal: &journal)
            {
              break
            }
            _ = gate.turn()
          }
          #expect(reservation.isMade)
          reservations.append(reservation)
        }
        gate.sent(&reservations[1])
        gate.sent(&reservations[2])
        gate.progress(reservations[1], outputTokens: 4)
        gate.settle(&reservations[2], Actual(inputTokens: 3, outputTokens: 4, money: 0), journal: &journal)
        try Data(journal).write(to: URL(filePath: folder.journalPath))
      }
      let (folder, gate, _, report, ledger) = try start()
      #expect(report.settled == 1 && report.released == 1 && report.unreconciled == 1 && report.lostLeases == 0)
      let row = try #require(try ledger.rows().budgets.first)
      #expect(row.committed == 7 && row.unreconciled == 20 && row.leased == 0)
      let usage = try gate.usageReport(tenant: 1, from: .min, to: .max)
      #expect(usage.totals == UsageTotals(requests: 1, inputTokens: 3, outputTokens: 4, money: 0))
      #expect(usage.unreconciled.first?.outputTokens == 4)
      #expect(try folder.earlierJournals().isEmpty)
      try gate.stop()
    }
  }

  @Test(arguments: [
    // 0 TIME_OK, 1…4 around a leap second, 5 TIME_ERROR: the kernel's word holds whatever the clocks do
    (0 as Int32, 0 as Int64, true), (0, .max, true), (1, 0, true), (4, 0, true), (5, 0, false), (5, .max, false),
    // It may not be asked: believed until the clocks part by more than five minutes, either way
    (-1, 0, true), (-1, 300_000_000_000, true), (-1, 300_000_000_001, false), (-1, -300_000_000_001, false),
    (-1, .max, false), (-1, .min, false),
  ])
  func nobodyVouchesForAJumpWhereTheKernelMayNotBeAsked(state: Int32, drift: Int64, isSynchronised: Bool) {
    #expect(SystemQuotaClock.vouches(state, drift: drift) == isSynchronised)
  }

  @Test func withoutTheKernelsWordANormalStartHoldsNoWindowAndAJumpDoes() {
    let day: Int64 = 86_400_000_000_000
    let (stopped, boot) = (1_795_000_000_000_000_000 as Int64, 5_000_000_000 as Int64)
    func vouches(_ drift: Int64) -> Bool { SystemQuotaClock.vouches(-1, drift: drift) }
    // Away for a day, and back
    var clock = WindowClock(wall: stopped + day, boot: boot, lastKnown: stopped, isSynchronised: vouches(0))
    #expect(!clock.isHeld && clock.now(boot: boot) == stopped + day)
    // Somebody sets the clock ahead
    clock.look(wall: stopped + 2 * day, boot: boot + 1, isSynchronised: vouches(day))
    #expect(clock.isHeld && clock.now(boot: boot + 1) == stopped + day + 1)
    // And back to where it was
    clock.look(wall: stopped + day + 2, boot: boot + 2, isSynchronised: vouches(0))
    #expect(!clock.isHeld)
  }

  @Test func theSystemsClocksRunAndKnowZones() {
    let clock = SystemQuotaClock()
    #expect(clock.wallNanoseconds > 1_700_000_000_000_000_000)
    let first = clock.bootNanoseconds
    #expect(clock.bootNanoseconds >= first)
    _ = clock.isSynchronised
    #expect(SystemZoneRules().offsetSeconds(zone: "Europe/Zurich", at: 1_782_000_000) == 7_200)
    #expect(SystemZoneRules().offsetSeconds(zone: "Nowhere/Land", at: 0) == nil)
  }
}
