import Foundation
import JSONText
import Testing

@testable import Inference

@Suite struct BatchLineTests {
  private static let line =
    #"{"custom_id":"a-1","method":"POST","url":"/v1/chat/completions","body":{"model":"m","messages":[]}}"#

  @Test func aLineIsReadInAnyOrder() throws {
    for text in [
      Self.line,
      #" {"body": {"model":"m","messages":[]} ,"url":"/v1/chat/completions","custom_id":"a-1","method":"POST"}"#,
    ] {
      try withBytes(Array(text.utf8)) { bytes in
        let line = try BatchLine(bytes)
        #expect(line.name.range.of(bytes).text == "a-1" && line.route == .chat)
        #expect(line.body.of(bytes).text == #"{"model":"m","messages":[]}"#)
        let out = ByteArena()
        let places = BatchLine.append(
          name: line.name.range.of(bytes), route: line.route, body: line.body.of(bytes), to: out)
        #expect(out.text == Self.line)
        #expect(ByteRange(places.name, places.name + 3).of(out.bytes).text == "a-1")
        #expect(ByteRange(places.body, out.count - 1).of(out.bytes).text == line.body.of(bytes).text)
      }
    }
  }

  static let wrong: [(String, Refusal.Code)] = [
    ("", .invalidJSON), ("[]", .invalidType), ("{}", .missingRequiredParameter), (line + "x", .invalidJSON),
    (line.replacing("custom_id", with: "customId"), .unsupportedParameter),
    (line.replacing(#""a-1""#, with: "1"), .invalidType),
    (line.replacing("a-1", with: String(repeating: "a", count: 257)), .invalidValue),
    (line.replacing("POST", with: "DELETE"), .invalidValue),
    (line.replacing("/v1/chat/completions", with: "https://example.org/v1/chat/completions"), .invalidValue),
    (line.replacing(#"{"model":"m","messages":[]}"#, with: #""text""#), .invalidType),
    (line.replacing(#","url""#, with: #","custom_id":"b","url""#), .unsupportedParameter),
    (line.replacing(#""url""#, with: #""ur\u006c""#), .unsupportedParameter),
  ]

  @Test(arguments: wrong.indices) func whatIsNoLineIsRefused(place: Int) {
    let (text, code) = Self.wrong[place]
    withBytes(Array(text.utf8)) { bytes in
      let error = #expect(throws: InferenceError.self) { try BatchLine(bytes) }
      #expect(error?.code == code, "\(text)")
    }
  }

  /// Whatever the bytes are: no trap, and what is accepted is one object for everybody, before and after.
  @Test(arguments: [UInt64(71), 72]) func mutatedLinesAreLinesForEverybodyOrNone(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let text = Array(Self.line.replacing("a-1", with: #"ä\u00e9\"1"#).utf8)
    var accepted = 0
    for _ in 0..<10_000 {
      let bytes = random.mutate(text, most: 3)
      withBytes(bytes) { raw in
        guard let line = try? BatchLine(raw) else { return }
        accepted += 1
        let json = (try? JSONSerialization.jsonObject(with: Data(bytes))) as? [String: Any]
        #expect(json?.keys.sorted() == ["body", "custom_id", "method", "url"], "\(raw.text)")
        let out = ByteArena()
        BatchLine.append(name: line.name.range.of(raw), route: line.route, body: line.body.of(raw), to: out)
        let again = (try? JSONSerialization.jsonObject(with: Data(out.array))) as? [String: Any]
        #expect(again?["custom_id"] as? String == json?["custom_id"] as? String, "\(out.text)")
      }
    }
    #expect(accepted > 200)
  }

  @Test(arguments: [UInt64(73), 74]) func mutatedFormsNeverTrap(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let form = Array(
      "--X\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jsonl\"\r\n\r\n\(Self.line)\n\r\n\(Self.line)\n\r\n--X--\r\n"
        .utf8)
    var accepted = 0
    for _ in 0..<10_000 {
      withBytes(random.mutate(form, most: 3)) { raw in
        guard let form = try? BatchForm(raw, boundary: Array("X".utf8)) else { return }
        accepted += 1
        var previous = form.file.start
        for line in (try? BatchForm.lines(form.file, of: raw, most: 100)) ?? [] {
          #expect(line.start >= previous && line.end >= line.start && line.end <= form.file.end)
          #expect(!line.of(raw).contains(0x0A))
          previous = line.end
        }
      }
    }
    #expect(accepted > 1_000)
  }

  @Test func aFileEndsInALineOrInItsEnd() throws {
    for (text, lines) in [("a", ["a"]), ("a\n", ["a"]), ("a\r\nb", ["a", "b"]), ("a\n\nb\n", ["a", "", "b"])] {
      try withBytes(Array(text.utf8)) { bytes in
        let found = try BatchForm.lines(ByteRange(0, bytes.count), of: bytes, most: 3)
        #expect(found.map { $0.of(bytes).text } == lines)
        #expect(throws: InferenceError.self) {
          try BatchForm.lines(ByteRange(0, bytes.count), of: bytes, most: lines.count - 1)
        }
      }
    }
  }

  /// Another reader may end a line there.
  @Test func aCarriageReturnStandsAtTheEndOfALineAlone() {
    for text in ["a\rb\n", "\ra\n", "a\n{\r}\r\n"] {
      withBytes(Array(text.utf8)) { bytes in
        #expect((try? BatchForm.lines(ByteRange(0, bytes.count), of: bytes, most: 9)) == nil)
      }
    }
    withBytes(Array("a\r\nb\r\n\r\n\n".utf8)) { bytes in
      let lines = try? BatchForm.lines(ByteRange(0, bytes.count), of: bytes, most: 9)
      #expect(lines?.map { $0.of(bytes).text } == ["a", "b"])
    }
  }

  @Test func aNameMayGrowByItsPlaceholders() {
    let text = Self.line.replacing("a-1", with: String(repeating: "a", count: 300))
    withBytes(Array(text.utf8)) { bytes in
      #expect((try? BatchLine(bytes)) == nil)
      #expect((try? BatchLine(bytes, isRedacted: true))?.name.range.count == 300)
    }
  }

  static let orders: [(String, Refusal.Code?)] = [
    (#"{"input_file_id":"f","endpoint":"/v1/embeddings","completion_window":"24h"}"#, nil),
    (#"{"input_file_id":"f","endpoint":"e","completion_window":"24h","metadata":{"a":"b"}}"#, nil),
    (#"{"input_file_id":"f","endpoint":"e","completion_window":"1h"}"#, .invalidValue),
    (#"{"input_file_id":"f","endpoint":"e"}"#, .missingRequiredParameter),
    (#"{"input_file_id":1,"endpoint":"e","completion_window":"24h"}"#, .invalidType),
    (#"{"input_file_id":"f","input_file_id":"g","endpoint":"e","completion_window":"24h"}"#, .invalidValue),
    (
      #"{"input_file_id":"f","endpoint":"e","completion_window":"24h","output_expires_after":{}}"#,
      .unsupportedParameter
    ),
    ("{", .invalidJSON), ("[]", .invalidType), ("", .invalidJSON),
  ]

  @Test(arguments: orders.indices) func anOrderIsReadStrictly(place: Int) {
    let (text, code) = Self.orders[place]
    withBytes(Array(text.utf8)) { bytes in
      do throws(InferenceError) {
        let order = try BatchOrder(bytes)
        #expect(code == nil && order.file.of(bytes).text == "f" && order.hasMetadata == text.contains("metadata"))
      } catch { #expect(error.code == code, "\(text)") }
    }
  }
}
