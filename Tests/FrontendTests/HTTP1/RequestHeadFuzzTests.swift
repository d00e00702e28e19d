import Gateway
import Testing

@testable import Frontend

/// Whatever the bytes are: no trap, no second meaning, nothing beyond the input.
@Suite("Request heads from random bytes")
struct RequestHeadFuzzTests {
  private static let words = [
    "GET ", "POST ", "/", "/v1/models", " HTTP/1.1", " HTTP/1.0", "\r\n", "\r\n\r\n", "Host: a", "\r", "\n", " ", "\t",
    ":",
    "Content-Length: ", "Transfer-Encoding: ", "chunked", "5", "_", "..", "%2f", "#", "\u{0}", "é", "Connection: close",
    "Expect: 100-continue", "Upgrade: h2c", "x_torhaus_a: b", "?", "\\",
  ].map { Array($0.utf8) }

  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func wordsInAnyOrder(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<1_250 {
      var bytes = Int.random(in: 0..<3, using: &random) == 0 ? [] : Array("GET / HTTP/1.1\r\nHost: a\r\n".utf8)
      for _ in 0..<Int.random(in: 0...12, using: &random) { bytes += Self.words.randomElement(using: &random) ?? [] }
      if Bool.random(using: &random) { bytes += [13, 10, 13, 10] }
      guard check(bytes, &random) else { return }
    }
  }

  @Test(arguments: [5, 6, 7, 8] as [UInt64])
  func validHeadsWithDamage(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let heads = RequestHeadParserTests.all.map(\.bytes).filter { $0.count < 400 }
    for _ in 0..<1_250 {
      var bytes = heads.randomElement(using: &random) ?? []
      for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: index)
        case 2: bytes.insert(UInt8.random(in: 0...255, using: &random), at: index)
        default: bytes.insert(contentsOf: bytes[index..<min(index + 20, bytes.count)], at: index)
        }
      }
      guard check(bytes, &random) else { return }
    }
  }

  @Test func bytesWithoutAnyOrder() {
    var random = SeededGenerator(seed: 9)
    for _ in 0..<1_000 {
      let count = Int.random(in: 0...200, using: &random)
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      guard check(bytes, &random) else { return }
    }
  }

  private func check(_ bytes: [UInt8], _ random: inout SeededGenerator) -> Bool {
    let whole = parseHead(bytes)
    if case .accepted(_, _, let length) = whole, let reason = Self.flaw(in: bytes, length: length) {
      Issue.record("accepted \(String(decoding: bytes, as: UTF8.self).debugDescription): \(reason)")
      return false
    }
    var cuts: [Int] = []
    var position = 0
    while position < bytes.count {
      cuts.append(position)
      position += Int.random(in: 1...40, using: &random)
    }
    let split = parseHead(bytes, cuts: cuts)
    guard Self.agree(whole, split) else {
      Issue.record("\(split) in pieces, \(whole) at once: \(String(decoding: bytes, as: UTF8.self).debugDescription)")
      return false
    }
    return true
  }

  /// Both accept the same request, or both refuse; which of several faults is named may depend on what came first.
  private static func agree(_ left: ParsedHead, _ right: ParsedHead) -> Bool {
    if case .refused = left, case .refused = right { return true }
    return left == right
  }

  /// What an accepted head must never contain, said without the parser's own tools.
  private static func flaw(in bytes: [UInt8], length: Int) -> String? {
    guard length <= bytes.count else { return "longer than the input" }
    guard length >= 18, bytes[(length - 4)..<length].elementsEqual([13, 10, 13, 10]) else { return "no end" }
    for index in 0..<length {
      let byte = bytes[index]
      if byte == 13, bytes[index + 1] != 10 { return "bare CR" }
      if byte == 10, index == 0 || bytes[index - 1] != 13 { return "bare LF" }
      if byte >= 0x7F || (byte < 0x20 && ![9, 10, 13].contains(byte)) { return "byte \(byte)" }
    }
    let text = String(decoding: bytes[0..<length], as: UTF8.self)
    let names = text.split(separator: "\r\n").dropFirst().map { $0.prefix { $0 != ":" }.lowercased() }
    for name in ["host", "content-length", "transfer-encoding", "authorization", "content-type", "expect"] {
      if names.filter({ $0 == name }).count > 1 { return "\(name) twice" }
    }
    if names.contains("content-length"), names.contains("transfer-encoding") { return "two lengths" }
    if names.contains(where: { $0.contains(" ") || $0.contains("\t") }) { return "blank in a name" }
    return nil
  }
}
