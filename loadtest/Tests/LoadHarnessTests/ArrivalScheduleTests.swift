import Testing

@testable import LoadHarness

@Suite struct ArrivalScheduleTests {
  @Test(arguments: [
    (1_000.0, UInt64(0), UInt64(0)), (1_000, 1, 1_000_000), (1_000, 1_000, 1_000_000_000), (3, 1, 333_333_333),
    (3, 3, 1_000_000_000), (0.5, 1, 2_000_000_000), (1_000_000, 86_400_000_000, 86_400_000_000_000),
    (0.001, .max, .max),
  ])
  func requestsAreDueAtMultiplesOfThePeriodWithoutDrift(rate: Double, index: UInt64, due: UInt64) {
    let rateMillihertz = UInt64(rate * 1_000)
    #expect(ArrivalSchedule.dueNanoseconds(ofRequest: index, rateMillihertz: rateMillihertz) == due)
  }

  @Test func lanesShareTheRequestsAmongThem() throws {
    var due: [UInt64] = []
    for lane in 0..<3 {
      var schedule = try #require(ArrivalSchedule(requestsPerSecond: 100, lane: lane, lanes: 3, limit: 10))
      while let next = schedule.take(atNanoseconds: .max) { due.append(next) }
    }
    #expect(due.sorted() == (0..<10).map { $0 * 10_000_000 })
  }

  @Test func nothingIsTakenBeforeItIsDueAndNothingIsLostAfter() throws {
    var schedule = try #require(ArrivalSchedule(requestsPerSecond: 1_000, lane: 0, lanes: 1))
    #expect(schedule.take(atNanoseconds: 0) == 0)
    #expect(schedule.take(atNanoseconds: 999_999) == nil)
    // The loop was late by three periods: all three come, each with the time at which it was due.
    let late = [UInt64(1), 2, 3].map { _ in schedule.take(atNanoseconds: 3_500_000) }
    #expect(late == [1_000_000, 2_000_000, 3_000_000])
    #expect(schedule.take(atNanoseconds: 3_500_000) == nil)
  }

  @Test(arguments: [(0.0, 0, 1), (-1, 0, 1), (.nan, 0, 1), (.infinity, 0, 1), (1, 1, 1), (1, -1, 1), (1, 0, 0)])
  func senselessSchedulesDoNotExist(rate: Double, lane: Int, lanes: Int) {
    #expect(ArrivalSchedule(requestsPerSecond: rate, lane: lane, lanes: lanes) == nil)
  }
}

@Suite struct LatencyRecorderTests {
  @Test func latencyCountsFromTheIntendedTime() {
    var recorder = LatencyRecorder()
    // A server stalls for one second; ten requests were due in that time and are answered at its end.
    for index in 0..<10 { recorder.record(fromIntended: UInt64(index) * 100_000_000, to: 1_000_000_000) }
    let summary = recorder.summary
    #expect(summary.count == 10)
    #expect(abs(summary.maxMilliseconds - 1_000) < 2 && abs(summary.p50Milliseconds - 500) < 2)
  }

  @Test func aClockThatWentBackCountsAsZeroAndTheRangeHolds() {
    var recorder = LatencyRecorder()
    recorder.record(fromIntended: 5, to: 3)
    recorder.record(.max)
    #expect(recorder.count == 2 && recorder.summary.maxMilliseconds > 599_000)
  }

  @Test func mergedRecordersCountBoth() {
    var first = LatencyRecorder()
    var second = LatencyRecorder()
    for _ in 0..<99 { first.record(1_000_000) }
    second.record(50_000_000)
    first.add(second)
    #expect(first.count == 100 && abs(first.summary.maxMilliseconds - 50) < 0.1)
    #expect(abs(first.summary.p50Milliseconds - 1) < 0.01)
  }

  @Test func nothingRecordedIsZero() { #expect(LatencyRecorder().summary == LatencySummary()) }
}
