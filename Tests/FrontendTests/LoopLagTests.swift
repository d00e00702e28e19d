import EventLoop
import Gateway
import Glibc
import Testing

@testable import Frontend

@Suite("A loop is late when its turns have been too long for a while")
struct LoopLagTests {
  private static let millisecond: Int64 = 1_000_000

  /// Turns of so many milliseconds one behind the other, negative ones are pauses; and whether the loop is late behind
  /// the last of them.
  @Test(
    arguments: [
      ([], false), ([50], false), ([5_000], false),  // somebody has stopped the process, and it goes on
      ([101, 101], false), ([499, 500], false), ([500, 500], true), ([101, 899], true),
      ([100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100], false),
      ([101, 101, 101, 101, 101, 101, 101, 101, 101, 101], true),
      ([300, 1, 300, 99, 300], true), ([300, 101, 300, 100, 300], true), ([600, -101, 600], false),
      ([600, -100, 600], true), ([400, 50, 50, 1, 500, 500], true), ([400, 50, 51, 500, 499], false),
      ([600, 600, -100], true), ([600, 600, -101], false), ([600, 600, 60, 60], false), ([600, 600, -5_000, 2], false),
      ([600, 600, -5_000, 101], false),
    ] as [([Int64], Bool)]) func turns(_ turns: [Int64], isLate: Bool)
  {
    var lag = LoopLag(Limits())
    var now: Int64 = 77 * Self.millisecond
    for turn in turns {
      let begin = now
      now += abs(turn) * Self.millisecond
      if turn > 0 { lag.note(begin..<now) }
    }
    #expect(lag.isLate(at: now) == isLate)
  }

  @Test func theLimitsAreTheConfigurations() {
    var limits = Limits()
    limits.lagMilliseconds = 10
    limits.lagGraceMilliseconds = 30
    var lag = LoopLag(limits)
    lag.note(0..<(11 * Self.millisecond))
    lag.note((11 * Self.millisecond)..<(30 * Self.millisecond))
    #expect(lag.isLate(at: 30 * Self.millisecond) && !lag.isLate(at: 41 * Self.millisecond))
  }

  private func spin(milliseconds: Int64) {
    func now() -> Int64 {
      var time = timespec()
      clock_gettime(CLOCK_MONOTONIC, &time)
      return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }
    let end = now() + milliseconds + 1
    while now() < end {}
  }

  /// What comes while two turns in a row take longer than they may is refused, whatever it comes by.
  @Test(arguments: [false, true]) func whatComesToALateLoopIsRefused(isHTTP2: Bool) throws {
    var limits = Limits()
    limits.lagMilliseconds = 50
    limits.lagGraceMilliseconds = 100
    let gate = try FrontGate(limits: limits)
    defer { gate.stop() }
    let client = gate.connect()
    let peer = isHTTP2 ? HTTP2Peer(client) : nil
    peer?.send(Frames.headers(1, Frames.get("/livez"), endStream: true))
    #expect(peer?.answer(1).status ?? "200" == "200")
    let request =
      isHTTP2
      ? Frames.headers(3, Frames.post(key: gate.key), endStream: false)
      : Array(
        "POST /v1/messages HTTP/1.1\r\nHost: gate\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
          .utf8)
    let loop = gate.loop
    loop.execute {
      spin(milliseconds: 60)
      loop.execute {
        spin(milliseconds: 60)
        _ = request.withUnsafeBytes { send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        loop.execute {}  // the next turn follows at once
      }
    }
    if let peer {
      #expect(peer.answer(3).status == "503")
    } else {
      var bytes = [UInt8](repeating: 0, count: 4096)
      let count = recv(client, &bytes, bytes.count, 0)
      #expect(String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).hasPrefix("HTTP/1.1 529 "))
      close(client)
    }
    var reading = LoopCounters.Reading()
    gate.pipeline.counters.add(to: &reading)
    #expect(reading.fired[FiredLimit.loopLag.rawValue] == 1)
  }
}
