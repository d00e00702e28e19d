import Foundation
import JSONText
import Testing

@testable import Inference

/// A member that holds sealed data is no hiding place for a text.
struct SealTests {
  private static func isSeal(_ text: String) -> Bool { withBytes(text) { Seal.isOne($0) } }

  private static func noise(_ count: Int, seed: UInt64) -> Data {
    var state = seed
    return Data(
      (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 56)
      })
  }

  @Test func ciphertextsAreSeals() {
    for seed in 1...200 as ClosedRange<UInt64> {
      let text = Self.noise(48 + Int(seed), seed: seed).base64EncodedString()
      #expect(Self.isSeal(text))
      #expect(Self.isSeal(text.replacing("/", with: "\\/")))
      #expect(Self.isSeal(text.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")))
    }
  }

  @Test func textsAreNone() {
    let letter =
      "Bitte an anna.muster@example.ch schreiben, IBAN CH93 0076 2011 6238 5295 7, danke und Grüsse aus Bern."
    for text in [
      Data(letter.utf8).base64EncodedString(), letter, String(repeating: "A1", count: 31),
      "data:anna.muster@example.ch;base64," + Self.noise(60, seed: 3).base64EncodedString(),
      String(repeating: "\\u0061", count: 20), "sk-ant-api03-" + Self.noise(90, seed: 4).base64EncodedString(),
      (Self.noise(60, seed: 5) + Data(letter.utf8) + Self.noise(60, seed: 6)).base64EncodedString(),
      Self.noise(60, seed: 7).base64EncodedString() + "=A", String(repeating: "=", count: 80),
      "756-9217-0769-85/CH9300762011623852957/" + String(repeating: "x", count: 40) + "!",
    ] {
      #expect(!Self.isSeal(text), "\(text)")
    }
  }
}
