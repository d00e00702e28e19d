import Foundation
import Inference
import JSONText
import Testing

@Suite struct EmbeddingsAnswerTests {
  private func encoded(_ body: String) throws -> String? {
    try withBytes(body) { bytes in
      let scan = AnswerScan()
      try scan.scan(bytes)
      var edits = EditList()
      let data = try #require(scan.data)
      guard EmbeddingsAnswer.encodeBase64(bytes, data: data, edits: &edits) else { return nil }
      let out = ByteArena()
      let isApplied = edits.apply(to: bytes, into: out)
      #expect(isApplied)
      return out.text
    }
  }

  @Test(arguments: [[], [0.5], [1, -2.25], [1e-3, 3, 0.1], [0.1, 0.2, 0.3, -0.4, 5e2]] as [[Float]])
  func numbersBecomeLittleEndianFloats(vector: [Float]) throws {
    let list = vector.map { "\($0)" }.joined(separator: " , ")
    let body =
      "{ \"data\":[{\"index\":0,\"embedding\": [\(list)] },{\"embedding\":\"AAAA\",\"index\":1}], \"model\":\"m\"}"
    let text = try #require(try encoded(body))
    let bytes = vector.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }
    let base64 = Data(bytes).base64EncodedString()
    #expect(text == body.replacing("[\(list)]", with: "\"\(base64)\""))
  }

  @Test(arguments: ["[{\"embedding\":[\"x\"]}]", "[{\"embedding\":[null]}]", "[{\"embedding\":[1e300]}]", "[5]"])
  func anythingElseIsRefused(data: String) throws { #expect(try encoded("{\"data\":\(data)}") == nil) }

  @Test(arguments: [("\"base64\"", true), ("\"float\"", false), ("null", false)])
  func theRequestTellsTheFormat(format: String, wants: Bool) throws {
    try withBytes("{\"model\":\"m\",\"input\":\"x\",\"encoding_format\":\(format)}") { bytes in
      let scan = RequestScan()
      try scan.scan(bytes, route: .embeddings)
      #expect(scan.wantsBase64 == wants)
    }
  }
}
