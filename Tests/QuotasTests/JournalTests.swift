import Testing

@testable import Quotas

struct JournalTests {
  private static func sample(_ count: Int) -> (bytes: [UInt8], ends: [Int]) {
    var bytes: [UInt8] = []
    var ends: [Int] = []
    for index in 0..<count {
      if index % 3 == 2 {
        JournalEncoder.append(
          .settle, time: Int64(index), attempt: UInt128(index), count: 2, tailBytes: JournalLayout.settleTailBytes,
          to: &bytes
        ) { record, count in
          JournalEncoder.writeAmount(record, 0, lease: 1, amount: 10)
          JournalEncoder.writeAmount(record, 1, lease: 2, amount: Int64(index))
          JournalEncoder.writeSettlement(
            record, at: JournalLayout.headBytes + count * JournalLayout.entryBytes, exit: 1, flags: 256, day: 20_000,
            sequence: UInt64(index), owner: UsageOwner(tenant: 1, project: 2, key: 3, user: 4), requests: 1, input: 5,
            output: 6, money: 7)
        }
      } else {
        JournalEncoder.append(
          index % 3 == 0 ? .reserve : .segmentOpen, time: Int64(index), attempt: UInt128(index),
          amounts: (0..<(index % 5)).map { JournalRecord.Amount(lease: UInt32($0), amount: -1) },
          tail: index % 3 == 0 ? [] : [1, 2, 3], to: &bytes)
      }
      ends.append(bytes.count)
    }
    return (bytes, ends)
  }

  @Test func readsWhatWasWritten() throws {
    let (bytes, _) = Self.sample(9)
    let replay = JournalReplay(bytes)
    #expect(replay.end == .clean)
    #expect(replay.records.count == 9)
    let settle = try #require(replay.records[2].settlement)
    #expect(settle.owner == UsageOwner(tenant: 1, project: 2, key: 3, user: 4))
    #expect(settle.totals == UsageTotals(requests: 1, inputTokens: 5, outputTokens: 6, money: 7))
    #expect(settle.flags == .overdraft)
    #expect(settle.day == 20_000)
    #expect(settle.sequence == 2)
    #expect(replay.records[2].amounts == [.init(lease: 1, amount: 10), .init(lease: 2, amount: 2)])
  }

  @Test func aRecordHasItsDocumentedBytes() {
    var bytes: [UInt8] = []
    JournalEncoder.append(
      .reserve, time: 0x0102, attempt: 0x0304, amounts: [.init(lease: 5, amount: 6)], to: &bytes)
    #expect(bytes.count == 44)
    #expect(Array(bytes[..<4]) == [44, 0, 2, 1])
    #expect(Array(bytes[4..<12]) == [2, 1, 0, 0, 0, 0, 0, 0])
    #expect(Array(bytes[12..<16]) == [4, 3, 0, 0])
    #expect(Array(bytes[28..<40]) == [5, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0])
  }

  @Test func anyPrefixGivesTheWholeRecordsInIt() {
    let (bytes, ends) = Self.sample(12)
    let whole = JournalReplay(bytes).records
    for length in 0...bytes.count {
      let replay = JournalReplay(Array(bytes[..<length]))
      let complete = ends.filter { $0 <= length }.count
      #expect(replay.records == Array(whole[..<complete]))
      let rest = length - (complete == 0 ? 0 : ends[complete - 1])
      #expect(replay.end == (rest == 0 ? .clean : .torn(rest)))
    }
  }

  @Test func aFlippedBitIsFoundAndCostsOneRecord() {
    let (bytes, ends) = Self.sample(8)
    let whole = JournalReplay(bytes).records
    for position in bytes.indices {
      var damaged = bytes
      damaged[position] ^= UInt8(1 << (position % 8))
      let replay = JournalReplay(damaged)
      let hit = ends.firstIndex { $0 > position } ?? 0
      var expected = whole
      expected.remove(at: hit)
      #expect(replay.records == expected)
      let start = hit == 0 ? 0 : ends[hit - 1]
      #expect(replay.end == (hit == 7 ? .torn(bytes.count - start) : .damaged(at: start)))
    }
  }

  @Test func noBytesTrap() {
    var random = SplitMix(seed: 5)
    for round in 0..<3_000 {
      var bytes = Self.sample(Int.random(in: 0...5, using: &random)).bytes
      for _ in 0..<Int.random(in: 0...6, using: &random) where !bytes.isEmpty {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      bytes.append(contentsOf: (0..<(round % 70)).map { _ in UInt8.random(in: 0...255, using: &random) })
      let replay = JournalReplay(bytes)
      #expect(replay.records.count <= 6)
    }
  }

  @Test func flightMemoryOfAnyBytesIsReadOrRefused() {
    var random = SplitMix(seed: 6)
    let memory = HeapFlightMemory(slots: 3, rates: 2)
    let table = FlightTable(memory)
    table.begin(node: 1, epoch: 2, bootID: 3)
    table.writeHead(1, attempt: 9, time: 8, count: 1, owner: UsageOwner(tenant: 1, project: 1, key: 1), day: 4)
    table.writeEntry(1, 0, lease: 7, worst: 70)
    table.set(.sent, 1)
    let good = memory.copyBytes()
    #expect(FlightSnapshot(good)?.slots.count == 1)
    for length in [0, 7, 4_095, 4_096, good.count - 1] { #expect(FlightSnapshot(Array(good[..<length])) == nil) }
    for _ in 0..<2_000 {
      var bytes = good
      for _ in 0..<8 { bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random) }
      for slot in FlightSnapshot(bytes)?.slots ?? [] {
        #expect(slot.entries.allSatisfy { $0.worst >= 0 && $0.actual >= 0 })
      }
    }
  }

  @Test func damagedJournalsNeverCountTwiceNorLessThanTheLease() throws {
    var random = SplitMix(seed: 7)
    for seed in 0..<300 {
      let clock = ManualQuotaClock(wallNanoseconds: 1_790_000_000_000_000_000)
      let limit = try Limit(
        scope: LimitScope(.tenant, 1), dimension: .tokens, kind: .budget(.total, zone: "UTC"), amount: 1_000, name: "t")
      let node = try SimulatedNode(
        limits: [limit], owner: UsageOwner(tenant: 1, project: 2, key: 3), clock: clock)
      var settled: Int64 = 0
      for number in 1...6 {
        let actual = Actual(inputTokens: 5, outputTokens: Int64(number), money: 0)
        var (attempt, _) = node.reserve(
          Demand(inputTokens: 10, outputTokens: 20, money: 0), attempt: UInt128(number), actual: actual)
        guard attempt != nil else { continue }
        attempt.map {
          var copy = $0; node.send(&copy); node.settle(&copy); attempt = copy
        }
        settled += 5 + Int64(number)
        node.write()
        if number == 3 && seed % 2 == 0 { try node.gate.flush() }
      }
      node.damageJournal { bytes in
        for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
          if Bool.random(using: &random) {
            bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
          } else {
            bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
          }
        }
      }
      try node.restart(.power)
      let row = try #require(node.ledger.inner.rows.budgets.first)
      #expect(row.committed <= settled, "counted twice")
      #expect(row.committed + row.unreconciled >= settled, "lost")
      #expect(row.committed + row.unreconciled <= row.amount)
      let used = try node.gate.usageReport(tenant: 1, from: .min, to: .max).totals
      #expect(used.inputTokens + used.outputTokens == row.committed)
    }
  }
}
