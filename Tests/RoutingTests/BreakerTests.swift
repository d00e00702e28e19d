import Routing
import Testing

private let settings = Breaker.Settings(
  consecutive: 3, minimum: 10, ratioPercent: 50, window: 1000, pause: 100, maxPause: 300, probes: 2)

/// Opened at time 0 by failures in a row.
private func opened() -> Breaker {
  var breaker = Breaker(settings)
  for _ in 0..<3 { breaker.failed(at: 0) }
  return breaker
}

@Test(arguments: [(2, Breaker.Phase.closed), (3, .open), (4, .open)])
func opensAfterFailuresInARow(failures: Int, phase: Breaker.Phase) {
  var breaker = Breaker(settings)
  for _ in 0..<failures { breaker.failed(at: 0) }
  #expect(breaker.phase(at: 0) == phase)
}

@Test func aSuccessBreaksTheRow() {
  var breaker = Breaker(Breaker.Settings(consecutive: 3, minimum: 1000))
  for _ in 0..<4 {
    breaker.failed(at: 0)
    breaker.failed(at: 0)
    breaker.succeeded(at: 0)
  }
  #expect(breaker.phase(at: 0) == .closed)
}

@Test(arguments: [(4, 5, Breaker.Phase.closed), (5, 5, .open), (5, 6, .closed)])
func opensByShareOfEnoughResults(failures: Int, successes: Int, phase: Breaker.Phase) {
  var breaker = Breaker(
    Breaker.Settings(consecutive: 100, minimum: 10, ratioPercent: 50, window: 1000, pause: 100))
  for _ in 0..<successes { breaker.succeeded(at: 0) }
  for _ in 0..<failures { breaker.failed(at: 0) }
  #expect(breaker.phase(at: 0) == phase)
}

@Test func resultsOfAnOlderWindowDoNotCount() {
  var breaker = Breaker(
    Breaker.Settings(consecutive: 100, minimum: 10, ratioPercent: 50, window: 1000, pause: 100))
  for _ in 0..<9 { breaker.failed(at: 0) }
  breaker.failed(at: 1000)
  #expect(breaker.phase(at: 1000) == .closed)
}

@Test(arguments: [(99 as Int64, false), (100, true)])
func letsNothingThroughUntilThePauseIsOver(now: Int64, admitted: Bool) {
  var breaker = opened()
  #expect(breaker.admits(at: now) == admitted)
}

@Test func halfOpenLetsOnlyTheProbesThrough() {
  var breaker = opened()
  #expect(breaker.admits(at: 100) == true)
  #expect(breaker.admits(at: 100) == true)
  #expect(breaker.admits(at: 100) == false)
  #expect(breaker.phase(at: 100) == .halfOpen)
}

/// Who waits for the beginning of a long answer does not keep all others from a provider that may be well.
@Test func aSilentProbeIsFollowedByAnother() {
  var breaker = opened()
  var admitted: [Int64] = []
  for now in [100, 100, 199, 200, 200, 299, 300] as [Int64] where breaker.admits(at: now) { admitted.append(now) }
  #expect(admitted == [100, 100, 200, 300])
  for now in [301, 302] as [Int64] { breaker.succeeded(at: now) }
  #expect(breaker.phase(at: 303) == .closed)
  for now in [304, 305] as [Int64] { breaker.succeeded(at: now) }  // those that were silent
  #expect(breaker.phase(at: 306) == .closed)
}

@Test func closesWhenAllProbesSucceed() {
  var breaker = opened()
  #expect(breaker.admits(at: 100) == true)
  breaker.succeeded(at: 110)
  #expect(breaker.phase(at: 110) == .halfOpen)
  #expect(breaker.admits(at: 110) == true)
  breaker.succeeded(at: 120)
  #expect(breaker.phase(at: 120) == .closed)
}

