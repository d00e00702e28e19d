import Quotas
import Testing

/// The rule by its definition: every admitted unit kept with its time, nothing clever.
private struct SlowBucket {
  let burst: Int64
  let emission: Int64
  var level: Int64 = 0  // nanoseconds of work in the bucket
  var last: Int64 = 0

  mutating func admits(_ cost: Int64, at now: Int64) -> Bool {
    level = max(0, level - (now - last))
    last = now
    guard level + cost * emission <= burst * emission else { return false }
    level += cost * emission
    return true
  }
}

struct GCRATests {
  private static let minute: Int64 = 60_000_000_000

  @Test(arguments: [
    // amount, spent at 0, asked, when, what is said
    (60 as Int64, 0 as Int64, 60 as Int64, 0 as Int64, GCRA.Check.fits),
    (60, 0, 61, 0, .never),
    (60, 60, 1, 0, .wait(1_000_000_000)),
    (60, 60, 1, 999_999_999, .wait(1)),
    (60, 60, 1, 1_000_000_000, .fits),
    (60, 60, 2, 1_000_000_000, .wait(1_000_000_000)),
    (60, 60, 60, 60_000_000_000, .fits),
    (60, 30, 30, 0, .fits),
    (60, 30, 31, 0, .wait(1_000_000_000)),
    (0, 0, 1, 0, .never),
    (0, 0, 0, 0, .fits),
    (7, 7, 1, 8_571_428_571, .wait(1)),  // ceil(60 s / 7): never too fast
    (7, 7, 1, 8_571_428_572, .fits),
    (Int64.max, 0, 1 << 50, 0, .fits),
  ])
  func saysWhenACostFits(amount: Int64, spent: Int64, cost: Int64, at now: Int64, expected: GCRA.Check) {
    var bucket = GCRA(amount: amount, periodNanoseconds: Self.minute)
    bucket.debit(spent, now: 0)
    #expect(bucket.check(cost, now: now) == expected)
  }

  @Test func agreesWithASlowReference() {
    var random = SplitMix(seed: 11)
    for _ in 0..<200 {
      let amount = Int64.random(in: 1...5_000, using: &random)
      var fast = GCRA(amount: amount, periodNanoseconds: Self.minute)
      var slow = SlowBucket(burst: fast.burst, emission: fast.emission)
      var now: Int64 = 0
      var admitted: Int64 = 0
      for _ in 0..<200 {
        now += Int64.random(in: 0...(Self.minute / 20), using: &random)
        let cost = Int64.random(in: 0...(amount / 3 + 1), using: &random)
        let fits = fast.check(cost, now: now) == .fits
        #expect(fits == slow.admits(cost, at: now))
        if fits {
          fast.debit(cost, now: now)
          admitted += cost
        }
        #expect(Int128(admitted) * Int128(Self.minute) <= Int128(amount) * Int128(Self.minute + now))
      }
    }
  }

  @Test func givesBackNeverBeyondAFullBucket() {
    var bucket = GCRA(amount: 60, periodNanoseconds: Self.minute)
    bucket.debit(40, now: 0)
    bucket.credit(10, now: 0)
    #expect(bucket.remaining(now: 0) == 30)
    bucket.credit(1_000, now: 0)
    #expect(bucket.remaining(now: 0) == 60)
    #expect(bucket.check(61, now: 0) == .never)
    bucket.debit(60, now: 0)
    bucket.credit(.max, now: 5)
    #expect(bucket.arrival == 5)
  }

  @Test func anEmptyBucketFillsFromThatTimeOn() {
    var bucket = GCRA(amount: 60, periodNanoseconds: Self.minute)
    bucket.empty(at: 1_000_000_000_000)
    #expect(bucket.remaining(now: 1_000_000_000_000) == 0)
    #expect(bucket.remaining(now: 1_000_000_000_000 + Self.minute / 2) == 30)
  }

  @Test(arguments: [Int64.min, -1, 0, 1, Int64.max])
  func absurdSavedTimesAreAnEmptyOrFullBucket(saved: Int64) {
    var bucket = GCRA(amount: 60, periodNanoseconds: Self.minute)
    bucket.restore(arrival: saved, now: 1_000)
    #expect((0...60).contains(bucket.remaining(now: 1_000)))
    #expect(bucket.fullIn(now: 1_000) <= 2 * Self.minute)
  }
}
