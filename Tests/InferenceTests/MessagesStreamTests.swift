import Foundation
import Inference
import JSONText
import Testing

@Suite struct MessagesStreamTests {
  private struct Result {
    var out: String
    var stream: MessagesStreamReader
  }

  private func run<Rewriter: AnswerRewriter>(_ stream: String, cuts: [Int] = [], rewriter: Rewriter) -> Result {
    run(Array(stream.utf8), cuts: cuts, rewriter: rewriter)
  }

  private func run<Rewriter: AnswerRewriter>(_ bytes: [UInt8], cuts: [Int], rewriter: Rewriter) -> Result {
    var reader = MessagesStreamReader(AnswerOptions(alias: "alias"))
    var rewriter = rewriter
    let out = ByteArena()
    var start = 0
    for cut in cuts + [bytes.count] {
      withBytes(Array(bytes[start..<cut])) { reader.feed($0, rewriter: &rewriter, into: out) }
      start = cut
    }
    reader.finish(rewriter: &rewriter, into: out)
    return Result(out: out.text, stream: reader)
  }

  private static func event(_ type: String, _ members: String = "") -> String {
    "event: \(type)\ndata: {\"type\":\"\(type)\"\(members)}\n\n"
  }

  private static func start(
    model: String = "alias", usage: String = "{\"input_tokens\":10,\"output_tokens\":1}"
  ) -> String {
    event(
      "message_start",
      ",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"\(model)\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":\(usage)}"
    )
  }

  private static func open(_ index: Int, _ block: String = "{\"type\":\"text\",\"text\":\"\"}") -> String {
    event("content_block_start", ",\"index\":\(index),\"content_block\":\(block)")
  }

  private static func delta(_ index: Int, _ delta: String) -> String {
    event("content_block_delta", ",\"index\":\(index),\"delta\":\(delta)")
  }

  private static func text(_ text: String, _ index: Int = 0) -> String {
    delta(index, "{\"type\":\"text_delta\",\"text\":\"\(text)\"}")
  }

  private static func close(_ index: Int = 0) -> String { event("content_block_stop", ",\"index\":\(index)") }

  private static func last(
    _ reason: String = "\"end_turn\"", usage: String = "{\"output_tokens\":15}"
  ) -> String {
    event("message_delta", ",\"delta\":{\"stop_reason\":\(reason),\"stop_sequence\":null},\"usage\":\(usage)")
  }

  private static let stop = event("message_stop")
  private static let ping = "event: ping\ndata: {\"type\": \"ping\"}\n\n"
  private static let beginning = start() + open(0)
  private static let ending = close() + last()

  /// The joined texts of one kind of delta, read as a client would.
  private func joined(_ out: String, index: Int, _ member: String) -> String {
    var text = ""
    for event in out.components(separatedBy: "\n\n") {
      guard let line = event.components(separatedBy: "\n").last, line.hasPrefix("data: ") else { continue }
      let object = try? JSONSerialization.jsonObject(with: Data(line.dropFirst(6).utf8)) as? [String: Any]
      guard object?["index"] as? Int == index else { continue }
      text += (object?["delta"] as? [String: Any])?[member] as? String ?? ""
    }
    return text
  }

  // MARK: Passing

