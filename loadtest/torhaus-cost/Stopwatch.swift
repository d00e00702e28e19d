import Glibc

/// The CPU time of this thread. Of many rounds the quickest counts: what disturbs a round makes it slower, never quicker.
enum Stopwatch {
  private static let rounds = 60
  private static let roundNanoseconds = 1_000_000

  /// - Returns: Nanoseconds of one call.
  static func nanoseconds(_ work: () -> Void) -> Double {
    var calls = 1
    while time(calls, work) < roundNanoseconds, calls < 1 << 20 { calls *= 2 }
    var best = Int.max
    for _ in 0..<rounds { best = min(best, time(calls, work)) }
    return Double(best) / Double(calls)
  }

  private static func time(_ calls: Int, _ work: () -> Void) -> Int {
    let start = now()
    for _ in 0..<calls { work() }
    return now() - start
  }

  private static func now() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }
}
