import Foundation
import JSONText
import Testing

/// Our scanner against Foundation's, on mutated texts: what one takes, the other takes, but for our stricter rules.
@Suite struct JSONDifferentialTests {
  private static let seeds = [
    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Grüezi \\\"Zürich\\\" \\u00e9\\ud83d\\ude00 😀\"}],\"n\":1}",
    "[1,-2,3.25,1e5,-1.5E-3,0,true,false,null,\"\",{},[]]",
    "{\"a\":{\"b\":{\"c\":[[[\"deep\"]]]}},\"x\":\"\\b\\f\\n\\r\\t\\/\\\\\"}",
    " { \"a\" : [ 1 , 2 ] ,\r\n\t\"b\" : \"c\" } ",
  ]

  private func foundationAccepts(_ bytes: [UInt8]) -> Bool {
    (try? JSONSerialization.jsonObject(with: Data(bytes), options: [.fragmentsAllowed])) != nil
  }

  /// Foundation takes `[1,]`.
  private func endsListWithComma(_ bytes: [UInt8]) -> Bool {
    let text = String(decoding: bytes.filter { $0 > 0x20 }, as: UTF8.self)
    return text.contains(",]") || text.contains(",}")
  }

  @Test(arguments: 0..<4)
  func agreesWithFoundation(round: Int) {
    var random = SeededGenerator(seed: UInt64(round) &+ 100)
    let pool = Array("\"\\{}[]:,0123456789-+.eEuU dtrnulfas\n\t".utf8) + [0x00, 0x1F, 0x7F, 0x80, 0xC3, 0xE2, 0xFF]
    var accepted = 0
    for _ in 0..<3_000 {
      var bytes = Array(Self.seeds[round].utf8)
      for _ in 0..<Int.random(in: 0...2, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[place] = pool.randomElement(using: &random) ?? 0
        case 1: bytes.insert(pool.randomElement(using: &random) ?? 0, at: place)
        case 2: bytes.remove(at: place)
        default: bytes.swapAt(place, Int.random(in: 0..<bytes.count, using: &random))
        }
      }
      let code = refusal(of: bytes)
      let isTaken = foundationAccepts(bytes)
      if code == nil {
        accepted += 1
        #expect(isTaken, "only ours takes \(String(decoding: bytes, as: UTF8.self))")
      } else if isTaken {
        #expect(
          code == .loneSurrogate || code == .numberOutOfRange || bytes.contains(0) || endsListWithComma(bytes),
          "only Foundation takes \(String(decoding: bytes, as: UTF8.self)), ours says \(code?.rawValue ?? "")")
      }
    }
    #expect(accepted > 300)
  }

  @Test func randomBytesNeverTrap() {
    var random = SeededGenerator(seed: 5)
    for _ in 0..<10_000 {
      let count = Int.random(in: 0...64, using: &random)
      let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
      if refusal(of: bytes) == nil { #expect(foundationAccepts(bytes)) }
    }
  }
}
