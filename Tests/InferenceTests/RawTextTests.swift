import Testing

@testable import Inference

@Suite struct RawTextTests {
  private func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.withUnsafeBytes { left in right.withUnsafeBytes { left.equals($0) } }
  }

  @Test func oneOtherByteAnywhereMakesATextAnother() {
    for length in 0..<40 {
      let bytes = [UInt8](repeating: 0x61, count: length)
      #expect(areEqual(bytes, Array(bytes)))
      #expect(!areEqual(bytes, bytes + [0x61]))
      #expect(!areEqual(bytes + [0x61], bytes))
      for place in 0..<length {
        var other = bytes
        other[place] = 0x62
        #expect(!areEqual(bytes, other))
      }
    }
  }

  private func isConstant(_ text: String) -> Bool {
    withBytes(text) { bytes in
      if bytes.equals("") { return true }
      if bytes.equals("n") { return true }
      if bytes.equals("no") { return true }
      if bytes.equals("not") { return true }
      if bytes.equals("null") { return true }
      if bytes.equals("error") { return true }
      if bytes.equals("content") { return true }
      if bytes.equals("messages") { return true }
      if bytes.equals("max_tokens") { return true }
      return bytes.equals("completion_tokens")
    }
  }

  /// Of every length that is compared in a way of its own.
  @Test(arguments: [
    "", "n", "no", "not", "null", "error", "content", "messages", "max_tokens", "completion_tokens",
  ])
  func aConstantIsNothingElse(text: String) {
    #expect(isConstant(text))
    #expect(!isConstant("\(text)_"))
    guard !text.isEmpty else { return }
    #expect(!isConstant("_\(text.dropFirst())"))
    #expect(!isConstant("\(text.dropLast())_"))
  }
}
