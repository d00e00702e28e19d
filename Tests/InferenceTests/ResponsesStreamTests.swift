import Foundation
import Inference
import JSONText
import Testing

@Suite struct ResponsesStreamTests {
  private struct Result {
    var out: String
    var reader: AnswerStream
    /// What ``AnswerStream/appendEnd(to:)`` wrote.
    var end: String
  }

  private func run<Rewriter: AnswerRewriter>(
    _ stream: String, options: AnswerOptions = AnswerOptions(alias: "alias", dropsLogprobs: true), cuts: [Int] = [],
    rewriter: Rewriter
  ) -> Result {
    var reader = AnswerStream(from: .responses, to: .responses, options)
    var rewriter = rewriter
    let out = ByteArena()
    let bytes = Array(stream.utf8)
    var start = 0
    for cut in cuts + [bytes.count] {
      withBytes(Array(bytes[start..<cut])) { reader.feed($0, rewriter: &rewriter, into: out) }
      start = cut
    }
    reader.finish(rewriter: &rewriter, into: out)
    let end = ByteArena()
    if reader.isComplete { reader.appendEnd(to: end) }
    return Result(out: out.text, reader: reader, end: end.text)
  }

  /// An event as OpenAI writes it.
  private static func event(_ type: String, _ number: Int, _ members: String) -> String {
    "event: \(type)\ndata: {\"type\":\"\(type)\",\"sequence_number\":\(number),\(members)}\n\n"
  }

  private static func response(_ status: String, output: String = "", usage: String = "null", error: String = "null")
    -> String
  {
    "\"response\":{\"id\":\"resp_1\",\"object\":\"response\",\"created_at\":7,\"status\":\"\(status)\",\"error\":\(error),\"model\":\"alias\",\"output\":[\(output)],\"usage\":\(usage),\"user\":null}"
  }

  private static let usage =
    "{\"input_tokens\":10,\"input_tokens_details\":{\"cached_tokens\":4},\"output_tokens\":5,\"output_tokens_details\":{\"reasoning_tokens\":2},\"total_tokens\":15}"

  private static func delta(_ text: String, _ number: Int, item: Int = 0, part: Int = 0) -> String {
    event(
      "response.output_text.delta", number,
      "\"item_id\":\"msg_\(item)\",\"output_index\":\(item),\"content_index\":\(part),\"delta\":\"\(text)\",\"logprobs\":[]"
    )
  }

  private static func done(_ text: String, _ number: Int, item: Int = 0, part: Int = 0) -> String {
    event(
      "response.output_text.done", number,
      "\"item_id\":\"msg_\(item)\",\"output_index\":\(item),\"content_index\":\(part),\"text\":\"\(text)\",\"logprobs\":[]"
    )
  }

  private static func message(_ text: String, item: Int = 0) -> String {
    "{\"type\":\"message\",\"id\":\"msg_\(item)\",\"status\":\"completed\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"\(text)\",\"annotations\":[],\"logprobs\":[]}]}"
  }

  private static func completed(_ number: Int, output: String = "", usage: String = usage) -> String {
    event("response.completed", number, response("completed", output: output, usage: usage))
  }

  private static let begin =
    event("response.created", 0, response("in_progress")) + event("response.in_progress", 1, response("in_progress"))

  @Test func bytesPassAsTheyCame() {
    let stream =
      Self.begin
      + Self.event(
        "response.output_item.added", 2, "\"output_index\":0,\"item\":{\"type\":\"message\",\"id\":\"msg_0\"}")
      + Self.delta("Grüezi \\n", 3)
      + Self.event("response.new.thing", 4, "\"x\":[1,{\"delta\":\"[P_\"}],\"obfuscation\":\"a\"")
      + Self.done("Grüezi \\n", 5)
    let final = Self.completed(6, output: Self.message("Grüezi \\n"))
    let result = run(stream + final, rewriter: UnchangedText())
    #expect(result.out == stream && result.end == final)
    #expect(result.reader.isComplete && result.reader.state == .done)
    #expect(result.reader.outputBytes == "Grüezi \n".utf8.count)
    let usage = result.reader.usage
    #expect(usage?.inputTokens == 10 && usage?.cachedTokens == 4 && usage?.outputTokens == 5)
    #expect(usage?.reasoningTokens == 2 && usage?.uncachedTokens == 6 && usage?.isSuspect == false)
  }