@Test func aFailedProbeDoublesThePauseUpToItsEnd() {
  var breaker = opened()
  var now: Int64 = 0
  for pause in [100, 200, 300, 300] as [Int64] {
    #expect(breaker.admits(at: now + pause - 1) == false)
    #expect(breaker.admits(at: now + pause) == true)
    now += pause
    breaker.failed(at: now)
  }
}

@Test func closingForgetsTheLongPause() {
  var breaker = opened()
  #expect(breaker.admits(at: 100) == true)
  breaker.failed(at: 100)
  for now in [300, 301] as [Int64] {
    #expect(breaker.admits(at: now) == true)
    breaker.succeeded(at: now)
  }
  for _ in 0..<3 { breaker.failed(at: 400) }
  #expect(breaker.admits(at: 499) == false)
  #expect(breaker.admits(at: 500) == true)
}

@Test func anAbandonedProbeGivesItsPlaceBack() {
  var breaker = opened()
  #expect(breaker.admits(at: 100) == true)
  #expect(breaker.admits(at: 100) == true)
  breaker.abandoned(at: 101)
  #expect(breaker.admits(at: 101) == true)
  #expect(breaker.admits(at: 101) == false)
}

@Test func lateAnswersDoNotMoveAnOpenBreaker() {
  var breaker = opened()
  breaker.succeeded(at: 50)
  breaker.failed(at: 60)
  breaker.abandoned(at: 70)
  #expect(breaker.phase(at: 99) == .open)
  #expect(breaker.phase(at: 100) == .halfOpen)
}

/// An answer may take minutes; that it begins is enough to let others through.
@Test func anAnswerThatBeginsIsAProbesSuccess() {
  var breaker = opened()
  #expect(breaker.admits(at: 100) == true)
  #expect(breaker.answering(at: 110) == true)
  #expect(breaker.phase(at: 110) == .halfOpen, "two are wanted")
  #expect(breaker.admits(at: 110) == true)
  #expect(breaker.admits(at: 110) == false)
  #expect(breaker.answering(at: 120) == true)
  #expect(breaker.phase(at: 120) == .closed)
}

@Test func anAnswerThatBeginsTellsAClosedOrOpenBreakerNothing() {
  var breaker = Breaker(settings)
  for _ in 0..<2 { breaker.failed(at: 0) }
  #expect(breaker.answering(at: 0) == false)
  breaker.failed(at: 0)
  #expect(breaker.phase(at: 0) == .open, "it breaks no row")
  #expect(breaker.answering(at: 50) == false)
  #expect(breaker.phase(at: 50) == .open)
}

/// Of answers that begin well and are cut, the row counts as any other.
@Test func aProbeThatBeganToAnswerMayStillFail() {
  var breaker = opened()
  for _ in 0..<2 {
    #expect(breaker.admits(at: 100) == true)
    #expect(breaker.answering(at: 100) == true)
  }
  for failures in 1...3 {
    breaker.failed(at: 200)
    #expect(breaker.phase(at: 200) == (failures < 3 ? .closed : .open))
  }
  #expect(breaker.admits(at: 399) == false)
  #expect(breaker.admits(at: 400) == true, "as if the probe had failed at once: the pause is twice as long")
}

@Test func aWholeAnswerMakesAPauseTheFirstAgain() {
  var breaker = opened()
  for _ in 0..<2 {
    #expect(breaker.admits(at: 100) == true)
    #expect(breaker.answering(at: 100) == true)
  }
  breaker.succeeded(at: 150)
  for _ in 1...3 { breaker.failed(at: 200) }
  #expect(breaker.admits(at: 299) == false)
  #expect(breaker.admits(at: 300) == true)
}

@Test func clocksAtTheirEndDoNotTrap() {
  var breaker = Breaker(settings)
  for _ in 0..<3 { breaker.failed(at: .max) }
  #expect(breaker.admits(at: 0) == false)
  breaker = Breaker(settings)
  breaker.failed(at: .min)
  breaker.failed(at: .max)
}
