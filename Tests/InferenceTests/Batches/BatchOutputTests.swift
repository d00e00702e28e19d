import Foundation
import JSONText
import Testing

@testable import Inference

@Suite struct BatchOutputTests {
  /// Puts words back, as whole texts.
  private struct Restoring: AnswerRewriter {
    mutating func rewrite(_ text: UnsafeRawBufferPointer, channel: AnswerChannel, into out: ByteArena) -> TextOutcome {
      guard text.text.contains("PLACE") else { return .unchanged }
      out.append(utf8: text.text.replacing("PLACE", with: "Anna"))
      return .replaced
    }
    mutating func flush(channel: AnswerChannel, into out: ByteArena) -> TextOutcome { .unchanged }
  }

  private static let answer =
    #"{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"theirs","choices":[{"index":0,"message":{"role":"assistant","content":"An PLACE"},"finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":5,"total_tokens":17}}"#

  private static func line(_ body: String, status: Int = 200, name: String = "PLACE-1") -> String {
    #"{"id":"batch_req_theirs","custom_id":"\#(name)","response":{"status_code":\#(status),"request_id":"req_theirs","body":\#(body)},"error":null}"#
  }

  private static func read(_ text: String, route: InferenceRoute = .chat) -> (BatchOutput.Outcome, String, BatchOutput)
  {
    var output = BatchOutput(
      route: route, options: AnswerOptions(alias: "ours"), requestID: "req_ours", mostLines: 10, mostBytes: 4096)
    let out = ByteArena()
    let outcome = withBytes(Array(text.utf8)) { output.read($0, rewriter: { Restoring() }, into: out) }
    return (outcome, out.text, output)
  }

  @Test func anAnswerIsRestoredUnderOurNames() throws {
    let (outcome, text, output) = Self.read(
      Self.line(Self.answer) + "\r\n\n" + Self.line(Self.answer, name: "b") + "\n")
    #expect(outcome == .written && output.lines == 2)
    let lines = text.split(separator: "\n")
    #expect(lines.count == 2)
    let json = try #require(try JSONSerialization.jsonObject(with: Data(lines[0].utf8)) as? [String: Any])
    #expect(json["custom_id"] as? String == "Anna-1" && json["id"] as? String == "batch_req_1")
    #expect(text.contains("An Anna") && text.contains(#""model":"ours""#) && !text.contains("theirs"))
    #expect(output.usage?.inputTokens == 24 && output.usage?.outputTokens == 10)
  }

  @Test func errorsAreInOurWords() {
    let secret = #"{"error":{"message":"Incorrect API key provided: sk-abcdefgh12345678.","type":"x","code":"y"}}"#
    let (outcome, text, output) = Self.read(
      Self.line(secret, status: 401) + "\n" + Self.line("7") + "\n"
        + #"{"id":"r","custom_id":"c","response":null,"error":{"code":"batch_expired","message":"Too late, see https://provider.example/a"}}"#
    )
    #expect(outcome == .written)
    #expect(!text.contains("sk-abc") && !text.contains("provider.example") && !text.contains("theirs"))
    #expect(text.contains(#""status_code":502"#) && text.contains("upstream_auth"))
    #expect(text.contains(#""code":"batch_expired""#))
    #expect(output.usage == nil, "nobody knows what an answer has cost that cannot be read")
  }

