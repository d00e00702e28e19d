import Testing

@testable import LoadHarness

@Suite struct RateProfileTests {
  typealias Phases = [(seconds: Double, from: Double, to: Double)]

  private static let even: Phases = [(2, 10, 10), (1, 20, 20)]
  private static let rising: Phases = [(10, 0, 100)]
  private static let falling: Phases = [(10, 90, 10)]
  private static let cases: [(Phases, Double, Double)] = [
    (even, 10, 1), (even, 20, 2), (even, 60, 4),
    // Half of the 500 requests come in the last 3 s.
    (rising, 0, 0), (rising, 500, 10), (rising, 250, 10 * 0.5.squareRoot()),
    // The last rate, 10/s, holds on.
    (falling, 500, 10), (falling, 510, 11),
  ]

  @Test(arguments: cases)
  func arrivalsComeWhereTheAreaUnderTheRateSays(phases: Phases, count: Double, seconds: Double) throws {
    let profile = try #require(RateProfile(phases.map { .init(seconds: $0.0, from: $0.1, to: $0.2) }))
    let due = try #require(profile.seconds(ofArrival: count))
    #expect(abs(due - seconds) < 1e-9)
  }

  @Test func aRateThatFallsToNothingEndsTheLoad() throws {
    let profile = try #require(RateProfile([.init(seconds: 10, from: 100, to: 0)]))
    #expect(profile.seconds(ofArrival: 499) != nil && profile.seconds(ofArrival: 501) == nil)
    var schedule = try #require(ArrivalSchedule(profile, .uniform, seed: 1, lane: 0, lanes: 1))
    var taken = 0
    while schedule.take(atNanoseconds: .max) != nil { taken += 1 }
    #expect(taken == 500)
  }

  private static let senseless: [Phases] = [
    [], [(0, 1, 1)], [(1, 0, 0)], [(1, -1, 5)], [(1, .nan, 5)], [(.infinity, 1, 1)], [(1, 1, 2_000_000)],
  ]

  @Test(arguments: senseless)
  func senselessProfilesDoNotExist(phases: Phases) {
    #expect(RateProfile(phases.map { .init(seconds: $0.0, from: $0.1, to: $0.2) }) == nil)
  }

  @Test func poissonArrivalsAreRepeatableAndHaveTheRateThatWasAsked() throws {
    let profile = try #require(RateProfile([.init(seconds: 1, from: 1_000, to: 1_000)]))
    func due(seed: UInt64) throws -> [UInt64] {
      try (0..<2).flatMap { lane in
        var schedule = try #require(ArrivalSchedule(profile, .poisson, seed: seed, lane: lane, lanes: 2))
        var all: [UInt64] = []
        while let next = schedule.take(atNanoseconds: 10_000_000_000) { all.append(next) }
        return all
      }
    }
    let first = try due(seed: 7)
    #expect(try first == due(seed: 7) && first != due(seed: 8))
    // 10,000 are expected; six standard deviations are 600.
    #expect(abs(first.count - 10_000) < 600)
    // Of exponential pauses a share of 1 - 1/e is shorter than the mean.
    let sorted = first.sorted()
    let short = zip(sorted.dropFirst(), sorted).filter { $0 - $1 < 1_000_000 }.count
    #expect(abs(Double(short) / Double(sorted.count) - 0.632) < 0.03)
  }
}

@Suite struct WeightedChoiceTests {
  @Test func equalWeightsTakeTurns() {
    var choice = WeightedChoice([2, 2, 2], first: 1)
    var random = SeededRandom(seed: 1)
    #expect((0..<6).map { _ in choice.next(&random) } == [1, 2, 0, 1, 2, 0])
  }

  @Test func otherWeightsAreKeptOverMany() {
    var choice = WeightedChoice([1, 0, 3])
    var random = SeededRandom(seed: 3)
    var counts = [0, 0, 0]
    for _ in 0..<10_000 { counts[choice.next(&random)] += 1 }
    #expect(counts[1] == 0 && abs(counts[0] - 2_500) < 300)
  }

  @Test func sharesCoverTheWhole() {
    let choice = WeightedChoice([3, 1])
    #expect((0..<8).map { choice.index(at: (Double($0) + 0.5) / 8) } == [0, 0, 0, 0, 0, 0, 1, 1])
    #expect(choice.index(at: 2) == 1)
  }
}

@Suite struct FairnessTests {
  @Test(arguments: [([1.0, 1, 1, 1], 1.0), ([1, 0, 0, 0], 0.25), ([4, 2], 0.9)])
  func jainsIndexIsOneForEqualsAndOneOverNForOneWhoHasAll(values: [Double], index: Double) throws {
    #expect(abs(try #require(Fairness.jain(values)) - index) < 1e-9)
  }

  @Test func nothingHasNoIndex() { #expect(Fairness.jain([]) == nil && Fairness.jain([0, 0]) == nil) }
}
