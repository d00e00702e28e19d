import CLinux
import Foundation
import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import Upstream

/// Each way to wake a loop, with a real pipe in a real epoll set. A lost wake-up shows as a row of bytes that never ends.
@Suite("Waking a loop", .serialized, .timeLimit(.minutes(2)))
struct ReadinessTests {
  static let kinds: [ReadinessKind] = AIORefusal.isAvailable ? [.kernelPoll, .watcherThread] : [.watcherThread]

  @Test(arguments: kinds)
  func wakesForAByteThatComesLater(_ kind: ReadinessKind) async throws {
    try await Bench.run(kind, expecting: 1, onReport: .takeAll, feed: .first)
  }

  @Test(arguments: kinds)
  func reportsAgainAsLongAsTheSetIsReady(_ kind: ReadinessKind) async throws {
    let reports = try await Bench.run(kind, expecting: 2_000, onReport: .takeOne, feed: .everything)
    #expect(reports == 2_000)
  }

  @Test(arguments: kinds)
  func seesTheByteThatComesBetweenEmptyingAndArming(_ kind: ReadinessKind) async throws {
    try await Bench.run(kind, expecting: 2_000, onReport: .takeAllThenFeedThenArm, feed: .first)
  }

  @Test(arguments: kinds)
  func seesTheByteThatComesAfterArming(_ kind: ReadinessKind) async throws {
    try await Bench.run(kind, expecting: 2_000, onReport: .takeAllThenArmThenFeed, feed: .first)
  }

  @Test(arguments: kinds)
  func losesNothingToAWriterThatNeverWaits(_ kind: ReadinessKind) async throws {
    try await Bench.run(kind, expecting: 20_000, onReport: .takeAll, feed: .fromAnotherThread)
  }

  @Test(arguments: kinds)
  func wakesForWhatWasReadyBeforeItStarted(_ kind: ReadinessKind) async throws {
    try await Bench.run(kind, expecting: 1, onReport: .takeAll, feed: .beforeStart)
  }
}

/// A loop, a pipe in an epoll set, and one way to be woken for it.
private final class Bench: @unchecked Sendable {  // everything mutable is touched on the loop only
  enum OnReport { case takeAll, takeOne, takeAllThenFeedThenArm, takeAllThenArmThenFeed }
  enum Feed { case beforeStart, first, everything, fromAnotherThread }

  private struct Stalled: Error, CustomStringConvertible {
    let description: String
  }

  private let loop: any EventLoop
  private let set = EpollSet()
  private let input: Int32
  private let output: Int32
  private let expected: Int
  private let onReport: OnReport
  private let done: EventLoopPromise<Int>
  private var source: (any Readiness)?
  private var reports = 0
  private var taken = 0
  private var fed = 0
  private var isDone = false

  /// - Returns: How many reports there were until all bytes were taken.
  @discardableResult
  static func run(_ kind: ReadinessKind, expecting: Int, onReport: OnReport, feed: Feed) async throws -> Int {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let bench = Bench(loop: group.next(), expected: expecting, onReport: onReport)
    do {
      let reports = try await bench.run(kind, feed)
      try await bench.stop()
      try await group.shutdownGracefully()
      return reports
    } catch {
      try? await bench.stop()
      try? await group.shutdownGracefully()
      throw error
    }
  }

  private init(loop: any EventLoop, expected: Int, onReport: OnReport) {
    self.loop = loop
    self.expected = expected
    self.onReport = onReport
    done = loop.makePromise()
    var pipe: [Int32] = [-1, -1]
    _ = Glibc.pipe(&pipe)
    (input, output) = (pipe[0], pipe[1])
    _ = fcntl(input, F_SETFL, fcntl(input, F_GETFL) | O_NONBLOCK)
    _ = th_epoll_control(set.descriptor, EPOLL_CTL_ADD, input, EPOLLIN.rawValue)
  }

  deinit {
    close(input)
    close(output)
  }

  private func run(_ kind: ReadinessKind, _ feed: Feed) async throws -> Int {
    if feed == .beforeStart { write(1) }
    try await start(kind)
    let deadline = loop.scheduleTask(in: .seconds(30)) { [self] in
      isDone = true
      done.fail(Stalled(description: "\(kind) stopped after \(taken) of \(expected) bytes and \(reports) reports"))
    }
    switch feed {
    case .beforeStart: break
    case .first: try await loop.submit { [self] in write(1) }.get()
    case .everything: try await loop.submit { [self] in write(expected) }.get()
    case .fromAnotherThread: Thread.detachNewThread { [self] in for _ in 0..<expected { write(1) } }
    }
    let count = try await done.futureResult.get()
    deadline.cancel()
    return count
  }

  private func stop() async throws {
    try await loop.submit { [self] in
      source?.close()
      source = nil
    }.get()
  }

  private func start(_ kind: ReadinessKind) async throws {
    let started: EventLoopFuture<Void>
    switch kind {
    case .kernelPoll: started = try await loop.submit { [self] in try make(kind) }.get()
    case .watcherThread:
      started = try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { [self] in
          continuation.resume(
            with: Result {
              guard AIORefusal.installOnThisThread() else { throw Stalled(description: "no seccomp here") }
              return try make(kind)
            })
        }
      }
    }
    try await started.get()
  }

  private func make(_ kind: ReadinessKind) throws -> EventLoopFuture<Void> {
    let made = try ReadinessSource.make(set: set.descriptor, on: loop) { [weak self] in self?.reported() }
    guard made.kind == kind else { throw Stalled(description: "\(made.kind) was chosen, not \(kind)") }
    let source = Handed(source: made.source)
    if loop.inEventLoop {
      self.source = source.source
      return made.started
    }
    // The loop sees the source before it can see a report: its tasks run in order.
    return loop.submit { [self] in
      self.source = source.source
      if reports > 0 { source.source.arm() }
    }
  }

  private struct Handed: @unchecked Sendable {
    let source: any Readiness
  }

  private func reported() {
    guard !isDone else { return }
    reports += 1
    take(onReport == .takeOne ? 1 : .max)
    if taken >= expected {
      isDone = true
      done.succeed(reports)
      return
    }
    switch onReport {
    case .takeAll, .takeOne: source?.arm()
    case .takeAllThenFeedThenArm:
      feedNext()
      source?.arm()
    case .takeAllThenArmThenFeed:
      source?.arm()
      feedNext()
    }
  }

  private func feedNext() {
    if taken > fed {
      fed = taken
      write(1)
    }
  }

  private func take(_ most: Int) {
    _ = set.ready()
    var buffer = [UInt8](repeating: 0, count: 256)
    while true {
      let count = read(input, &buffer, min(most, buffer.count))
      guard count > 0 else { return }
      taken += count
      if most == 1 { return }
    }
  }

  private func write(_ count: Int) {
    let bytes = [UInt8](repeating: 1, count: count)
    var written = 0
    while written < count {
      let step = bytes.withUnsafeBytes { Glibc.write(output, $0.baseAddress, count - written) }
      guard step > 0 else { return }
      written += step
    }
  }
}
