import Gateway
import Testing

@testable import Frontend

@Suite("What a client's frames may cost")
struct FrameMeterTests {
  /// Feeds bytes in pieces of `step`.
  private func admits(_ bytes: [UInt8], step: Int = .max, _ meter: inout FrameMeter, now: Int64 = 0) -> Bool {
    var start = 0
    while start < bytes.count {
      let end = start + min(step, bytes.count - start)
      let isFine = bytes[start..<end].withUnsafeBytes { meter.admits($0, now: now) }
      guard isFine else { return false }
      start = end
    }
    return true
  }

  private func greeted() -> FrameMeter {
    var meter = FrameMeter(limits: Limits())
    _ = admits(Frames.preface, &meter)
    return meter
  }

  private static let head = Frames.frame(Frames.headers, Frames.endHeaders, 1, [0x82])

  private static func head(_ stream: UInt32) -> [UInt8] {
    Frames.frame(Frames.headers, Frames.endHeaders, stream, [0x82])
  }

  static let idle: [(name: String, frame: [UInt8])] = [
    ("PING", Frames.frame(Frames.ping, 0, 0, [UInt8](repeating: 0, count: 8))),
    ("PING that answers nothing", Frames.frame(Frames.ping, Frames.acknowledges, 0, [UInt8](repeating: 0, count: 8))),
    ("SETTINGS", Frames.frame(Frames.settings)), ("PRIORITY", Frames.frame(Frames.priority, 0, 3, [0, 0, 0, 0, 1])),
    ("WINDOW_UPDATE", Frames.frame(Frames.windowUpdate, 0, 0, [0, 0, 0, 1])),
    ("RST_STREAM", Frames.frame(Frames.reset, 0, 1, [0, 0, 0, 8])), ("empty DATA", Frames.frame(Frames.data, 0, 1)),
    ("empty DATA that ends nothing", Frames.frame(Frames.data, Frames.endStream, 1)),
    ("DATA of padding", Frames.frame(Frames.data, Frames.padded, 1, [3, 0, 0, 0])),
    ("GOAWAY", Frames.frame(Frames.goAway, 0, 0, [UInt8](repeating: 0, count: 8))),
    ("unknown type", Frames.frame(0x77)),
    ("PRIORITY_UPDATE", Frames.frame(0x10, 0, 0, [0, 0, 0, 1])),
  ]

  @Test(arguments: idle)
  func framesThatAskForNothingAreCountedOut(name: String, frame: [UInt8]) {
    for step in [1, 7, .max] {
      var meter = greeted()
      let limit = Limits().http2.idleFrames
      let most = Array(repeatElement(frame, count: limit).joined())
      #expect(admits(most, step: step, &meter, now: 10))
      #expect(!admits(frame, step: step, &meter, now: 10 + Int64(Limits().http2.calmMilliseconds)))
    }
  }

  @Test func timeForgives() {
    var meter = greeted()
    let most = Array(repeatElement(Frames.frame(Frames.settings), count: Limits().http2.idleFrames).joined())
    #expect(admits(most, &meter, now: 1_000_000))
    #expect(admits(most, &meter, now: 1_000_001 + Int64(Limits().http2.calmMilliseconds)))
  }

  @Test func workIsNeverTooMuch() {
    var meter = greeted()
    for number in 0..<2_000 as Range<UInt32> {
      #expect(admits(Self.head(2 * number + 1), &meter))
      #expect(admits(Frames.frame(Frames.data, 0, 1, [1]), &meter))
      #expect(admits(Frames.frame(Frames.data, Frames.padded, 1, [1, 7, 0]), &meter))
      #expect(admits(Frames.frame(Frames.data, Frames.endStream, 1), &meter))
      #expect(admits(Frames.frame(Frames.reset, 0, 1, [0, 0, 0, 8]), &meter))
      meter.sentData()
      for _ in 0..<4 { #expect(admits(Frames.frame(Frames.windowUpdate, 0, 1, [0, 0, 0, 1]), &meter)) }
    }
  }

  /// A head on a stream that was opened before is at best a trailer: it pays for nothing else.
  @Test func headsOfOldStreamsEarnNothing() {
    var meter = greeted()
    #expect(admits(Self.head(7), &meter))
    let limit = Limits().http2.idleFrames
    for _ in 0..<limit + 2 { #expect(admits(Self.head(5), &meter)) }
    #expect(admits(Frames.frame(Frames.reset, 0, 7, [0, 0, 0, 8]), &meter), "the one that was opened may be reset")
    #expect(!admits(Self.head(7), &meter))
  }

  @Test func headsEndAtSomeTime() {
    var meter = greeted()
    #expect(admits(Frames.frame(Frames.headers, 0, 1, [0x82]), &meter))
    for _ in 0..<Limits().http2.continuations {
      #expect(admits(Frames.frame(Frames.continuation, 0, 1, [0x82]), &meter))
    }
    #expect(!admits(Frames.frame(Frames.continuation, 0, 1), &meter))
  }

  @Test func headsAreNotLargerThanTwiceWhatMayBeInThem() {
    var meter = greeted()
    let piece = [UInt8](repeating: 0x82, count: 16_384)
    #expect(admits(Frames.frame(Frames.headers, 0, 1, piece), &meter))
    for _ in 0..<3 { #expect(admits(Frames.frame(Frames.continuation, 0, 1, piece), &meter)) }
    #expect(!admits(Frames.frame(Frames.continuation, 0, 1, [0]), &meter))
  }

  @Test(arguments: [1, 3, Int.max])
  func knowsSinceWhenAHeadIsBeingSent(step: Int) {
    var meter = greeted()
    #expect(admits(Frames.frame(Frames.headers, 0, 1, [0x82]), step: step, &meter, now: 5))
    #expect(meter.headBegan == 5)
    #expect(admits(Frames.frame(Frames.continuation, Frames.endHeaders, 1, [0x82]), step: step, &meter, now: 9))
    #expect(meter.headBegan == nil)
    #expect(admits(Array(Self.head.dropLast()), step: step, &meter, now: 11))
    #expect(meter.headBegan == 11)
    #expect(
      admits([0x82], step: step, &meter, now: 12))
    #expect(meter.headBegan == nil)
    #expect(admits(Frames.frame(Frames.headers, 0, 3), step: step, &meter, now: 13))
    #expect(admits(Frames.frame(Frames.continuation, Frames.endHeaders, 3), step: step, &meter, now: 14))
    #expect(meter.headBegan == nil)
  }

  @Test func randomBytesNeverTrap() {
    var random = SeededGenerator(seed: 21)
    for _ in 0..<2_000 {
      var meter = greeted()
      let bytes = (0..<Int.random(in: 0...300, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      let whole = admits(bytes, &meter)
      var other = greeted()
      let inPieces = admits(bytes, step: Int.random(in: 1...9, using: &random), &other)
      #expect(inPieces == whole)
    }
  }
}
