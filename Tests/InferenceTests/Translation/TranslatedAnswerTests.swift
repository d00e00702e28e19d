import Foundation
import Inference
import JSONText
import Testing

@Suite struct TranslatedAnswerTests {
  @Test(arguments: 0..<answerPairs.count, 0..<AnswerScript.all.count)
  func everyPairIsExact(pair: Int, number: Int) {
    let (wire, route) = answerPairs[pair]
    var script = AnswerScript.all[number]
    let plain = TranslatedPlain(
      ProviderScript.plain(script, wire), from: wire, to: route, rewriter: UnchangedText())
    if wire == .gemini { script = script.withWholeCalls(ids: false) }
    script = script.joined
    #expect(plain.outcome == .written)
    #expect(plain.out == ClientScript.plain(script, route, wire))
    #expect(plain.answer.usage?.inputTokens == 100 && plain.answer.usage?.outputTokens == 50)
    let written = script.bits.flatMap { bit -> [String] in
      guard case .tool(_, _, let pieces) = bit else { return ClientScript.pieces(bit) }
      // Anthropic begins every call with an empty object: it counts as nothing.
      let none = wire == .messages ? [] : wire == .chat ? pieces : ["{}"]
      return pieces.isEmpty || pieces == ["{}"] ? none : pieces
    }
    #expect(plain.answer.outputBytes == written.joined().utf8.count)
    let isJSON = withBytes(plain.out) { (try? JSONCursor.validate($0)) != nil }
    #expect(isJSON)
  }

  @Test(arguments: [InferenceRoute.responses, .messages])
  func aRefusalOfChatIsExact(route: InferenceRoute) {
    let plain = TranslatedPlain(
      ProviderScript.plain(.refusal, .chat), from: .chat, to: route, rewriter: UnchangedText())
    #expect(plain.out == ClientScript.plain(AnswerScript.refusal.joined, route, .chat))
  }

