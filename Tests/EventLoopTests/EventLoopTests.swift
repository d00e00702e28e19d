import Foundation
import Glibc
import Synchronization
import Testing

@testable import EventLoop

/// Real threads and real sockets; what is waited for is an event, never a time.
@Suite("An event loop", .timeLimit(.minutes(2)))
struct EventLoopTests {
  /// Touched on the loop only.
  private final class Log: @unchecked Sendable {
    var entries: [String] = []
    var count = 0
  }

  private final class Reader: Watcher, @unchecked Sendable {
    let onReady: (Int32, Events) -> Void
    init(isToldLater: Bool = false, _ onReady: @escaping (Int32, Events) -> Void) {
      self.onReady = onReady
      super.init(isToldLater: isToldLater)
    }
    override func ready(_ descriptor: Int32, _ events: Events) { onReady(descriptor, events) }
  }

  private final class Ends: TurnEnd, @unchecked Sendable {
    let onEnd: () -> Bool
    init(_ onEnd: @escaping () -> Bool) { self.onEnd = onEnd }
    func endTurn() -> Bool { onEnd() }
  }

  private static func with<Value: Sendable>(_ body: (EventLoop) async throws -> Value) async throws -> Value {
    let loop = try EventLoop(name: "test")
    defer { loop.stop() }
    return try await body(loop)
  }

  @Test func workRunsOnTheLoopAndReturnsItsOutcome() async throws {
    try await Self.with { loop in
      #expect(!loop.isCurrent)
      let isCurrent = try await loop.run { loop.isCurrent }
      #expect(isCurrent)
      struct Wrong: Error {}
      await #expect(throws: Wrong.self) { try await loop.run { throw Wrong() } }
    }
  }

  @Test func workOfOneThreadKeepsItsOrder() async throws {
    let log = Log()
    let entries = try await Self.with { loop in
      for number in 0..<1000 { loop.execute { log.entries.append("\(number)") } }
      return try await loop.run { log.entries }
    }
    #expect(entries == (0..<1000).map { "\($0)" })
  }

  /// Sleep is no part of a turn, work is: what has come meanwhile has waited for so long.
  @Test func aTurnTellsHowLongTheOneBeforeItTook() async throws {
    try await Self.with { loop in
      for _ in 0..<3 {
        let (began, last, turns) = await withCheckedContinuation { continuation in
          loop.execute {
            let (began, turn) = (loop.now, loop.turn)
            var time = timespec()
            repeat {
              clock_gettime(CLOCK_MONOTONIC, &time)
            } while Int64(time.tv_sec) * 1_000_000_000
              + Int64(time.tv_nsec) < began + 3_000_000
            // Left during a turn: it is the next one's.
            loop.execute { continuation.resume(returning: (began, loop.lastTurn, loop.turn - turn)) }
          }
        }
        #expect(turns == 1 && last.lowerBound == began && last.upperBound >= began + 3_000_000)
      }
      // The timer's turn is the first after a sleep: the turn before it has ended long ago, unless the machine was busy.
      var hasSlept = false
      while !hasSlept {
        hasSlept = await withCheckedContinuation { continuation in
          loop.execute {
            loop.schedule(at: loop.now + 10_000_000) {
              continuation.resume(returning: loop.lastTurn.upperBound < loop.now - 5_000_000)
            }
          }
        }
      }
    }
  }

