import Inference
import JSONText
import Testing

@Suite struct AnswerScanTests {
  private static let answer = #"""
    {"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-5-real","service_tier":"default",
     "system_fingerprint":"fp","choices":[
      {"index":1,"message":{"role":"assistant","content":"Frau [P_1]","refusal":null,"reasoning":"r [P_1]",
        "reasoning_content":"rc [P_1]","annotations":[{"type":"u","url":"[P_1]"}],"new":"n [P_1]"},
        "logprobs":{"content":[{"token":"[P"}]},"finish_reason":"stop"},
      {"message":{"role":"assistant","content":[{"type":"text","text":"t [P_1]"},
        {"type":"thinking","thinking":[{"type":"text","text":"th [P_1]"}]}],
        "tool_calls":[{"id":"call_1","type":"function","function":{"name":"g","arguments":"{\"a\":\"[P_1]\"}"}},
        {"id":"call_2","type":"function","function":{"name":"h","arguments":"{}"}}],
        "function_call":{"name":"k","arguments":"[\"[P_1]\"]"},"audio":{"id":"a","data":"[P_1]","transcript":"tr [P_1]"}},
        "finish_reason":"model_length","index":0,"logprobs":null}],
     "usage":{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,
       "prompt_tokens_details":{"cached_tokens":40,"cache_write_tokens":10,"audio_tokens":1},
       "completion_tokens_details":{"reasoning_tokens":20,"audio_tokens":2}},"extra":"x [P_1]"}
    """#

  @Test func findsEveryTextWithItsChannel() throws {
    try withBytes(Self.answer) { bytes in
      let scan = AnswerScan()
      try scan.scan(bytes)
      let found = scan.spans.map { ($0.range.of(bytes).text, $0.channel) }
      let wanted: [(String, AnswerChannel)] = [
        ("Frau [P_1]", AnswerChannel(choice: 1, field: .content)),
        ("r [P_1]", AnswerChannel(choice: 1, field: .reasoning)),
        ("rc [P_1]", AnswerChannel(choice: 1, field: .reasoningContent)),
        ("u", AnswerChannel(choice: 1, field: .whole)), ("[P_1]", AnswerChannel(choice: 1, field: .whole)),
        ("n [P_1]", AnswerChannel(choice: 1, field: .whole)), ("t [P_1]", AnswerChannel(choice: 0, field: .content)),
        ("th [P_1]", AnswerChannel(choice: 0, field: .thinking)), ("g", AnswerChannel(choice: 0, field: .whole)),
        ("{\\\"a\\\":\\\"[P_1]\\\"}", AnswerChannel(choice: 0, index: 0, field: .toolArguments)),
        ("h", AnswerChannel(choice: 0, field: .whole)),
        ("{}", AnswerChannel(choice: 0, index: 1, field: .toolArguments)),
        ("k", AnswerChannel(choice: 0, field: .whole)),
        ("[\\\"[P_1]\\\"]", AnswerChannel(choice: 0, field: .functionArguments)),
        ("tr [P_1]", AnswerChannel(choice: 0, field: .transcript)),
        ("x [P_1]", AnswerChannel(choice: 0, field: .whole)),
      ]
      #expect(found.map(\.0) == wanted.map(\.0))
      #expect(found.map(\.1) == wanted.map(\.1))
      #expect(scan.model?.of(bytes).text == "\"gpt-5-real\"" && scan.id?.of(bytes).text == "\"chatcmpl-1\"")
      #expect(scan.serviceTier?.of(bytes).text == "\"default\"")
      #expect(scan.finishes.map(\.choice) == [1, 0] && scan.finishes.map(\.reason) == [.stop, .length])
      #expect(scan.logprobs.count == 1 && scan.choiceCount == 2 && scan.error == nil)
      let usage = try #require(scan.usage)
      #expect(usage.inputTokens == 100 && usage.outputTokens == 50 && usage.cachedTokens == 40)
      #expect(usage.cacheWriteTokens == 10 && usage.reasoningTokens == 20 && usage.audioTokens == 3)
      #expect(usage.uncachedTokens == 50 && usage.hasInput && usage.hasOutput && !usage.isSuspect)
      #expect(scan.textBytes(in: bytes) == 10 + 7 + 8 + 7 + 8 + 13 + 2 + 9 + 8)
    }
  }

  @Test func aPlainAnswerIsRewrittenInPlace() throws {
    try withBytes(Self.answer) { bytes in
      let scan = AnswerScan()
      try scan.scan(bytes)
      var restorer = MarkRestorer()
      var edits = EditList()
      let done = scan.rewrite(
        bytes, alias: "ali\"as", dropsLogprobs: true, rewriter: &restorer, scratch: ByteArena(), edits: &edits)
      #expect(done == .done)
      let out = ByteArena()
      let isApplied = edits.apply(to: bytes, into: out)
      #expect(isApplied)
      let deep = #"Ä \\\"x\\\""#
      let flat = #"Ä \"x\""#
      var wanted = Self.answer.replacing("gpt-5-real", with: "ali\\\"as").replacing("model_length", with: "length")
        .replacing(#"{"content":[{"token":"[P"}]}"#, with: "null").replacing(#""data":"[P_1]""#, with: "DATA")
      wanted = wanted.replacing(#"\"[P_1]\""#, with: #"\"\#(deep)\""#).replacing("[P_1]", with: flat)
      #expect(out.text == wanted.replacing("DATA", with: #""data":"[P_1]""#))
    }
  }

  @Test func anUntouchedAnswerHasOnlyTheAliasChanged() throws {
    let body = "{\"model\":\"m\",\"choices\":[{\"message\":{\"content\":\"[\"},\"finish_reason\":\"stop\"}]}"
    try withBytes(body) { bytes in
      let scan = AnswerScan()
      try scan.scan(bytes)
      var edits = EditList()
      var unchanged = UnchangedText()
      #expect(
        scan.rewrite(bytes, alias: "a", dropsLogprobs: false, rewriter: &unchanged, scratch: ByteArena(), edits: &edits)
          == .done)
      #expect(edits.count == 1)
      // A plain answer holds nothing back: what looks like a beginning is the end.
      var restorer = MarkRestorer()
      edits.reset()
      _ = scan.rewrite(
        bytes, alias: "a", dropsLogprobs: false, rewriter: &restorer, scratch: ByteArena(), edits: &edits)
      let out = ByteArena()
      let isApplied = edits.apply(to: bytes, into: out)
      #expect(isApplied)
      #expect(out.text == body.replacing("\"m\"", with: "\"a\""))
    }
  }

  @Test func embeddingsAreNotReadAsText() throws {
    let body =
      "{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"index\":0,\"embedding\":\"AAAA\"}],\"model\":\"m\",\"usage\":{\"prompt_tokens\":8,\"total_tokens\":8}}"
    try withBytes(body) { bytes in
      let scan = AnswerScan()
      try scan.scan(bytes)
      #expect(scan.spans.isEmpty && scan.data != nil)
      #expect(scan.usage?.inputTokens == 8 && scan.usage?.hasOutput == false && scan.usage?.isSuspect == false)
    }
  }

  @Test(arguments: ["", "null", "[]", "\"x\"", "{", "{\"a\":1}x", "<html>", "{\"choices\":[}"])
  func whatIsNoAnswerIsAnUpstreamError(body: String) {
    let code = withBytes(body) { bytes -> Refusal.Code? in
      do throws(InferenceError) {
        let scan = AnswerScan()
        try scan.scan(bytes)
        return nil
      } catch {
        return error.code
      }
    }
    #expect(code == .upstreamError)
  }

  @Test(arguments: [
    "{\"choices\":{}}", "{\"choices\":[1,null,[]]}", "{\"choices\":[{\"index\":\"x\",\"delta\":[],\"message\":5}]}",
    "{\"choices\":[{\"index\":-1,\"delta\":{\"tool_calls\":{},\"content\":5,\"audio\":\"x\"}}]}",
    "{\"choices\":[{\"index\":99999999999999999999,\"delta\":{\"tool_calls\":[null,{\"index\":1.5,\"function\":[]}]}}]}",
    "{\"usage\":[]}", "{\"usage\":5,\"model\":null,\"error\":null}", "{\"usage\":{\"prompt_tokens_details\":3}}",
  ])
  func oddShapesAreTaken(body: String) throws {
    try withBytes(body) { bytes in
      let scan = AnswerScan()
      try scan.scan(bytes)
      #expect(scan.error == nil)
      var edits = EditList()
      var restorer = MarkRestorer()
      _ = scan.rewrite(bytes, alias: "a", dropsLogprobs: true, rewriter: &restorer, scratch: ByteArena(), edits: &edits)
      let out = ByteArena()
      let isApplied = edits.apply(to: bytes, into: out)
      #expect(isApplied)
    }
  }
}

@Suite struct UsageTests {
  @Test(
    arguments: [
      ("{\"prompt_tokens\":5,\"completion_tokens\":0}", 5, 0, true, true, false),
      ("{\"prompt_tokens\":-5,\"completion_tokens\":7}", 0, 7, false, true, true),
      ("{\"prompt_tokens\":5.5,\"completion_tokens\":7}", 0, 7, false, true, true),
      ("{\"prompt_tokens\":5,\"completion_tokens\":\"7\"}", 5, 0, true, false, true),
      ("{\"prompt_tokens\":5,\"completion_tokens\":9223372036854775807}", 5, 0, true, false, true),
      ("{\"prompt_tokens\":99999999999999999999999,\"completion_tokens\":7}", 0, 7, false, true, true),
      ("{\"prompt_tokens\":null,\"completion_tokens\":7}", 0, 7, false, true, false), ("{}", 0, 0, false, false, false),
      (
        "{\"prompt_tokens\":5,\"completion_tokens\":7,\"prompt_tokens_details\":{\"cached_tokens\":6}}", 5, 7, true,
        true, true
      ),
      (
        "{\"prompt_tokens\":5,\"completion_tokens\":7,\"completion_tokens_details\":{\"reasoning_tokens\":8}}", 5, 7,
        true, true, true
      ),
      (
        "{\"prompt_tokens\":5,\"completion_tokens\":7,\"prompt_tokens_details\":null,\"x\":[1]}", 5, 7, true, true,
        false
      ),
    ] as [(String, Int64, Int64, Bool, Bool, Bool)])
  func takesOnlySaneFigures(
    usage: String, input: Int64, output: Int64, hasInput: Bool, hasOutput: Bool, isSuspect: Bool
  ) throws {
    try withBytes("{\"usage\":\(usage)}") { bytes in
      let scan = AnswerScan()
      try scan.scan(bytes)
      let found = try #require(scan.usage)
      #expect((found.inputTokens, found.outputTokens) == (input, output))
      #expect((found.hasInput, found.hasOutput, found.isSuspect) == (hasInput, hasOutput, isSuspect))
      #expect(found.uncachedTokens >= 0 && found.reasoningTokens <= max(0, found.outputTokens))
    }
  }
}
