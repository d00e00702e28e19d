import Dispatch
import Synchronization
import Testing

@testable import SealedLog

struct BatonTests {
  @Test func oneHasItAndLearnsWhoElseHasAsked() {
    let baton = Baton()
    #expect(baton.take(.loop))
    #expect(!baton.take(.loop) && !baton.take(.thread))
    let asked = baton.layDown()
    #expect(asked.hasLoopAsked && asked.hasThreadAsked)
    #expect(baton.take(.thread))
    let again = baton.layDown()
    #expect(!again.hasLoopAsked && !again.hasThreadAsked, "what was told once is not told again")
  }

  /// Guarded by the baton alone: the thread sanitizer sees who is not.
  private final class Work: @unchecked Sendable {
    var done = 0
  }

  @Test func whatIsLeftWithTheHolderIsAlwaysDone() {
    let (baton, work) = (Baton(), Work())
    let left = Mutex(0)
    let each = 20_000
    DispatchQueue.concurrentPerform(iterations: 4) { _ in
      for _ in 0..<each {
        left.withLock { $0 += 1 }
        while baton.take(.loop) {
          work.done += left.withLock { left in
            defer { left = 0 }
            return left
          }
          guard baton.layDown().hasLoopAsked else { break }
        }
      }
    }
    #expect(work.done == 4 * each && left.withLock { $0 } == 0)
  }
}