  @Test func bytesPassAsTheyCame() {
    let body =
      Self.beginning + Self.ping + Self.text("Grüezi \\n") + Self.delta(0, "{\"type\":\"new_delta\",\"x\":[1,\"y\"]}")
      + Self.close() + Self.open(1, "{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{}}")
      + Self.delta(1, "{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"a\\\":1}\"}") + Self.close(1)
      + Self.event("brand_new", ",\"x\":{\"y\":\"z\"}") + Self.last()
    let result = run(body + Self.stop, rewriter: UnchangedText())
    #expect(result.out == body)
    #expect(result.stream.isComplete && result.stream.state == .done)
    #expect(result.stream.outputBytes == "Grüezi \n".utf8.count + 7)
    var stream = result.stream
    let end = ByteArena()
    stream.appendEnd(to: end)
    #expect(end.text == Self.stop)
    end.reset()
    stream.appendKeepAlive(to: end)
    #expect(end.text == Self.ping)
    end.reset()
    stream.appendError(Refusal(.upstreamCut, message: "Broken off."), requestID: "req_1", to: end)
    #expect(
      end.text
        == "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"Broken off. (request req_1)\"},\"request_id\":\"req_1\"}\n\n"
    )
  }

  @Test func theModelReadsAsTheAlias() {
    #expect(run(Self.start(model: "claude-real-1"), rewriter: UnchangedText()).out == Self.start())
  }

  @Test func everyEventGetsItsName() {
    let unnamed = { (event: String) in event.components(separatedBy: "\n").dropFirst().joined(separator: "\n") }
    let body = Self.beginning + Self.text("a") + Self.ending
    var stream = ""
    for part in [Self.start(), Self.open(0), Self.text("a"), Self.close(), Self.last(), Self.stop] {
      stream += unnamed(part)
    }
    #expect(run(stream, rewriter: UnchangedText()).out == body)
    // Another name, other framing, several data lines, other order.
    #expect(run(body.replacing("event: ", with: "event: x"), rewriter: UnchangedText()).out == body)
    #expect(run("\u{FEFF}: hi\n\n" + body.replacing("\n", with: "\r\n"), rewriter: UnchangedText()).out == body)
    #expect(run(body.replacing("event: ", with: "event:"), rewriter: UnchangedText()).out == body)
    #expect(
      run(
        body.replacing("{\"type\":\"content_block_stop\",", with: "{\"type\":\"content_block_stop\",\ndata: "),
        rewriter: UnchangedText()
      ).out
        == body.replacing("{\"type\":\"content_block_stop\",", with: "{\"type\":\"content_block_stop\", "))
  }

  @Test(arguments: [
    "event: n\u{0}w\ndata: {\"type\":\"new\"}\n\n", "event: n w\ndata: {\"type\":\"new\"}\n\n",
    "event: \(String(repeating: "n", count: 65))\ndata: {\"type\":\"new\"}\n\n",
    "data: {\"type\":\"new\"}\n\n", "event:\ndata: {\"type\":\"new\"}\n\n", "data: {}\n\n", "data: [DONE]\n\n",
    "event: message_stop\ndata: {\"type\":\"new\"}\n\n", "event: error\ndata: {\"type\":\"new\"}\n\n",
    "data: {\"type\":5}\n\n", ": comment\n\n", "event: x\n\n",
    "event: message_start\ndata: {\"type\":\"message_start\"}\n\n",
  ])
  func whatNoClientExpectsIsDropped(event: String) {
    let result = run(Self.beginning + event + Self.ending + Self.stop, rewriter: UnchangedText())
    #expect(result.out == Self.beginning + Self.ending && result.stream.isComplete)
  }

  @Test func pingsOfAnyShapeAreOurs() {
    for ping in [
      "event: ping\ndata:\n\n", "data: {\"type\":\"ping\"}\n\n", "event: ping\ndata: {\"type\":\"ping\",\"x\":1}\n\n",
    ] {
      #expect(run(ping + Self.start(), rewriter: UnchangedText()).out == Self.ping + Self.start())
    }
  }

  // MARK: Restoring

  private static let rich: String =
    start(model: "claude-real") + ping
    + open(0, "{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}")
    + delta(0, "{\"type\":\"thinking_delta\",\"thinking\":\"Frau [P\"}")
    + delta(0, "{\"type\":\"thinking_delta\",\"thinking\":\"_1] [P_\"}")
    + delta(0, "{\"type\":\"signature_delta\",\"signature\":\"[P_1]\"}") + close(0)
    + open(1) + text("Frau [P", 1) + text("_1] und [", 1) + text("", 1) + ping + text("P_1", 1) + text("]!", 1)
    + delta(
      1,
      "{\"type\":\"citations_delta\",\"citation\":{\"type\":\"[P_1]\",\"cited_text\":\"c[P_1]\",\"encrypted_index\":\"[P_1]\"}}"
    )
    + text("[P_", 1) + close(1)
    + open(2, "{\"type\":\"tool_use\",\"id\":\"[P_1]\",\"name\":\"f[P_1]\",\"input\":{}}")
    + delta(2, "{\"type\":\"input_json_delta\",\"partial_json\":\"\"}")
    + delta(2, "{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"a\\\":\\\"[P_\"}")
    + delta(2, "{\"type\":\"input_json_delta\",\"partial_json\":\"1]\\\",\\\"[P_1]\\\":[\"}")
    + open(3, "{\"type\":\"redacted_thinking\",\"data\":\"[P_1]\"}") + close(3)
    + delta(2, "{\"type\":\"input_json_delta\",\"partial_json\":\"\\\"[P_1]\\\"]}\"}") + close(2)
    + open(4, "{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"g\",\"input\":{\"[P_1]\":\"[P_1]\"}}") + close(4)
    + open(5) + text("end [P", 5)
    + event("brand_new", ",\"x\":\"n[P_1]\"")
    + event(
      "message_delta",
      ",\"delta\":{\"stop_reason\":\"stop_sequence\",\"stop_sequence\":\"[P_1]\"},\"usage\":{\"output_tokens\":15}")
    + stop

  @Test func placeholdersComeBackInEveryFieldHoweverTheyAreSplit() {
    let whole = run(Self.rich, rewriter: MarkRestorer())
    let original = MarkRestorer.original
    #expect(whole.stream.isComplete)
    #expect(joined(whole.out, index: 0, "thinking") == "Frau \(original) [P_")
    #expect(joined(whole.out, index: 0, "signature") == "[P_1]")
    #expect(joined(whole.out, index: 1, "text") == "Frau \(original) und \(original)![P_")
    #expect(joined(whole.out, index: 2, "partial_json") == "{\"a\":\"Ä \\\"x\\\"\",\"Ä \\\"x\\\"\":[\"Ä \\\"x\\\"\"]}")
    #expect(joined(whole.out, index: 5, "text") == "end [P")
    let flat = #"Ä \"x\""#
    for part in [
      "\"model\":\"alias\"", "\"cited_text\":\"c\(flat)\"", "\"type\":\"[P_1]\"", "\"encrypted_index\":\"[P_1]\"",
      "\"name\":\"f\(flat)\"", "\"id\":\"[P_1]\"", "\"data\":\"[P_1]\"", "{\"\(flat)\":\"\(flat)\"}",
      "\"x\":\"n\(flat)\"",
      "\"stop_sequence\":\"\(flat)\"",
    ] { #expect(whole.out.contains(part), "\(part)") }
    #expect(!whole.out.contains("message_stop"))

    let count = Self.rich.utf8.count
    #expect(run(Self.rich, cuts: Array(0..<count), rewriter: MarkRestorer()).out == whole.out)
    for cut in 0...count {
      let result = run(Self.rich, cuts: [cut], rewriter: MarkRestorer())
      #expect(result.out == whole.out && result.stream.isComplete)
      #expect(result.stream.outputBytes == whole.stream.outputBytes && result.stream.usage == whole.stream.usage)
    }
  }

  @Test func heldTextGoesOutBeforeItsBlockEnds() {
    let held = { (field: String) in Self.delta(0, field).replacing("X", with: "[P_") }
    let open = Self.beginning
    #expect(
      run(open + Self.text("a[P_") + Self.ending, rewriter: MarkRestorer()).out
        == open + Self.text("a") + held("{\"type\":\"text_delta\",\"text\":\"X\"}") + Self.ending)
    // Another block's end leaves it held; the end of the message does not.
    let other = open + Self.text("a[P_") + Self.open(1) + Self.close(1) + Self.text("1]") + Self.last()
    #expect(joined(run(other, rewriter: MarkRestorer()).out, index: 0, "text") == "a" + MarkRestorer.original)
    let unended = open + Self.text("a[P_") + Self.last()
    #expect(
      run(unended, rewriter: MarkRestorer()).out
        == open + Self.text("a") + held("{\"type\":\"text_delta\",\"text\":\"X\"}") + Self.last())
    // A signature ends the thinking.
    let signature = Self.delta(0, "{\"type\":\"signature_delta\",\"signature\":\"s\"}")
    let thought = { (text: String) in Self.delta(0, "{\"type\":\"thinking_delta\",\"thinking\":\"\(text)\"}") }
    #expect(
      run(open + thought("a[P_") + signature + Self.ending, rewriter: MarkRestorer()).out
        == open + thought("a") + thought("[P_") + signature + Self.ending)
    let input = { (text: String) in Self.delta(0, "{\"type\":\"input_json_delta\",\"partial_json\":\"\(text)\"}") }
    #expect(
      run(open + input("\\\"[P_") + Self.ending, rewriter: MarkRestorer()).out
        == open + input("\\\"") + input("[P_") + Self.ending)
    // The end of the connection frees it, too.
    #expect(joined(run(open + Self.text("a[P_"), rewriter: MarkRestorer()).out, index: 0, "text") == "a[P_")
  }

  @Test func aDeltaThatIsAllHeldGoesOutEmpty() {
    #expect(
      run(Self.beginning + Self.text("[P_1"), rewriter: MarkRestorer()).out.hasPrefix(Self.beginning + Self.text("")))
  }

  // MARK: The end

  private static let ends: [(String, Bool)] = [
    ("", false), (beginning, false), (beginning + text("a") + close(), false), (beginning + ending, false),
    (beginning + ending + stop, true), (beginning + ending + stop.dropLast(), true), (beginning + stop, false),
    (beginning + ending + "event: message_stop\ndata: {\"type\":\"mess", false),
    (beginning + close() + last("null") + stop, false), (beginning + last("null") + last() + stop, true),
    (start() + last() + stop, true), (beginning + ending + "event: message_stop\ndata: {}\n\n", true),
    (beginning + ending + stop + text("late"), true),
  ]

  @Test(arguments: 0..<ends.count)
  func aCutIsSeen(number: Int) {
    let (stream, isComplete) = Self.ends[number]
    let result = run(stream, rewriter: UnchangedText())
    #expect(result.stream.isComplete == isComplete)
    #expect(!result.out.contains("late") && !result.out.contains("message_stop"))
    if case .failed(let refusal) = result.stream.state { Issue.record("failed: \(refusal)") }
  }

  @Test(arguments: [
    (
      "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"boom\"}}\n\n",
      Refusal.Code.upstreamError
    ),
    (
      "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"boom\"}}\n\n",
      .upstreamRateLimited
    ),
    (
      "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"boom\"}}\n\n",
      .upstreamError
    ),
    (
      "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"authentication_error\",\"message\":\"boom\"}}\n\n",
      .upstreamAuth
    ),
    (
      "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"permission_error\",\"message\":\"boom\"}}\n\n",
      .upstreamAuth
    ),
    (
      "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"billing_error\",\"message\":\"boom\"}}\n\n",
      .upstreamQuota
    ),
    (
      "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"timeout_error\",\"message\":\"boom\"}}\n\n",
      .upstreamTimeout
    ),
    (
      "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"not_found_error\",\"message\":\"boom\"}}\n\n",
      .upstreamError
    ),
    (
      "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"prompt is too long: 9 > 8\"}}\n\n",
      .contextLengthExceeded
    ),
    ("data: {\"type\":\"error\"}\n\n", .upstreamError), ("data: {\"error\":{\"code\":429}}\n\n", .upstreamRateLimited),
    ("event: error\ndata: {\"message\":\"boom\"}\n\n", .upstreamError), ("data: {nope}\n\n", .upstreamError),
    ("data: []\n\n", .upstreamError), ("data: \n\n", .upstreamError), ("event: x\ndata: x\n\n", .upstreamError),
  ])
  func anErrorEndsTheStream(event: String, code: Refusal.Code) {
    let result = run(Self.beginning + Self.text("a") + event + Self.text("b"), rewriter: UnchangedText())
    #expect(result.out == Self.beginning + Self.text("a") && !result.stream.isComplete)
    guard case .failed(let refusal) = result.stream.state else {
      Issue.record("not failed")
      return
    }
    #expect(refusal.code == code && !refusal.message.contains("boom"))
  }

  @Test func aStreamBeginsWithItsStart() {
    for event in [Self.text("a"), Self.open(0), Self.close(), Self.last(), Self.stop] {
      let result = run(event + Self.start(), rewriter: UnchangedText())
      #expect(result.out.isEmpty)
      guard case .failed(let refusal) = result.stream.state else {
        Issue.record("not failed")
        return
      }
      #expect(refusal.code == .upstreamError)
    }
  }

  @Test func aRuleOnOutputEndsTheStream() {
    var restorer = MarkRestorer()
    restorer.isBlocking = true
    let result = run(
      Self.beginning + Self.text("a") + Self.text("x forbidden") + Self.text("b") + Self.ending + Self.stop,
      rewriter: restorer)
    #expect(result.out == Self.beginning + Self.text("a"))
    #expect(
      result.stream.state
        == .failed(Refusal(.contentPolicyViolation, message: "The answer was ended by a rule on content.")))
    #expect(result.stream.outputBytes == 12)
  }

  @Test func blocksAreBound() {
    var stream = Self.start()
    for index in 0..<1024 { stream += Self.text("x", index) + Self.close(index) }
    let most = run(stream + Self.last() + Self.stop, rewriter: UnchangedText())
    #expect(most.stream.isComplete && most.stream.outputBytes == 1024)
    for index in [1024, 1 << 19] {
      guard case .failed(let refusal) = run(stream + Self.text("x", index), rewriter: UnchangedText()).stream.state
      else {
        Issue.record("not bound")
        return
      }
      #expect(refusal.code == .upstreamError)
    }
    // What is no index is passed on as it came.
    let odd = Self.text("x").replacing("\"index\":0", with: "\"index\":-1.5")
    #expect(run(Self.start() + odd, rewriter: UnchangedText()).out == Self.start() + odd)
  }

  // MARK: Usage

  @Test(
    arguments: [
      (#"{"input_tokens":10,"output_tokens":1}"#, [#"{"output_tokens":15}"#], 10, 0, 0, 0, 15),
      (
        #"{"input_tokens":10,"cache_read_input_tokens":20,"cache_creation_input_tokens":30,"cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20},"output_tokens":1}"#,
        [#"{"output_tokens":15,"output_tokens_details":{"thinking_tokens":5}}"#], 60, 20, 30, 20, 15
      ),
      // Cumulative: the last counts, once.
      (
        #"{"input_tokens":10,"output_tokens":1}"#, [#"{"output_tokens":5}"#, #"{"output_tokens":9}"#], 10, 0, 0, 0, 9
      ),
      (
        #"{"input_tokens":10,"output_tokens":1}"#,
        [#"{"input_tokens":50,"cache_read_input_tokens":5,"output_tokens":5}"#],
        55, 5, 0, 0, 5
      ),
      // Servers that repeat the input as nothing.
      (
        #"{"input_tokens":10,"cache_read_input_tokens":7,"output_tokens":1}"#,
        [#"{"input_tokens":0,"cache_read_input_tokens":0,"output_tokens":5}"#], 17, 7, 0, 0, 5
      ),
      (#"{"input_tokens":0,"output_tokens":0}"#, [#"{"input_tokens":12,"output_tokens":5}"#], 12, 0, 0, 0, 5),
      (#"{"input_tokens":10,"output_tokens":1}"#, [#"{"input_tokens":null,"output_tokens":0}"#], 10, 0, 0, 0, 0),
    ] as [(String, [String], Int64, Int64, Int64, Int64, Int64)])
  func usageIsTheLastWord(
    begin: String, later: [String], input: Int64, cached: Int64, written: Int64, hour: Int64, output: Int64
  ) throws {
    var stream = Self.start(usage: begin)
    for usage in later { stream += Self.last(usage: usage) }
    let usage = try #require(run(stream + Self.stop, rewriter: UnchangedText()).stream.usage)
    #expect((usage.inputTokens, usage.cachedTokens, usage.cacheWriteTokens) == (input, cached, written))
    #expect((usage.cacheWrite1hTokens, usage.cacheWrite5mTokens) == (hour, written - hour))
    #expect(usage.outputTokens == output && usage.hasInput && usage.hasOutput && !usage.isSuspect)
    #expect(usage.uncachedTokens == input - cached - written)
  }

  @Test func beforeTheEndOnlyTheInputIsKnown() {
    let usage = run(Self.beginning + Self.text("abc"), rewriter: UnchangedText()).stream.usage
    #expect(usage?.inputTokens == 10 && usage?.hasInput == true && usage?.hasOutput == false)
    #expect(run("", rewriter: UnchangedText()).stream.usage == nil)
  }

  // MARK: Fuzz

  @Test func hostileStreamsNeverTrap() {
    var random = SeededGenerator(seed: 61)
    let seed = Array(Self.rich.utf8)
    for _ in 0..<2_000 {
      let bytes = random.mutate(seed, most: 6)
      let cuts = (0..<3).map { _ in Int.random(in: 0...bytes.count, using: &random) }.sorted()
      let result = run(bytes, cuts: cuts, rewriter: MarkRestorer())
      #expect(result.out.components(separatedBy: "event: message_start\n").count <= 2)
      // Whatever comes in, whole events go out, each with a name and JSON.
      for event in result.out.components(separatedBy: "\n\n").dropLast() {
        let lines = event.components(separatedBy: "\n")
        #expect(lines.count == 2 && lines[0].hasPrefix("event: ") && lines[0].count > 7, "\(event)")
        let isJSON = withBytes(String(lines.last?.dropFirst(6) ?? "")) {
          (try? JSONCursor.validate($0, limits: .answer)) != nil
        }
        #expect(isJSON, "\(event)")
      }
    }
  }
}
