import Testing

@testable import Frontend

@Suite("Chunked bodies from random bytes")
struct ChunkedDecoderFuzzTests {
  private static let words = [
    "0", "1", "5", "f", "10", "FFFFFFFF", "\r\n", "\r", "\n", ";", "a", "hello", "X: y", "0\r\n\r\n", "1\r\na\r\n",
    "\u{0}", "é",
    "80000000", " ", "-",
  ].map { Array($0.utf8) }

  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func neverTakesOrGivesMoreThanThereIs(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<2_500 {
      var bytes: [UInt8] = []
      for _ in 0..<Int.random(in: 0...16, using: &random) {
        if Int.random(in: 0..<8, using: &random) == 0 {
          bytes.append(UInt8.random(in: 0...255, using: &random))
        } else {
          bytes += Self.words.randomElement(using: &random) ?? []
        }
      }
      let maximum = Int.random(in: 0...40, using: &random)
      let whole = ChunkedBody(bytes, maximumBytes: maximum, maximumTrailerBytes: 20)
      let split = ChunkedBody(
        bytes, cuts: cuts(bytes.count, &random), maximumBytes: maximum, maximumTrailerBytes: 20)
      guard whole.used <= bytes.count, whole.data.count <= maximum, whole.data.count <= whole.used, whole == split,
        whole.outcome != .complete || bytes[..<whole.used].suffix(2).elementsEqual([13, 10]),
        whole.outcome != .incomplete || whole.used == bytes.count
      else {
        Issue.record("\(whole) at once, \(split) in pieces: \(bytes)")
        return
      }
    }
  }

  @Test(arguments: [5, 6] as [UInt64])
  func whatWasChunkedComesBack(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<500 {
      let data = (0..<Int.random(in: 0...300, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      var wire: [UInt8] = []
      var position = 0
      while position < data.count {
        let count = Int.random(in: 1...min(100, data.count - position), using: &random)
        let size = String(count, radix: 16, uppercase: Bool.random(using: &random))
        wire += Array((size + (Bool.random(using: &random) ? ";x=y" : "") + "\r\n").utf8)
        wire += data[position..<(position + count)] + [13, 10]
        position += count
      }
      wire += Array((Bool.random(using: &random) ? "0\r\n\r\n" : "0\r\nX: y\r\n\r\n").utf8)
      let read = ChunkedBody(wire, cuts: cuts(wire.count, &random))
      guard read.outcome == .complete, read.used == wire.count, read.data == data else {
        Issue.record("\(read.outcome) after \(read.used) of \(wire.count)")
        return
      }
    }
  }

  private func cuts(_ count: Int, _ random: inout SeededGenerator) -> [Int] {
    var cuts: [Int] = []
    var position = 0
    while position < count {
      cuts.append(position)
      position += Int.random(in: 1...12, using: &random)
    }
    return cuts
  }
}
