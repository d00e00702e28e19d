import Testing

@testable import Gateway

@Suite("Request ids")
struct RequestIDTests {
  @Test(
    "The text is req_ and the 128 bits in 26 digits of base 32, the highest first",
    arguments: [
      (UInt128(0), "req_00000000000000000000000000"), (1, "req_00000000000000000000000001"),
      (.max, "req_7zzzzzzzzzzzzzzzzzzzzzzzzz"), (UInt128(1) << 60, "req_00000000000001000000000000"),
      (UInt128(1) << 64, "req_0000000000000g000000000000"), (UInt128(1) << 65, "req_00000000000010000000000000"),
      (UInt128(1) << 127, "req_40000000000000000000000000"),
    ])
  func text(_ value: UInt128, _ text: String) {
    #expect(RequestID(value).text == text)
  }

  @Test("Each bit shows in one digit only")
  func bits() {
    let zero = Array(RequestID(0).text)
    for bit in 0..<128 {
      let text = Array(RequestID(UInt128(1) << UInt128(bit)).text)
      let differing = text.indices.filter { text[$0] != zero[$0] }
      #expect(differing == [29 - bit / 5], "bit \(bit)")
    }
  }
}