  @Test func errorsCostNothing() {
    let (_, _, output) = Self.read(
      Self.line(Self.answer) + "\n" + Self.line(#"{"error":{"message":"no"}}"#, status: 400))
    #expect(output.usage?.inputTokens == 12)
  }

  @Test func embeddingsHaveNoOutputToTell() {
    let vector =
      #"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5]}],"model":"theirs","usage":{"prompt_tokens":7,"total_tokens":7}}"#
    let (outcome, text, output) = Self.read(Self.line(vector), route: .embeddings)
    #expect(outcome == .written && text.contains(#""model":"ours""#) && output.usage?.inputTokens == 7)
  }

  @Test func oneLineThatNobodyCanReadDoesNotWithholdTheOthers() {
    let (outcome, text, output) = Self.read("\u{FEFF}" + Self.line(Self.answer) + "\nbroken\n" + Self.line(Self.answer))
    #expect(outcome == .written && text.split(separator: "\n").count == 2 && output.answered == 2)
    #expect(output.usage == nil)
  }

  @Test func aLineThatBreaksOffSaysWhoseItIs() {
    let (outcome, text, output) = Self.read(
      Self.line(Self.answer) + "\n" + String(Self.line(Self.answer, name: "b").dropLast(9)))
    #expect(outcome == .written && output.answered == 1 && output.usage == nil)
    #expect(text.contains(#""custom_id":"b","response":null,"error":{"code":"batch_error""#), "\(text)")
  }

  @Test func moreLinesThanWereAskedForAreNoOutput() {
    #expect(Self.read(Array(repeating: Self.line(Self.answer), count: 10).joined(separator: "\n")).0 == .written)
    #expect(Self.read(Array(repeating: Self.line(Self.answer), count: 11).joined(separator: "\n")).0 == .malformed)
  }

  @Test func whatGrowsTooLargeIsNoOutput() {
    let text = Array(repeating: #"{"custom_id":""}"#, count: 9).joined(separator: "\n")
    for (most, outcome) in [(9 * 160, BatchOutput.Outcome.written), (9 * 60, .malformed)] {
      var output = BatchOutput(
        route: .chat, options: AnswerOptions(alias: "ours"), requestID: "req_ours", mostLines: 10, mostBytes: most)
      let found = withBytes(Array(text.utf8)) { output.read($0, rewriter: { UnchangedText() }, into: ByteArena()) }
      #expect(found == outcome)
    }
  }

  @Test(arguments: ["[]", "{}", #"{"custom_id":1}"#, #"{"custom_id":"a""#, "\u{0}"])
  func whatIsNoResultIsNone(text: String) { #expect(Self.read(text).0 == .malformed) }

  /// Whatever a provider sends: no trap, and lines that are JSON for everybody.
  @Test(arguments: [UInt64(75), 76]) func mutatedResultsAreJSONForEverybody(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let text = Array((Self.line(Self.answer) + "\n" + Self.line("{}", status: 400) + "\n").utf8)
    var written = 0
    for _ in 0..<3_000 {
      var output = BatchOutput(
        route: .chat, options: AnswerOptions(alias: "ours"), requestID: "req_ours", mostLines: 10, mostBytes: 1 << 20)
      let out = ByteArena()
      let bytes = random.mutate(text, most: 3)
      let outcome = withBytes(bytes) { output.read($0, rewriter: { UnchangedText() }, into: out) }
      guard outcome == .written else { continue }
      written += 1
      for line in out.text.split(separator: "\n") {
        let isJSON = (try? JSONSerialization.jsonObject(with: Data(line.utf8))) != nil
        // Half of a surrogate pair is let through in answers, as it came.
        #expect(isJSON || line.contains(#"\u"#) || line.contains(#"\U"#), "\(line)")
      }
    }
    #expect(written > 500)
  }

  @Test func aBatchIsReadForWhatIsTold() throws {
    let text =
      #"{"id":"batch_1","object":"batch","status":"completed","output_file_id":"file-1","error_file_id":null,"created_at":1,"completed_at":5,"failed_at":null,"request_counts":{"total":3,"completed":2,"failed":1},"usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":2},"output_tokens":4,"output_tokens_details":{"reasoning_tokens":1},"total_tokens":13},"errors":{"object":"list","data":[{"code":"Bad Code","message":"at https://provider.example/x","line":7}]},"metadata":{"a":"b"}}"#
    let batch = try withBytes(Array(text.utf8)) { try #require(ProviderBatch($0)) }
    #expect(batch.id == "batch_1" && batch.status == .completed && batch.output == "file-1" && batch.errors == nil)
    #expect(batch.usage?.inputTokens == 9 && batch.usage?.cachedTokens == 2 && batch.usage?.outputTokens == 4)
    #expect(
      batch.faults == [ProviderBatch.Fault(code: "batch_error", message: "The provider could not work on it.", line: 7)]
    )
    let state = "{\"x\":0\(batch.state)}"
    let json = try #require(try JSONSerialization.jsonObject(with: Data(state.utf8)) as? [String: Any])
    #expect(json["status"] as? String == "completed" && json["completed_at"] as? Int == 5)
    #expect(json["failed_at"] == nil && json["metadata"] == nil)
  }

  @Test(arguments: [
    "", "[]", "{}", #"{"id":"a/b"}"#, #"{"id":"a","output_file_id":7}"#, #"{"id":"a","error_file_id":"../x"}"#,
    #"{"id":"a""#,
  ])
  func whatIsNoBatchIsNone(text: String) {
    withBytes(Array(text.utf8)) { bytes in
      let batch = ProviderBatch(bytes)
      #expect(batch == nil)
    }
  }

  @Test(arguments: [UInt64(77)]) func mutatedBatchesNeverTrap(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let text = Array(
      #"{"id":"b","status":"failed","output_file_id":"f","expires_at":12,"request_counts":{"total":1,"completed":1,"failed":0},"usage":{"input_tokens":1,"output_tokens":1},"errors":{"data":[{"line":1,"code":"c","message":"m"}]}}"#
        .utf8)
    for _ in 0..<10_000 {
      withBytes(random.mutate(text, most: 3)) { bytes in
        guard let batch = ProviderBatch(bytes) else { return }
        let state = "{\"x\":0\(batch.state)}"
        let isJSON = (try? JSONSerialization.jsonObject(with: Data(state.utf8))) != nil
        #expect(isJSON, "\(state)")
        #expect(!batch.id.contains("/"))
      }
    }
  }
}