  /// The loop falls asleep between any two of these: a lost wake-up would leave it there.
  @Test func noWakeUpIsLost() async throws {
    try await Self.with { loop in
      let counts = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<4 {
          group.addTask {
            var done = 0
            for _ in 0..<5_000 { done += try await loop.run { 1 } }
            return done
          }
        }
        return try await group.reduce(0, +)
      }
      #expect(counts == 20_000)
    }
  }

  @Test func whatIsLeftBeforeTheEndIsDoneAndNothingAfterIt() async throws {
    let log = Log()
    let loop = try EventLoop(name: "test")
    loop.execute {
      // From inside: taken before the stop that follows, done after it.
      for _ in 0..<10 { loop.execute { log.count += 1 } }
    }
    loop.stop()
    #expect(log.count == 10)
    #expect(!loop.execute {})
    await #expect(throws: EventLoopError.self) { try await loop.run {} }
  }

  @Test func descriptorsReportToTheirWatcherUntilTheyAreForgotten() async throws {
    let pair = SocketPair()
    let near = pair.near
    let bytes = try await Self.with { loop in
      await withCheckedContinuation { (done: CheckedContinuation<Int, Never>) in
        loop.execute {
          var taken = 0
          var keep: Reader?
          let reader = Reader { descriptor, events in
            guard events.contains(.readable) else { return }
            var byte: UInt8 = 0
            while read(descriptor, &byte, 1) == 1 { taken += 1 }
            guard taken == 100 else { return }
            loop.forget(descriptor)
            keep = nil
            done.resume(returning: taken)
          }
          keep = reader
          loop.watch(near, .readable, by: reader)
          _ = keep
        }
        for _ in 0..<100 { pair.send() }
      }
    }
    #expect(bytes == 100)
  }

  @Test func thoseToBeToldLaterAreToldLaterAndNotAfterTheirEnd() async throws {
    let pairs = (0..<6).map { _ in SocketPair() }
    for pair in pairs { pair.send() }
    let log = Log()
    let entries = try await Self.with { loop in
      await withCheckedContinuation { (done: CheckedContinuation<[String], Never>) in
        let descriptors = pairs.map(\.near)
        loop.execute {
          var readers: [Reader] = []
          for (number, descriptor) in descriptors.enumerated() {
            let reader = Reader(isToldLater: number.isMultiple(of: 2)) { descriptor, _ in
              log.entries.append("\(number)")
              loop.forget(descriptor)
              // The last of the first kind ends one of the second.
              if number == 5 { loop.forget(descriptors[4]) }
            }
            readers.append(reader)
            loop.watch(descriptor, .readable, by: reader)
          }
          let kept = readers
          loop.schedule(at: loop.now + 20_000_000) {
            _ = kept
            done.resume(returning: log.entries)
          }
        }
      }
    }
    #expect(entries.count == 5)
    #expect(entries.prefix(3).allSatisfy { ["1", "3", "5"].contains($0) })
    #expect(entries.suffix(2).allSatisfy { ["0", "2"].contains($0) })
  }

  @Test func timersComeInOrderAndNotEarly() async throws {
    let log = Log()
    try await Self.with { loop in
      await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
        loop.execute {
          let start = loop.now
          func add(_ milliseconds: Int64, _ name: String) {
            loop.schedule(at: start + milliseconds * 1_000_000) {
              #expect(loop.now >= start + milliseconds * 1_000_000)
              log.entries.append(name)
            }
          }
          add(9, "third")
          add(3, "first")
          add(6, "second")
          loop.schedule(at: start + 12_000_000) { done.resume() }
        }
      }
    }
    #expect(log.entries == ["first", "second", "third"])
  }

  @Test func repeatedWorkGoesOnUntilTheLoopEnds() async throws {
    let log = Log()
    try await Self.with { loop in
      await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
        loop.execute {
          loop.repeated(everyMilliseconds: 1) {
            log.count += 1
            if log.count == 5 { done.resume() }
          }
        }
      }
    }
    #expect(log.count >= 5)
  }

  @Test func aTurnsEndIsCalledAgainAsLongAsItMakesWork() async throws {
    let log = Log()
    let entries = try await Self.with { loop in
      try await loop.run {
        loop.atEndOfTurns(
          Ends {
            log.entries.append("first")
            return false
          })
        loop.atEndOfTurns(
          Ends {
            log.entries.append("second")
            log.count += 1
            return log.count < 3
          })
      }
      return try await loop.run { log.entries }
    }
    #expect(entries.prefix(6) == ["first", "second", "first", "second", "first", "second"])
  }

  /// A turn's end that always has more must not keep the loop from its descriptors and from being stopped.
  @Test func aTurnsEndWithoutEndStarvesNobody() async throws {
    try await Self.with { loop in
      try await loop.run { loop.atEndOfTurns(Ends { true }) }
      for _ in 0..<10 { try await loop.run {} }
    }
  }

  /// Work that is left for later turns on purpose needs nothing from outside; each of them looks at sockets and timers.
  @Test func aLoopThatIsToStayAwakeDoes() async throws {
    let log = Log()
    try await Self.with { loop in
      let first = try await loop.run { loop.turn }
      let turns = await withCheckedContinuation { (done: CheckedContinuation<[UInt64], Never>) in
        loop.execute {
          var turns: [UInt64] = []
          loop.atEndOfTurns(
            Ends {
              guard log.count < 5 else { return false }
              log.count += 1
              turns.append(loop.turn)
              if log.count < 5 { loop.stayAwake() } else { done.resume(returning: turns) }
              return false
            })
        }
      }
      #expect(turns.count == 5 && Set(turns).count == 5 && turns.allSatisfy { $0 > first })
    }
  }
}