  @Test func theLastEventWaits() {
    for kind in ["response.completed", "response.incomplete"] {
      let final = Self.event(kind, 1, Self.response("incomplete"))
      let result = run(Self.delta("a", 0) + final + Self.delta("late", 2), rewriter: UnchangedText())
      #expect(result.out == Self.delta("a", 0) && result.end == final && result.reader.isComplete)
    }
  }

  @Test func theModelReadsAsTheAliasAndNobodyIsNamed() {
    let stream = Self.begin.replacing("\"alias\"", with: "\"gpt-5-2026\"").replacing(
      "\"user\":null", with: "\"user\":\"9f86\",\"safety_identifier\":\"9f86\"")
    #expect(
      run(stream, rewriter: UnchangedText()).out
        == Self.begin.replacing("\"user\":null", with: "\"user\":null,\"safety_identifier\":null"))
  }

  /// An upstream without event lines, with lines of other kinds, without or with wrong numbers.
  @Test func framingAndNumbersOfOthersBecomeOurs() {
    let wanted = Self.delta("a", 0) + Self.delta("b", 1)
    let bare = wanted.replacing("event: response.output_text.delta\n", with: "")
    #expect(run(bare, rewriter: UnchangedText()).out == wanted)
    let odd =
      "\u{FEFF}: hi\r\n"
      + wanted.replacing("\n", with: "\r\n").replacing("event: response", with: "id: 7\r\nevent: x")
      .replacing("data: ", with: "data:") + "data: [DONE]\n\n"
    #expect(run(odd, rewriter: UnchangedText()).out == wanted)
    for number in ["-1", "7.5", "\"x\"", "null", "99999999999999999999"] {
      let stream = wanted.replacing("\"sequence_number\":0", with: "\"sequence_number\":\(number)")
        .replacing("\"sequence_number\":1", with: "\"sequence_number\":\(number)")
      #expect(run(stream, rewriter: UnchangedText()).out == wanted, "\(number)")
    }
    let without = wanted.replacing("\"sequence_number\":0,", with: "").replacing("\"sequence_number\":1,", with: "")
    #expect(
      run(without, rewriter: UnchangedText()).out
        == wanted.replacing(",\"sequence_number\":0", with: "").replacing(",\"sequence_number\":1", with: "")
        .replacing("\"delta\":\"a\"", with: "\"delta\":\"a\"").numbered())
    #expect(run("data: {}\n\n", rewriter: UnchangedText()).out == "data: {\"sequence_number\":0}\n\n")
    let split = Self.delta("a", 0).replacing(",\"delta\"", with: ",\ndata: \"delta\"")
    #expect(
      run(split, rewriter: UnchangedText()).out == Self.delta("a", 0).replacing(",\"delta\"", with: ", \"delta\""))
  }

  // MARK: Restoring

  private static let original = #"Ä \"x\""#
  private static let deep = #"Ä \\\"x\\\""#

  /// Every kind of text, cut at odd places.
  private static func rich(_ mark: String, deep: String) -> String {
    var number = -1
    func event(_ type: String, _ members: String) -> String {
      number += 1
      return Self.event(type, number, members)
    }
    func pieces(_ type: String, _ place: String, _ texts: [String]) -> String {
      texts.map { event(type + ".delta", "\(place),\"delta\":\"\($0)\"") }.joined()
    }
    let split = mark == "[P_1]" ? ["a[", "P", "", "_1]b", "[P_"] : ["a", "", "", mark + "b", "", "[P_"]
    let splitDeep = mark == "[P_1]" ? ["{\\\"k\\\":\\\"[P_", "1]\\\"}"] : ["{\\\"k\\\":\\\"", deep + "\\\"}"]
    let whole = "a" + mark + "b[P_"
    let wholeDeep = "{\\\"k\\\":\\\"" + deep + "\\\"}"
    let call =
      "{\"type\":\"function_call\",\"id\":\"fc_3\",\"call_id\":\"call_1\",\"name\":\"f\",\"arguments\":\"\(wholeDeep)\"}"
    let custom =
      "{\"type\":\"custom_tool_call\",\"id\":\"ct_4\",\"call_id\":\"call_2\",\"name\":\"g\",\"input\":\"\(whole)\"}"
    let reasoning =
      "{\"type\":\"reasoning\",\"id\":\"rs_0\",\"summary\":[{\"type\":\"summary_text\",\"text\":\"\(whole)\"}],\"content\":[{\"type\":\"reasoning_text\",\"text\":\"\(whole)\"}],\"encrypted_content\":\"[P_1]\"}"
    let message =
      "{\"type\":\"message\",\"id\":\"msg_1\",\"content\":[{\"type\":\"output_text\",\"text\":\"\(whole)\",\"annotations\":[{\"type\":\"url_citation\",\"title\":\"\(mark)\"}],\"logprobs\":[]},{\"refusal\":\"\(whole)\",\"type\":\"refusal\"}]}"
    let places = [
      ("response.reasoning_summary_text", "\"item_id\":\"rs_0\",\"output_index\":0,\"summary_index\":0", "text"),
      ("response.reasoning_text", "\"item_id\":\"rs_0\",\"output_index\":0,\"content_index\":0", "text"),
      ("response.output_text", "\"item_id\":\"msg_1\",\"output_index\":1,\"content_index\":0", "text"),
      ("response.refusal", "\"item_id\":\"msg_1\",\"output_index\":1,\"content_index\":1", "refusal"),
      ("response.custom_tool_call_input", "\"item_id\":\"ct_4\",\"output_index\":4", "input"),
    ]
    var out = event(
      "response.created",
      "\"response\":{\"id\":\"resp_1\",\"created_at\":7,\"model\":\"alias\",\"instructions\":\"\(mark)\",\"tools\":[{\"type\":\"function\",\"description\":\"\(mark)\"}],\"output\":[]}"
    )
    for (type, place, name) in places {
      out += pieces(type, place, split)
      out += event(type + ".done", "\(place),\"\(name)\":\"\(whole)\"")
    }
    out += event(
      "response.content_part.done",
      "\"output_index\":1,\"content_index\":0,\"part\":{\"type\":\"output_text\",\"text\":\"\(whole)\",\"logprobs\":[]}"
    )
    let place = "\"item_id\":\"fc_3\",\"output_index\":3"
    out += pieces("response.function_call_arguments", place, splitDeep)
    out += event(
      "response.function_call_arguments.done", "\(place),\"arguments\":\"\(wholeDeep)\",\"name\":\"f\(mark)\"")
    for (index, item) in [(0, reasoning), (1, message), (3, call), (4, custom)] {
      out += event("response.output_item.done", "\"output_index\":\(index),\"item\":\(item)")
    }
    out += event("response.unknown", "\"note\":\"\(mark)\",\"delta\":\"\(mark)\",\"encrypted_content\":\"[P_1]\"")
    out += event(
      "response.completed",
      "\"response\":{\"id\":\"resp_1\",\"created_at\":7,\"model\":\"alias\",\"status\":\"completed\",\"instructions\":\"\(mark)\",\"output\":[\(reasoning),\(message),\(call),\(custom)],\"usage\":\(usage)}"
    )
    return out
  }

  @Test func placeholdersComeBackInEveryEventHoweverTheyAreSplit() {
    let stream = Self.rich("[P_1]", deep: "[P_1]")
    let whole = run(stream, rewriter: MarkRestorer())
    #expect(whole.reader.isComplete)
    // Our own deltas carry `logprobs`, as those of this text must.
    let wanted = Self.rich(Self.original, deep: Self.deep)
    var found = whole.out + whole.end
    found = found.replacing("\"delta\":\"[P_\",\"logprobs\":[]", with: "\"delta\":\"[P_\"")
    #expect(Self.events(found).map(\.0) == Self.events(wanted).map(\.0))
    for (left, right) in zip(Self.events(found), Self.events(wanted)) { #expect(left.1 == right.1) }
    #expect(Self.numbers(whole.out + whole.end) == Array(0..<Self.events(wanted).count))

    let count = stream.utf8.count
    let single = run(stream, cuts: Array(0..<count), rewriter: MarkRestorer())
    #expect(single.out == whole.out && single.end == whole.end)
    for cut in stride(from: 0, through: count, by: 11) {
      let result = run(stream, cuts: [cut], rewriter: MarkRestorer())
      #expect(result.out == whole.out && result.end == whole.end)
      #expect(result.reader.outputBytes == whole.reader.outputBytes && result.reader.isComplete)
    }
  }

  @Test func everyCutGivesTheSame() {
    let stream =
      (Self.delta("Ä[P_", 0) + Self.delta("1]b[", 1) + Self.done("Ä[P_1]b[", 2) + Self.completed(3)).replacing(
        "event: response.completed", with: "id: 1\r\nevent: response.completed\r")
    let whole = run(stream, rewriter: MarkRestorer())
    #expect(whole.reader.isComplete && Self.numbers(whole.out + whole.end) == [0, 1, 2, 3, 4])
    for cut in 0...stream.utf8.count {
      let result = run(stream, cuts: [cut], rewriter: MarkRestorer())
      #expect(result.out == whole.out && result.end == whole.end && result.reader.isComplete, "\(cut)")
    }
  }

  /// Names and contents of events; members in any order.
  private static func events(_ stream: String) -> [(String, NSDictionary)] {
    stream.components(separatedBy: "\n\n").dropLast().map { event in
      let lines = event.components(separatedBy: "\n")
      let data = lines.last { $0.hasPrefix("data: ") }?.dropFirst(6) ?? ""
      let object = try? JSONSerialization.jsonObject(with: Data(data.utf8)) as? NSDictionary
      return (lines.first { $0.hasPrefix("event: ") }.map { String($0.dropFirst(7)) } ?? "", object ?? [:])
    }
  }

  private static func numbers(_ stream: String) -> [Int] {
    events(stream).map { $0.1["sequence_number"] as? Int ?? -1 }
  }

  @Test func heldTextGoesOutBeforeItsEnd() {
    let stream = Self.delta("a[P_", 0) + Self.delta("x", 1, item: 1) + Self.done("a[P_", 2) + Self.done("x", 3, item: 1)
    let flushed =
      "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"item_id\":\"msg_0\",\"output_index\":0,\"content_index\":0,\"delta\":\"[P_\",\"logprobs\":[],\"sequence_number\":2}\n\n"
    let result = run(stream, rewriter: MarkRestorer())
    #expect(
      result.out == Self.delta("a", 0) + Self.delta("x", 1, item: 1) + flushed + Self.done("a[P_", 3)
        + Self.done("x", 4, item: 1))
    // Where a server leaves out an end, the next wider one counts; at last that of the answer.
    for end in [
      Self.event("response.content_part.done", 1, "\"output_index\":0,\"content_index\":0,\"part\":{}"),
      Self.event("response.output_item.done", 1, "\"output_index\":0,\"item\":{}"), Self.completed(1),
    ] {
      let result = run(Self.delta("a[P_", 0) + end, rewriter: MarkRestorer())
      #expect(result.out.contains(flushed.replacing(":2}", with: ":1}")), "\(end)")
    }
    // Another part, item or answer's beginning ends nothing.
    for end in [
      Self.event("response.content_part.done", 1, "\"output_index\":0,\"content_index\":1,\"part\":{}"),
      Self.event("response.output_item.done", 1, "\"output_index\":1,\"item\":{}"), Self.done("x", 1, part: 1),
      Self.event("response.reasoning_summary_part.done", 1, "\"output_index\":0,\"summary_index\":0,\"part\":{}"),
    ] {
      let result = run(Self.delta("a[P_", 0) + end + Self.delta("1]", 2), rewriter: MarkRestorer())
      #expect(result.out == Self.delta("a", 0) + end + Self.delta(Self.original, 2), "\(end)")
    }
    // A cut ends all.
    #expect(run(Self.delta("a[P_", 0), rewriter: MarkRestorer()).out.contains("\"delta\":\"[P_\""))
  }

  @Test func typeMayStandBehindWhatItSays() {
    let stream =
      "data: {\"delta\":\"[P_\",\"content_index\":0,\"output_index\":2,\"type\":\"response.output_text.delta\",\"item_id\":\"m\",\"sequence_number\":0}\n\n"
      + "data: {\"text\":\"[P_\",\"content_index\":0,\"output_index\":2,\"type\":\"response.output_text.done\",\"sequence_number\":1}\n\n"
    let result = run(stream, rewriter: MarkRestorer())
    #expect(Self.numbers(result.out) == [0, 1, 2])
    #expect(Self.events(result.out).map { $0.1["delta"] as? String ?? $0.1["text"] as? String } == ["", "[P_", "[P_"])
  }

  @Test func logprobsAreEmptiedWhereTextsAreRestored() {
    let odds = "\"logprobs\":[{\"token\":\"[P\",\"bytes\":[1]}]"
    let stream =
      Self.delta("a", 0).replacing("\"logprobs\":[]", with: odds)
      + Self.done("a", 1).replacing("\"logprobs\":[]", with: odds)
      + Self.completed(2, output: Self.message("a").replacing("\"logprobs\":[]", with: odds))
    let kept = run(stream, options: AnswerOptions(alias: "alias"), rewriter: UnchangedText())
    #expect(kept.out + kept.end == stream)
    let dropped = run(stream, rewriter: UnchangedText())
    #expect(dropped.out + dropped.end == stream.replacing(odds, with: "\"logprobs\":[]"))
  }

  // MARK: Ends

  private static let cuts: [(String, Bool)] = [
    ("", false), (begin, false), (begin + delta("a", 2), false), (completed(0), true),
    (begin + completed(2).dropLast(), true), (begin + completed(2).dropLast(40), false),
    (begin + "data: [DONE]\n\n", false),
  ].map { (String($0.0), $0.1) }

  @Test(arguments: 0..<cuts.count)
  func aCutIsSeen(number: Int) {
    let (stream, isComplete) = Self.cuts[number]
    let result = run(stream, rewriter: UnchangedText())
    #expect(result.reader.isComplete == isComplete)
    if case .failed(let refusal) = result.reader.state { Issue.record("failed: \(refusal)") }
  }

  @Test(arguments: [
    (event("error", 1, "\"code\":\"server_error\",\"message\":\"boom\",\"param\":null"), Refusal.Code.upstreamError),
    (event("error", 1, "\"code\":\"rate_limit_exceeded\",\"message\":\"boom\""), .upstreamRateLimited),
    (event("error", 1, "\"error\":{\"code\":\"insufficient_quota\",\"message\":\"boom\"}"), .upstreamQuota),
    (
      event("response.failed", 1, response("failed", error: "{\"code\":\"server_error\",\"message\":\"boom\"}")),
      .upstreamError
    ),
    (
      event("response.failed", 1, response("failed", error: "{\"code\":\"rate_limit_exceeded\",\"message\":\"boom\"}")),
      .upstreamRateLimited
    ),
    (event("response.failed", 1, response("failed")), .upstreamError),
    (event("response.completed", 1, response("failed")), .upstreamError),
    ("data: {\"error\":{\"message\":\"boom\"}}\n\n", .upstreamError), ("data: {nope}\n\n", .upstreamError),
    ("data: []\n\n", .upstreamError),
  ])
  func anErrorEndsTheStream(event: String, code: Refusal.Code) {
    let result = run(Self.delta("a", 0) + event + Self.delta("b", 2), rewriter: UnchangedText())
    #expect(result.out == Self.delta("a", 0))
    guard case .failed(let refusal) = result.reader.state else {
      Issue.record("not failed")
      return
    }
    #expect(refusal.code == code && !refusal.message.contains("boom"))
  }

  /// Such an event tells of a tool, not of the answer.
  @Test func anEventsOwnErrorIsNoEnd() {
    let event = Self.event("response.steer.failed", 0, "\"error\":{\"code\":\"x\",\"message\":\"y\"}")
    #expect(run(event, rewriter: UnchangedText()).out == event)
  }

  @Test func usageIsKnownAlsoOfAFailure() {
    let result = run(
      Self.event("response.failed", 0, Self.response("failed", usage: Self.usage)), rewriter: UnchangedText())
    #expect(result.reader.usage?.inputTokens == 10)
    let early = Self.event(
      "response.in_progress", 0, Self.response("in_progress", usage: "{\"input_tokens\":0,\"output_tokens\":0}"))
    #expect(run(early, rewriter: UnchangedText()).reader.usage == nil)
  }

  @Test func anErrorOfOursIsToldTwice() throws {
    var result = run(Self.begin + Self.delta("a[P_", 2), rewriter: MarkRestorer())
    let out = ByteArena()
    result.reader.appendError(
      Refusal(.upstreamCut, message: "Say \"why\".", param: nil), requestID: "req_1", to: out)
    #expect(
      out.text
        == #"event: error\#ndata: {"type":"error","code":"upstream_cut","message":"Say \"why\". (request req_1)","param":null,"sequence_number":4}\#n\#nevent: response.failed\#ndata: {"type":"response.failed","response":{"id":"resp_1","object":"response","created_at":7,"status":"failed","error":{"code":"server_error","message":"Say \"why\". (request req_1)"},"incomplete_details":null,"model":"alias","parallel_tool_calls":true,"tool_choice":"auto","tools":[],"output":[],"usage":null},"sequence_number":5}\#n\#n"#
    )
    // The held last event never went out: the error has its number.
    var complete = run(
      Self.completed(0), options: AnswerOptions(alias: "a", answerID: Array("x".utf8)), rewriter: MarkRestorer())
    out.reset()
    complete.reader.appendError(Refusal(.logUnavailable, message: "m"), requestID: "", to: out)
    #expect(Self.numbers(out.text) == [0, 1])

    var none = AnswerStream(
      from: .responses, to: .responses,
      AnswerOptions(alias: "alias", answerID: Array("x1".utf8), created: 9, echo: Array("\"tools\":[1],".utf8)))
    out.reset()
    none.appendError(Refusal(.rateLimitExceeded, message: "m", param: "p"), requestID: "", to: out)
    let events = Self.events(out.text)
    #expect(events.map(\.0) == ["error", "response.failed"] && events.first?.1["param"] as? String == "p")
    let response = events.last?.1["response"] as? [String: Any]
    #expect(response?["id"] as? String == "resp_x1" && response?["created_at"] as? Int == 9)
    #expect(response?["tools"] as? [Int] == [1])
    #expect((response?["error"] as? [String: Any])?["code"] as? String == "rate_limit_exceeded")

    out.reset()
    none.appendKeepAlive(to: out)
    #expect(out.text == ": keepalive\n\n")
  }

  @Test func aRuleOnOutputEndsTheStream() {
    var restorer = MarkRestorer()
    restorer.isBlocking = true
    let result = run(Self.delta("a", 0) + Self.delta("x forbidden", 1) + Self.delta("b", 2), rewriter: restorer)
    #expect(result.out == Self.delta("a", 0) && result.reader.outputBytes == 12)
    #expect(
      result.reader.state
        == .failed(Refusal(.contentPolicyViolation, message: "The answer was ended by a rule on content.")))
  }

  /// A server that sends whole items and no pieces has written text, too.
  @Test func textThatCameOnlyAtTheEndCounts() {
    let result = run(Self.completed(0, output: Self.message("abcü")), rewriter: UnchangedText())
    #expect(result.reader.outputBytes == 5)
  }

  @Test func halfACharacterIsTheProvidersBusiness() {
    let stream = Self.delta("\\ud83d", 0) + Self.delta("\\ude00", 1)
    #expect(run(stream, rewriter: UnchangedText()).out == stream)
  }

  @Test func openTextsAreBound() {
    let stream = (0..<1_100).map { Self.delta("x", $0, part: $0) }.joined()
    guard case .failed = run(stream, rewriter: UnchangedText()).reader.state else {
      Issue.record("not bound")
      return
    }
    let ended = (0..<1_100).map { Self.delta("x", 2 * $0, part: $0) + Self.done("x", 2 * $0 + 1, part: $0) }.joined()
    #expect(run(ended, rewriter: UnchangedText()).out == ended)
  }

  /// What repeats the request or an earlier event is of no account to a record.
  @Test func repetitionsAreMarked() {
    struct Recorder: AnswerRewriter {
      var heard: [String] = []
      mutating func rewrite(_ text: UnsafeRawBufferPointer, channel: AnswerChannel, into out: ByteArena) -> TextOutcome
      {
        if !channel.isRepeated { heard.append(text.text) }
        return .unchanged
      }
      mutating func flush(channel: AnswerChannel, into out: ByteArena) -> TextOutcome { .unchanged }
    }
    var reader = ResponsesStreamReader(AnswerOptions(alias: "alias"))
    var recorder = Recorder()
    withBytes(
      Self.begin.replacing("\"user\":null", with: "\"instructions\":\"I\"")
        + Self.event(
          "response.output_item.added", 2, "\"output_index\":0,\"item\":{\"type\":\"function_call\",\"name\":\"f\"}")
        + Self.delta("a", 3) + Self.done("a", 4)
        + Self.event("response.output_item.done", 5, "\"item\":\(Self.message("a")),\"output_index\":0")
        + Self.completed(6, output: Self.message("a"))
    ) { reader.feed($0, rewriter: &recorder, into: ByteArena()) }
    #expect(recorder.heard == ["f", "a"] && reader.isComplete)
  }

  @Test func hostileStreamsNeverTrap() {
    var random = SeededGenerator(seed: 22)
    let seed = Array(Self.rich("[P_1]", deep: "[P_1]").utf8)
    for _ in 0..<1_000 {
      let bytes = random.mutate(seed, most: 6)
      let cuts = (0..<3).map { _ in Int.random(in: 0...bytes.count, using: &random) }.sorted()
      var reader = ResponsesStreamReader(AnswerOptions(alias: "alias", dropsLogprobs: true))
      var restorer = MarkRestorer()
      let out = ByteArena()
      var start = 0
      for cut in cuts + [bytes.count] {
        withBytes(Array(bytes[start..<cut])) { reader.feed($0, rewriter: &restorer, into: out) }
        start = cut
      }
      reader.finish(rewriter: &restorer, into: out)
      if reader.isComplete {
        reader.appendEnd(to: out)
      } else {
        reader.appendError(Refusal(.upstreamCut, message: "m"), requestID: "", to: out)
      }
      // Whatever comes in, whole events of JSON go out, numbered without gaps.
      var number = 0
      for event in out.text.components(separatedBy: "\n\n").dropLast() {
        let lines = event.components(separatedBy: "\n")
        #expect(lines.count == 1 || lines.count == 2 && lines[0].hasPrefix("event: "), "\(event)")
        let data = lines.last ?? ""
        #expect(data.hasPrefix("data: "))
        let isJSON = withBytes(String(data.dropFirst(6))) { (try? JSONCursor.validate($0, limits: .answer)) != nil }
        #expect(isJSON, "\(event)")
        let isNumbered =
          data.contains("\"sequence_number\":\(number)")
          || data.replacing(" ", with: "").contains("\"sequence_number\":\(number)")
        #expect(isNumbered, "\(event)")
        number += 1
      }
    }
  }
}

extension String {
  /// Each event's data with the stream's number as its first member.
  fileprivate func numbered() -> String {
    components(separatedBy: "\n\n").dropLast().enumerated().map { number, event in
      event.replacing("data: {", with: "data: {\"sequence_number\":\(number),")
        .replacing(
          "\"sequence_number\":\(number),\"type\":\"response.output_text.delta\",\"sequence_number\":\(number)",
          with: "\"sequence_number\":\(number),\"type\":\"response.output_text.delta\"")
        + "\n\n"
    }.joined()
  }
}
