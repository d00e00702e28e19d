import Routing
import Testing

private let bucket = RetryBudget.Settings(sharePercent: 20, floorPerMinute: 12, most: 10)

/// Takes until it is refused.
private func taken(_ budget: inout RetryBudget, requests: UInt64, at now: Int64) -> Int {
  var count = 0
  while count < 1_000, budget.takes(requests: requests, at: now) { count += 1 }
  return count
}

@Test func aNewProviderHasAFewRetriesAndNoMore() {
  var budget = RetryBudget(bucket)
  #expect(taken(&budget, requests: 0, at: 0) == 3)
  #expect(taken(&budget, requests: 0, at: 0) == 0)
}

@Test(arguments: [(4 as UInt64, 0), (5, 1), (9, 1), (10, 2), (49, 9), (50, 10), (1_000_000, 10), (.max, 10)])
func aFifthOfTheRequestsMayBeRepeatedUpToTheBucketsSize(requests: UInt64, retries: Int) {
  var budget = RetryBudget(bucket)
  _ = taken(&budget, requests: 0, at: 0)
  #expect(taken(&budget, requests: requests, at: 0) == retries)
}

@Test(arguments: [(4_999 as Int64, 0), (5_000, 1), (9_999, 1), (10_000, 2), (3_600_000, 10), (.max, 10)])
func theFloorComesWithTime(now: Int64, retries: Int) {
  var budget = RetryBudget(bucket)
  _ = taken(&budget, requests: 0, at: 0)
  #expect(taken(&budget, requests: 0, at: now) == retries)
}

/// Whatever happens, retries stay below a fifth of the requests, the floor and what the bucket holds at first.
@Test(arguments: 1...20 as ClosedRange<UInt64>) func retriesNeverExceedTheirShare(seed: UInt64) {
  var dice = SeededDice(seed: seed)
  var budget = RetryBudget(bucket)
  var (requests, now, retries): (UInt64, Int64, Int) = (0, 0, 0)
  for _ in 0..<5_000 {
    requests += UInt64.random(in: 0...3, using: &dice)
    now += Int64.random(in: 0...200, using: &dice)
    retries += budget.takes(requests: requests, at: now) ? 1 : 0
    #expect(retries <= Int(requests) / 5 + Int(now / 5_000) + 5, "seed \(seed)")
  }
}

@Test func aClockOrCounterThatRunsBackGivesNothing() {
  var budget = RetryBudget(bucket)
  _ = taken(&budget, requests: 100, at: 100_000)
  #expect(taken(&budget, requests: 50, at: 0) == 0)
}

@Test(arguments: [
  (RetryRule.Failure.notSent, true), (.unknown, false), (.status(429, retryAfter: nil), false),
  (.status(429, retryAfter: 5), true), (.status(429, retryAfter: 6), false), (.status(502, retryAfter: nil), true),
  (.status(503, retryAfter: 0), true), (.status(503, retryAfter: 5), true), (.status(503, retryAfter: 6), false),
  (.status(529, retryAfter: nil), true), (.status(500, retryAfter: nil), false), (.status(500, retryAfter: 1), false),
  (.status(408, retryAfter: 1), false), (.status(409, retryAfter: 1), false), (.status(400, retryAfter: 1), false),
  (.status(503, retryAfter: -1), false), (.status(0, retryAfter: nil), false),
])
func onlyWhatCertainlyCostNothingIsAskedAgain(failure: RetryRule.Failure, isRepeated: Bool) {
  #expect((RetryRule.wait(after: failure, attempt: 0, random: 7) != nil) == isRepeated)
}

@Test(arguments: [(0, 100), (1, 200), (2, 400), (4, 1_600), (5, 2_000), (60, 2_000), (.max, 2_000)])
func theWaitIsAnythingBelowADoublingCeiling(attempt: Int, ceiling: Int64) throws {
  var seen: Set<Int64> = []
  for random in (0..<5_000 as Range<UInt64>) {
    let wait = try #require(RetryRule.wait(after: .notSent, attempt: attempt, random: random))
    #expect((0...ceiling).contains(wait))
    seen.insert(wait)
  }
  #expect(seen.contains(0) && seen.contains(ceiling))
}

@Test func whatTheProviderAsksForIsKeptAndSpread() throws {
  let waits = try (0..<300 as Range<UInt64>).map {
    try #require(RetryRule.wait(after: .status(503, retryAfter: 2), attempt: 0, random: $0))
  }
  #expect(waits.allSatisfy { (2_000...2_100).contains($0) } && Set(waits).count > 50)
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct SeededDice: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
