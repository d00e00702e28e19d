import Foundation
import Inference
import JSONText
import Testing

@Suite struct ChatStreamTests {
  private struct Result {
    var out: String
    var stream: ChatStreamReader
  }

  private func run<Rewriter: AnswerRewriter>(
    _ stream: String, includeUsage: Bool = false, dropsLogprobs: Bool = false, cuts: [Int] = [], rewriter: Rewriter
  ) -> Result {
    var reader = ChatStreamReader(
      AnswerOptions(alias: "alias", includeUsage: includeUsage, dropsLogprobs: dropsLogprobs))
    var rewriter = rewriter
    let out = ByteArena()
    let bytes = Array(stream.utf8)
    var start = 0
    for cut in cuts + [bytes.count] {
      withBytes(Array(bytes[start..<cut])) { reader.feed($0, rewriter: &rewriter, into: out) }
      start = cut
    }
    reader.finish(rewriter: &rewriter, into: out)
    return Result(out: out.text, stream: reader)
  }

  private static func chunk(_ choices: String, more: String = "") -> String {
    "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":7,\"model\":\"alias\",\"choices\":[\(choices)]\(more)}\n\n"
  }

  private static func content(_ text: String, choice: Int = 0, finish: String = "null") -> String {
    chunk("{\"index\":\(choice),\"delta\":{\"content\":\"\(text)\"},\"finish_reason\":\(finish)}")
  }

  private static let stop = chunk("{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}")
  private static let done = "data: [DONE]\n\n"
  private static let usage = "{\"prompt_tokens\":10,\"completion_tokens\":5,\"total_tokens\":15}"

  /// The joined text of one field, read as a client would.
  private func joined(_ out: String, choice: Int = 0, _ pick: ([String: Any]) -> String?) -> String {
    var text = ""
    for event in out.components(separatedBy: "\n\n") where event.hasPrefix("data: {") {
      let object = try? JSONSerialization.jsonObject(with: Data(event.dropFirst(6).utf8)) as? [String: Any]
      for each in object?["choices"] as? [[String: Any]] ?? [] where each["index"] as? Int == choice {
        text += (each["delta"] as? [String: Any]).flatMap(pick) ?? ""
      }
    }
    return text
  }

  @Test func bytesPassAsTheyCame() {
    let stream =
      Self.chunk("{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}") + Self.content("Grüezi \\n")
      + Self.chunk("{\"index\":0,\"delta\":{\"new\":[1,{\"x\":\"y\"}]}}", more: ",\"obfuscation\":\"aaaa\"") + Self.stop
    let result = run(stream + Self.done, rewriter: UnchangedText())
    #expect(result.out == stream)
    #expect(result.stream.isComplete && result.stream.state == .done)
    #expect(result.stream.outputBytes == "Grüezi \n".utf8.count)
    #expect(result.stream.usage == nil)
  }

  @Test func theModelReadsAsTheAlias() {
    let stream = Self.content("a").replacingOccurrences(of: "\"alias\"", with: "\"gpt-5-2026\"")
    #expect(run(stream, rewriter: UnchangedText()).out == Self.content("a"))
  }