  @Test func placeholdersComeBackWholeAndHeldTextDoesNotStay() {
    let body = ProviderScript.plain(
      AnswerScript(
        bits: [.text(["[P_1] [P_"]), .tool(id: "c", name: "f", ["{\"[P_1]\":[\"x [P_1]\"],\"b\":\"[P\"}"])], end: .tools
      ),
      .messages)
    let plain = TranslatedPlain(body, from: .messages, to: .chat, rewriter: MarkRestorer())
    #expect(plain.out.contains(#""content":"Ä \"x\" [P_""#))
    #expect(
      plain.out.contains(#""arguments":"{\"Ä \\\"x\\\"\":[\"x Ä \\\"x\\\"\"],\"b\":\"[P\"}""#))
    let back = TranslatedPlain(
      ProviderScript.plain(
        AnswerScript(bits: [.tool(id: "c", name: "f", ["{\"a\":\"[P_1]\"}"])], end: .tools), .chat),
      from: .chat, to: .messages, rewriter: MarkRestorer())
    #expect(back.out.contains(#""input":{"a":"Ä \"x\""}}"#))
  }

  @Test func aRuleOnOutputForbidsTheAnswer() {
    var restorer = MarkRestorer()
    restorer.isBlocking = true
    for (wire, route) in answerPairs {
      let plain = TranslatedPlain(
        ProviderScript.plain(AnswerScript(bits: [.text(["x forbidden"])]), wire), from: wire, to: route,
        rewriter: restorer)
      #expect(plain.outcome == .blocked && plain.out.isEmpty && plain.answer.usage?.inputTokens == 100)
    }
  }

  @Test(arguments: [
    (
      ProviderWire.chat, #"{"error":{"message":"no","code":"x"},"usage":{"prompt_tokens":3}}"#,
      #"{"message":"no","code":"x"}"#
    ),
    (.chat, #"{"object":"error","message":"no","code":3}"#, #"{"object":"error","message":"no","code":3}"#),
    (
      .messages, #"{"type":"error","error":{"type":"overloaded_error","message":"no"}}"#,
      #"{"type":"overloaded_error","message":"no"}"#
    ),
    (
      .gemini, #"{"error":{"code":503,"message":"no","status":"UNAVAILABLE"}}"#,
      #"{"code":503,"message":"no","status":"UNAVAILABLE"}"#
    ),
    (.gemini, #" [{"error":{"code":503}}] "#, #"[{"error":{"code":503}}]"#),
  ])
  func anErrorInAnAnswerIsTold(wire: ProviderWire, body: String, error: String) {
    let plain = TranslatedPlain(body, from: wire, to: .responses, rewriter: UnchangedText())
    guard case .providerError(let range) = plain.outcome else {
      Issue.record("\(plain.outcome)")
      return
    }
    #expect(withBytes(body) { range.of($0).text } == error && plain.out.isEmpty)
  }

  private static let malformed: [(ProviderWire, String)] = [
    (.chat, ""), (.chat, "[]"), (.chat, "{}"), (.chat, #"{"choices":[]}"#), (.chat, "<html>"), (.chat, "[DONE]"),
    // An answer that does not say how it ended is none.
    (.chat, #"{"choices":[{"message":{"content":"a"}}]}"#),
    (.chat, #"{"choices":[{"message":{"content":"a"},"finish_reason":"error"}]}"#),
    (
      .chat,
      #"{"choices":[{"message":{"tool_calls":[{"id":"c","function":{"arguments":"{}"}}]},"finish_reason":"stop"}]}"#
    ),
    (.messages, "{}"), (.messages, "null"), (.messages, #"{"type":"message","content":[]}"#),
    (.messages, #"{"type":"message","content":[],"stop_reason":"tired"}"#),
    (.messages, #"{"type":"message","content":[],"stop_reason":"end_turn"}x"#),
    (.gemini, "{}"), (.gemini, #"{"candidates":[]}"#),
    // Only a list of errors is an error.
    (.gemini, "[]"), (.gemini, #"[{"candidates":[]}]"#), (.gemini, #"[{"error":null},1]"#),
    (.gemini, #"{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}"#),
    (.gemini, #"{"candidates":[{"finishReason":"OTHER"}]}"#),
    (.gemini, #"{"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL"}]}"#),
    (.gemini, #"{"candidates":[{"finishReason":"UNEXPECTED_TOOL_CALL"}]}"#),
    (.gemini, #"{"candidates":[{"finishReason":"MISSING_THOUGHT_SIGNATURE"}]}"#),
    (.gemini, #"{"candidates":[{"content":{"parts":[{"functionCall":{"args":{}}}]},"finishReason":"STOP"}]}"#),
    (.converse, "{}"), (.converse, #"{"output":{"message":{"content":[{"text":"a"}]}}}"#),
    (.converse, #"{"output":{"message":{"content":[{"text":"a"}]}},"stopReason":"malformed_tool_use"}"#),
  ]

  @Test(arguments: 0..<malformed.count, [InferenceRoute.chat, .responses, .messages])
  func whatCannotBeToldIsMalformed(number: Int, route: InferenceRoute) {
    let (wire, body) = Self.malformed[number]
    guard route.ownWire != .some(wire) else { return }
    let plain = TranslatedPlain(body, from: wire, to: route, rewriter: UnchangedText())
    #expect(plain.outcome == .malformed && plain.out.isEmpty)
  }

  private func chatCall(_ arguments: String, finish: String) -> TranslatedPlain {
    TranslatedPlain(
      "{\"choices\":[{\"message\":{\"content\":\"t\",\"tool_calls\":[{\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":\"\(escaped(arguments))\"}}]},\"finish_reason\":\"\(finish)\"}]}",
      from: .chat, to: .messages, rewriter: UnchangedText())
  }

  @Test(arguments: ["{\"a\":", "[1]", "\"x\"", "{} {}", "nope", "{\"a\":\"\u{1}\"}"])
  func argumentsThatAreNoObjectAreNoInput(arguments: String) {
    #expect(chatCall(arguments, finish: "tool_calls").outcome == .malformed)
    // What a limit has cut goes, and is named: the reason says why.
    let cut = chatCall(arguments, finish: "length")
    #expect(cut.outcome == .written && cut.answer.dropped == ["content[].input"])
    #expect(cut.out.contains(#""content":[{"type":"text","text":"t"}],"stop_reason":"max_tokens""#))
  }

  @Test func inputKeepsItsOrderAndItsBytes() {
    let arguments = "{ \"z\":1.50,\n\"a\":{\"\\u00e4\":[null,\"\\\\\"]} }"
    #expect(chatCall(arguments, finish: "stop").out.contains("\"input\":\(arguments)}"))
    #expect(chatCall("", finish: "tool_calls").out.contains("\"input\":{}}"))
    // A forced tool ends with `stop` at OpenAI; a client of Anthropic's would not call it.
    #expect(chatCall("{}", finish: "stop").out.contains("\"stop_reason\":\"tool_use\""))
  }

  @Test(arguments: [
    (
      ProviderWire.messages,
      #"{"type":"message","content":[{"type":"thinking","thinking":"","signature":"s"},{"type":"redacted_thinking","data":"d"},{"type":"server_tool_use","id":"x","name":"web_search","input":{}},{"type":"text","text":"a","citations":[{"cited_text":"b"}]}],"stop_reason":"pause_turn"}"#,
      ["thinking.signature", "redacted_thinking", "content[]", "content[].citations"]
    ),
    (
      .gemini,
      #"{"candidates":[{"content":{"parts":[{"text":"a","thoughtSignature":"x"},{"executableCode":{"code":"x"}}]},"finishReason":"STOP","groundingMetadata":{},"citationMetadata":{}}]}"#,
      [
        "candidates[].content.parts[].thoughtSignature", "candidates[].content.parts[]",
        "candidates[].groundingMetadata", "candidates[].citationMetadata",
      ]
    ),
    (
      .converse,
      #"{"output":{"message":{"content":[{"reasoningContent":{"redactedContent":"eA=="}},{"text":"a"},{"image":{}}]}},"stopReason":"stop_sequence"}"#,
      ["output.message.content[]", "redacted_thinking"]
    ),
    (
      .chat,
      #"{"choices":[{"index":0,"message":{"content":"a","audio":{"data":""}},"finish_reason":"stop","logprobs":{"content":[]}},{"index":1,"message":{"content":"b"},"finish_reason":"x"}]}"#,
      ["choices[].message.audio", "choices[].logprobs"]
    ),
  ])
  func whatHasNoFormIsNamed(wire: ProviderWire, body: String, lost: [String]) {
    let plain = TranslatedPlain(body, from: wire, to: .responses, rewriter: UnchangedText())
    #expect(plain.outcome == .written && Set(plain.answer.dropped) == Set(lost))
    #expect(
      plain.out.contains(
        #""output":[{"id":"msg_ID_0","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"a","annotations":[],"logprobs":[]}]}]"#
      ))
  }

  @Test func proofsOfConverseReachAClientOfAnthropic() {
    let plain = TranslatedPlain(
      #"{"output":{"message":{"content":[{"reasoningContent":{"redactedContent":"eA=="}},{"reasoningContent":{"reasoningText":{"text":"t","signature":"s/+="}}},{"text":"a"}]}},"stopReason":"stop_sequence"}"#,
      from: .converse, to: .messages, rewriter: UnchangedText())
    #expect(plain.answer.dropped.isEmpty)
    #expect(
      plain.out.contains(
        #""content":[{"type":"redacted_thinking","data":"eA=="},{"type":"thinking","thinking":"t","signature":"s/+="},{"type":"text","text":"a"}],"stop_reason":"stop_sequence""#
      ))
  }

  private static let signed =
    #"{"candidates":[{"content":{"parts":[{"functionCall":{"id":"g~1","name":"f","args":{"a":"b"}},"thoughtSignature":"ab+/cd\u003d="},{"functionCall":{"name":"g"}}]},"finishReason":"STOP"}]}"#

  @Test func signaturesOfGeminiTravelWithTheirCall() {
    let chat = TranslatedPlain(Self.signed, from: .gemini, to: .chat, rewriter: UnchangedText())
    #expect(
      chat.out.contains(
        #""tool_calls":[{"id":"g~1~ts~ab-_cd","type":"function","extra_content":{"google":{"thought_signature":"ab+/cd\u003d="}},"function":{"name":"f","arguments":"{\"a\":\"b\"}"}},{"id":"call_ID_1","type":"function","function":{"name":"g","arguments":"{}"}}]"#
      ))
    let messages = TranslatedPlain(Self.signed, from: .gemini, to: .messages, rewriter: UnchangedText())
    #expect(
      messages.out.contains(
        #"[{"type":"tool_use","id":"g~1~ts~ab-_cd","name":"f","input":{"a":"b"}},{"type":"tool_use","id":"call_ID_1","name":"g","input":{}}],"stop_reason":"tool_use""#
      ))
    let responses = TranslatedPlain(Self.signed, from: .gemini, to: .responses, rewriter: UnchangedText())
    #expect(responses.out.contains(#""call_id":"g~1~ts~ab-_cd","name":"f""#))
    // What is no base64 is not sealed.
    let odd = TranslatedPlain(
      Self.signed.replacing("ab+/cd", with: "a~b"), from: .gemini, to: .messages, rewriter: UnchangedText())
    #expect(odd.out.contains(#""id":"g~1","name""#))
  }

  @Test func aBlockedPromptIsAFilteredAnswer() {
    let body =
      #"{"promptFeedback":{"blockReason":"SAFETY","safetyRatings":[]},"usageMetadata":{"promptTokenCount":5,"totalTokenCount":5}}"#
    let chat = TranslatedPlain(body, from: .gemini, to: .chat, rewriter: UnchangedText())
    #expect(
      chat.out.contains(
        #""message":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":"content_filter"}]"#
      ))
    let messages = TranslatedPlain(body, from: .gemini, to: .messages, rewriter: UnchangedText())
    #expect(messages.out.contains(#""content":[],"stop_reason":"refusal""#))
    #expect(messages.answer.usage?.inputTokens == 5)
  }

  private static let ends: [(ProviderWire, String, String, String)] = [
    (.messages, "end_turn", "stop", "end_turn"), (.messages, "pause_turn", "stop", "end_turn"),
    (.messages, "stop_sequence", "stop", "stop_sequence"), (.messages, "max_tokens", "length", "max_tokens"),
    (.messages, "model_context_window_exceeded", "length", "model_context_window_exceeded"),
    (.messages, "refusal", "content_filter", "refusal"), (.gemini, "STOP", "stop", "end_turn"),
    (.gemini, "MAX_TOKENS", "length", "max_tokens"), (.gemini, "SAFETY", "content_filter", "refusal"),
    (.gemini, "RECITATION", "content_filter", "refusal"), (.gemini, "BLOCKLIST", "content_filter", "refusal"),
    (.gemini, "PROHIBITED_CONTENT", "content_filter", "refusal"), (.gemini, "SPII", "content_filter", "refusal"),
    (.gemini, "MODEL_ARMOR", "content_filter", "refusal"), (.converse, "end_turn", "stop", "end_turn"),
    (.converse, "stop_sequence", "stop", "stop_sequence"), (.converse, "max_tokens", "length", "max_tokens"),
    (.converse, "guardrail_intervened", "content_filter", "refusal"),
    (.converse, "content_filtered", "content_filter", "refusal"),
    (.converse, "model_context_window_exceeded", "length", "model_context_window_exceeded"),
    (.chat, "model_length", "length", "max_tokens"), (.chat, "content_filter", "content_filter", "refusal"),
    (.chat, "function_call", "tool_calls", "tool_use"),
  ]

  @Test(arguments: 0..<ends.count)
  func reasonsOfEndsAreTheTables(number: Int) {
    let (wire, word, chat, messages) = Self.ends[number]
    let body =
      switch wire {
      case .messages: "{\"type\":\"message\",\"content\":[],\"stop_reason\":\"\(word)\"}"
      case .gemini: "{\"candidates\":[{\"finishReason\":\"\(word)\"}]}"
      case .converse: "{\"output\":{\"message\":{\"content\":[]}},\"stopReason\":\"\(word)\"}"
      default: "{\"choices\":[{\"finish_reason\":\"\(word)\",\"message\":{}}]}"
      }
    if wire != .chat {
      let plain = TranslatedPlain(body, from: wire, to: .chat, rewriter: UnchangedText())
      #expect(plain.out.contains("\"finish_reason\":\"\(chat)\""))
    }
    if wire != .messages {
      let plain = TranslatedPlain(body, from: wire, to: .messages, rewriter: UnchangedText())
      #expect(plain.out.contains("\"stop_reason\":\"\(messages)\""))
    }
    let plain = TranslatedPlain(body, from: wire, to: .responses, rewriter: UnchangedText())
    let status =
      switch chat {
      case "length": #""status":"incomplete","error":null,"incomplete_details":{"reason":"max_output_tokens"}"#
      case "content_filter": #""status":"incomplete","error":null,"incomplete_details":{"reason":"content_filter"}"#
      default: #""status":"completed","error":null,"incomplete_details":null"#
      }
    #expect(plain.out.contains(status))
  }

  @Test func figuresThatAreNotSaneAreNotTaken() {
    let body =
      #"{"type":"message","content":[],"stop_reason":"end_turn","usage":{"input_tokens":-1,"cache_read_input_tokens":null,"output_tokens":1e3,"output_tokens_details":{"thinking_tokens":7}}}"#
    let plain = TranslatedPlain(body, from: .messages, to: .chat, rewriter: UnchangedText())
    let usage = plain.answer.usage
    #expect(usage?.isSuspect == true && usage?.hasInput == false && usage?.hasOutput == false)
    #expect(plain.out.contains("\"prompt_tokens\":11,\"completion_tokens\":0,"))
    let gemini = TranslatedPlain(
      #"{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":5,"cachedContentTokenCount":9,"thoughtsTokenCount":3}}"#,
      from: .gemini, to: .chat, rewriter: UnchangedText())
    #expect(gemini.answer.usage?.isSuspect == true && gemini.answer.usage?.cachedTokens == 5)
    #expect(gemini.answer.usage?.outputTokens == 3 && gemini.answer.usage?.hasOutput == true)
  }
}