  @Test func framingOfOthersBecomesOurs() {
    let data = Self.content("a").dropFirst(6).dropLast(2)
    let stream = "\u{FEFF}: hello\r\nid: 1\r\ndata:\(data)\r\n\r\n"
    #expect(run(stream, rewriter: UnchangedText()).out == Self.content("a"))
    let split = Self.content("a").replacingOccurrences(of: ",\"model\"", with: ",\ndata: \"model\"")
    #expect(
      run(split, rewriter: UnchangedText()).out
        == Self.content("a").replacingOccurrences(of: ",\"model\"", with: ", \"model\""))
  }

  private static let rich: String =
    chunk("{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}", more: ",\"usage\":null")
    + content("Frau [P") + content("_1] und [") + content("") + content("P_1") + content("]!")
    + chunk("{\"delta\":{\"reasoning\":\"[P_1]\",\"reasoning_content\":\"x[P_\"},\"index\":1}")
    + chunk("{\"index\":1,\"delta\":{\"reasoning_content\":\"1]\",\"refusal\":\"no [P_1\"}}")
    + chunk(
      "{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":1,\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"f[P_1]\",\"arguments\":\"\"}}]}}"
    )
    + chunk(
      "{\"index\":0,\"delta\":{\"tool_calls\":[{\"function\":{\"arguments\":\"{\\\"a\\\":\\\"[P_\"},\"index\":1},{\"index\":2,\"function\":{\"arguments\":\"[P\"}}]}}"
    )
    + chunk(
      "{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":1,\"function\":{\"arguments\":\"1]\\\"}\"}}]},\"logprobs\":{\"content\":[]}}"
    )
    + content("end [P_1", finish: "\"tool_calls\"")
    + chunk("{\"index\":1,\"delta\":{},\"finish_reason\":\"stop\"}")
    + "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":7,\"model\":\"m\",\"choices\":[],\"usage\":\(usage)}\n\n"
    + done

  @Test(arguments: [false, true])
  func placeholdersComeBackInEveryFieldHoweverTheyAreSplit(includeUsage: Bool) {
    let whole = run(Self.rich, includeUsage: includeUsage, dropsLogprobs: true, rewriter: MarkRestorer())
    let original = MarkRestorer.original
    #expect(whole.stream.isComplete)
    #expect(joined(whole.out) { $0["content"] as? String } == "Frau \(original) und \(original)!end [P_1")
    #expect(joined(whole.out, choice: 1) { $0["reasoning"] as? String } == original)
    #expect(joined(whole.out, choice: 1) { $0["reasoning_content"] as? String } == "x" + original)
    #expect(joined(whole.out, choice: 1) { $0["refusal"] as? String } == "no [P_1")
    let call = { (index: Int, name: String) in
      { (delta: [String: Any]) -> String? in
        (delta["tool_calls"] as? [[String: Any]])?.first { $0["index"] as? Int == index }
          .flatMap { ($0["function"] as? [String: Any])?[name] as? String }
      }
    }
    #expect(joined(whole.out, call(1, "arguments")) == "{\"a\":\"Ä \\\"x\\\"\"}")
    #expect(joined(whole.out, call(2, "arguments")) == "[P")
    #expect(joined(whole.out, call(1, "name")) == "f" + original)
    #expect(whole.out.contains("\"logprobs\":null"))
    #expect(!whole.out.contains("[DONE]"))

    let count = Self.rich.utf8.count
    let single = run(
      Self.rich, includeUsage: includeUsage, dropsLogprobs: true, cuts: Array(0..<count), rewriter: MarkRestorer())
    #expect(single.out == whole.out)
    for cut in 0...count {
      let result = run(
        Self.rich, includeUsage: includeUsage, dropsLogprobs: true, cuts: [cut], rewriter: MarkRestorer())
      #expect(result.out == whole.out && result.stream.isComplete)
      #expect(result.stream.outputBytes == whole.stream.outputBytes)
    }
  }

  @Test func heldTextGoesOutBeforeTheFinishReason() {
    let stream = Self.content("a[P_") + Self.stop + Self.done
    let flushed =
      "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":7,\"model\":\"alias\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"[P_\"},\"finish_reason\":null}]}\n\n"
    #expect(run(stream, rewriter: MarkRestorer()).out == Self.content("a") + flushed + Self.stop)
    // A finish reason in the same event as the text: into that text.
    let same = Self.content("a[P_", finish: "\"stop\"")
    #expect(run(same + Self.done, rewriter: MarkRestorer()).out == same)
    // Another choice's end leaves it held.
    let other =
      Self.content("a[P_") + Self.chunk("{\"index\":1,\"delta\":{},\"finish_reason\":\"stop\"}") + Self.content("1]")
    #expect(
      joined(run(other, rewriter: MarkRestorer()).out) { $0["content"] as? String } == "a" + MarkRestorer.original)
  }

  @Test func aDeltaThatIsAllHeldGoesOutEmpty() {
    #expect(run(Self.content("a") + Self.content("[P_1"), rewriter: MarkRestorer()).out.contains("\"content\":\"\""))
  }

  @Test func flushedDeltasHaveTheirFieldsShape() {
    let reader = ChatStreamReader(AnswerOptions(alias: "alias", includeUsage: true))
    for (field, delta) in [
      (AnswerChannel.Field.content, "{\"content\":\"t\"}"), (.refusal, "{\"refusal\":\"t\"}"),
      (.reasoning, "{\"reasoning\":\"t\"}"), (.reasoningContent, "{\"reasoning_content\":\"t\"}"),
      (.toolArguments, "{\"tool_calls\":[{\"index\":4,\"function\":{\"arguments\":\"t\"}}]}"),
      (.functionArguments, "{\"function_call\":{\"arguments\":\"t\"}}"),
      (.transcript, "{\"audio\":{\"transcript\":\"t\"}}"),
      (.thinking, "{\"content\":[{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\",\"text\":\"t\"}]}]}"),
    ] {
      let out = ByteArena()
      withBytes("t") { reader.appendDelta(AnswerChannel(choice: 2, index: 4, field: field), text: $0, to: out) }
      #expect(
        out.text
          == "data: {\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":2,\"delta\":\(delta),\"finish_reason\":null}],\"usage\":null}\n\n"
      )
    }
  }

  private static func extra(_ usage: String = usage) -> String { chunk("", more: ",\"usage\":\(usage)") }

  private static let usageCases: [(String, String, String)] = [
    // Own chunk at the end, as OpenAI sends it.
    (content("a") + stop + extra() + done, content("a") + stop, content("a") + stop + extra()),
    // null in each chunk.
    (
      chunk("{\"index\":0,\"delta\":{\"content\":\"a\"}}", more: ",\"usage\":null") + stop + extra() + done,
      chunk("{\"index\":0,\"delta\":{\"content\":\"a\"}}") + stop,
      chunk("{\"index\":0,\"delta\":{\"content\":\"a\"}}", more: ",\"usage\":null") + stop + extra()
    ),
    // In the last content chunk only.
    (
      content("a") + chunk("{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}", more: ",\"usage\":\(usage)") + done,
      content("a") + stop,
      content("a") + chunk("{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}", more: ",\"usage\":null") + extra()
    ),
    // In each chunk, growing, and once more.
    (
      chunk(
        "{\"index\":0,\"delta\":{\"content\":\"a\"}}", more: ",\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":1}"
      )
        + stop + extra() + done,
      chunk("{\"index\":0,\"delta\":{\"content\":\"a\"}}") + stop,
      chunk("{\"index\":0,\"delta\":{\"content\":\"a\"}}", more: ",\"usage\":null") + stop + extra()
    ),
    // Twice in chunks of its own: the last counts.
    (
      content("a") + stop + extra("{\"prompt_tokens\":1}") + extra() + done, content("a") + stop,
      content("a") + stop + extra()
    ),
    // As the first member.
    (
      "data: {\"usage\" : null , \"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
        + extra() + done,
      "data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
      "data: {\"usage\" : null , \"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
        + extra()
    ),
  ]

  @Test(arguments: 0..<usageCases.count)
  func usageIsHiddenOrThereOnce(number: Int) {
    let (stream, hidden, kept) = Self.usageCases[number]
    let without = run(stream, rewriter: UnchangedText())
    #expect(without.out == hidden)
    let with = run(stream, includeUsage: true, rewriter: UnchangedText())
    #expect(with.out == kept)
    for result in [without, with] {
      #expect(result.stream.usage?.inputTokens == 10 && result.stream.usage?.outputTokens == 5)
      #expect(result.stream.isComplete)
    }
  }

  private static let cuts: [(String, Bool)] = [
    ("", false), (content("a"), false), ([content("a"), stop].joined(), false), ([content("a"), done].joined(), false),
    (done, false),
    ([content("a"), stop, done].joined(), true), ([content("a"), stop, "data: [DONE]"].joined(), true),
    ([content("a"), content("b", choice: 1), stop, done].joined(), false),
    ([content("a"), stop, "data: {\"id\":\"c1\",\"cho"].joined(), false),
    ([content("a"), stop, done, content("late")].joined(), true),
    (
      [chunk("{\"index\":1,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}"), content("a"), stop, done].joined(),
      false
    ),
  ]

  @Test(arguments: 0..<cuts.count)
  func aCutIsSeen(number: Int) {
    let (stream, isComplete) = Self.cuts[number]
    let result = run(stream, rewriter: UnchangedText())
    #expect(result.stream.isComplete == isComplete)
    #expect(!result.out.contains("late"))
    if case .failed(let refusal) = result.stream.state { Issue.record("failed: \(refusal)") }
  }

  @Test(arguments: [
    (
      "data: {\"error\":{\"message\":\"boom\",\"type\":\"server_error\",\"code\":null}}\n\n", Refusal.Code.upstreamError
    ),
    ("data: {\"error\":{\"message\":\"slow\",\"code\":429}}\n\n", .upstreamRateLimited),
    ("data: {\"error\":{\"message\":\"slow\",\"code\":\"rate_limit_exceeded\"}}\n\n", .upstreamRateLimited),
    ("data: {\"error\":\"boom\"}\n\n", .upstreamError),
    ("data: {\"error\":{\"code\":\"insufficient_quota\"}}\n\n", .upstreamQuota),
    ("data: {\"object\":\"error\",\"message\":\"bad\",\"code\":500}\n\n", .upstreamError),
    ("data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"error\"}]}\n\n", .upstreamError),
    (
      "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"MALFORMED_FUNCTION_CALL\"}]}\n\n",
      .upstreamError
    ),
    ("data: {nope}\n\n", .upstreamError), ("data: []\n\n", .upstreamError), ("data: \n\n", .upstreamError),
  ])
  func anErrorEndsTheStream(event: String, code: Refusal.Code) {
    let result = run(Self.content("a") + event + Self.content("b"), rewriter: UnchangedText())
    #expect(result.out == Self.content("a"))
    #expect(!result.stream.isComplete)
    guard case .failed(let refusal) = result.stream.state else {
      Issue.record("not failed")
      return
    }
    #expect(refusal.code == code)
    #expect(!refusal.message.contains("boom"))
  }

  @Test func aRuleOnOutputEndsTheStream() {
    var restorer = MarkRestorer()
    restorer.isBlocking = true
    let result = run(
      Self.content("a") + Self.content("x forbidden") + Self.content("b") + Self.stop + Self.done, rewriter: restorer)
    #expect(result.out == Self.content("a"))
    #expect(
      result.stream.state
        == .failed(Refusal(.contentPolicyViolation, message: "The answer was ended by a rule on content.")))
    #expect(result.stream.outputBytes == 12)
  }

  @Test(arguments: [
    ("model_length", "length"), ("eos", "stop"), ("tool_use", "tool_calls"), ("recitation", "content_filter"),
  ])
  func finishReasonsAreOpenAIs(provider: String, reason: String) {
    let result = run(Self.content("a", finish: "\"\(provider)\"") + Self.done, rewriter: UnchangedText())
    #expect(result.out == Self.content("a", finish: "\"\(reason)\"") && result.stream.isComplete)
  }

  @Test func azuresFirstChunkHasNoChoices() {
    let first =
      "data: {\"choices\":[],\"created\":0,\"id\":\"\",\"model\":\"\",\"object\":\"\",\"prompt_filter_results\":[{\"x\":\"y\"}]}\n\n"
    let result = run(first + Self.content("[P") + Self.stop + Self.done, rewriter: MarkRestorer())
    #expect(result.stream.isComplete)
    #expect(
      result.out.contains(
        "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":7,\"model\":\"alias\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"[P\"}"
      ))
  }

  @Test func halfACharacterIsTheProvidersBusiness() {
    let stream = Self.content("\\ud83d") + Self.content("\\ude00") + Self.stop + Self.done
    let result = run(stream, rewriter: UnchangedText())
    #expect(result.out + Self.done == stream && result.stream.isComplete)
  }

  @Test func channelsAreBound() {
    let calls = (0..<2_000).map { "{\"index\":\($0),\"function\":{\"arguments\":\"x\"}}" }.joined(separator: ",")
    let result = run(Self.chunk("{\"index\":0,\"delta\":{\"tool_calls\":[\(calls)]}}"), rewriter: UnchangedText())
    guard case .failed = result.stream.state else {
      Issue.record("not bound")
      return
    }
  }

  @Test func hostileStreamsNeverTrap() {
    var random = SeededGenerator(seed: 21)
    let seed = Array(Self.rich.utf8)
    for round in 0..<3_000 {
      let bytes = random.mutate(seed, most: 6)
      let cuts = (0..<3).map { _ in Int.random(in: 0...bytes.count, using: &random) }.sorted()
      var reader = ChatStreamReader(
        AnswerOptions(alias: "alias", includeUsage: round.isMultiple(of: 2), dropsLogprobs: true))
      var restorer = MarkRestorer()
      let out = ByteArena()
      var start = 0
      for cut in cuts + [bytes.count] {
        withBytes(Array(bytes[start..<cut])) { reader.feed($0, rewriter: &restorer, into: out) }
        start = cut
      }
      reader.finish(rewriter: &restorer, into: out)
      // Whatever comes in, whole events of JSON go out.
      for event in out.text.components(separatedBy: "\n\n").dropLast() {
        #expect(event.hasPrefix("data: "))
        let isJSON = withBytes(String(event.dropFirst(6))) { (try? JSONCursor.validate($0, limits: .answer)) != nil }
        #expect(isJSON, "\(event)")
      }
    }
  }
}
