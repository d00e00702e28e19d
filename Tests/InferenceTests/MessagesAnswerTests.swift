import Foundation
import Inference
import JSONText
import Testing

@Suite struct MessagesAnswerTests {
  private struct Result {
    var outcome: PlainAnswer.Outcome
    var out: String
    var answer: PlainAnswer
  }

  private func read<Rewriter: AnswerRewriter>(_ body: String, rewriter: Rewriter) throws -> Result {
    try withBytes(body) { bytes in
      let request = RequestScan()
      try withBytes(#"{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"x"}]}"#) {
        try request.scan($0, route: .messages)
      }
      let answer = PlainAnswer()
      let out = ByteArena()
      var rewriter = rewriter
      let outcome = answer.read(
        bytes, from: .messages, for: request, options: AnswerOptions(alias: "ali\"as"), rewriter: &rewriter, into: out)
      return Result(outcome: outcome, out: out.text, answer: answer)
    }
  }

  private static let answer = #"""
    { "id":"msg_[P_1]","type":"message","role":"assistant","model":"claude-real", "new":{"x":"[P_1]","type":"[P_1]"},
     "content":[
      {"type":"thinking","thinking":"th [P_1]","signature":"[P_1]"},{"type":"redacted_thinking","data":"[P_1]"},
      {"type":"text","text":"Frau [P_1]","citations":[{"type":"char_location","cited_text":"c [P_1]","document_index":0,
        "document_title":"[P_1]","encrypted_index":"[P_1]"}]},
      {"type":"tool_use","id":"[P_1]","name":"f [P_1]","input":{"[P_1]":"[P_1]","type":"[P_1]","n":[1,{"a":"[P_1]"}]}},
      {"type":"web_search_tool_result","tool_use_id":"[P_1]","content":[{"type":"web_search_result","url":"u/[P_1]",
        "title":"[P_1]","encrypted_content":"[P_1]"}]},
      {"type":"brand_new","payload":"[P_1]"}, "[P_1]"],
     "stop_reason":"refusal","stop_sequence":"[P_1]","stop_details":{"type":"refusal","explanation":"[P_1]"},
     "usage":{"input_tokens":10,"cache_read_input_tokens":20,"cache_creation_input_tokens":30,
       "cache_creation":{"ephemeral_1h_input_tokens":12,"ephemeral_5m_input_tokens":18},"output_tokens":40,
       "output_tokens_details":{"thinking_tokens":7},"service_tier":"[P_1]"} }
    """#

  @Test func textsComeBackAndNothingElseChanges() throws {
    let result = try read(Self.answer, rewriter: MarkRestorer())
    #expect(result.outcome == .written)
    var wanted = Self.answer.replacing("\"claude-real\"", with: "\"ali\\\"as\"")
    // What only the provider can read, and ids, stay.
    for kept in [
      #""id":"msg_[P_1]""#, #""signature":"[P_1]""#, #""data":"[P_1]""#, #""encrypted_index":"[P_1]""#,
      #""id":"[P_1]""#, #""tool_use_id":"[P_1]""#, #""encrypted_content":"[P_1]""#, #""service_tier":"[P_1]""#,
      #""x":"[P_1]","type":"[P_1]""#,
    ] {
      wanted = wanted.replacing(kept, with: kept.replacing("[P_1]", with: "[KEPT]"))
    }
    wanted = wanted.replacing(#""x":"[KEPT]""#, with: #""x":"[P_1]""#)
    wanted = wanted.replacing("[P_1]", with: #"Ä \"x\""#).replacing("[KEPT]", with: "[P_1]")
    #expect(result.out == wanted)
    #expect(result.answer.outputBytes == 8 + 10 + #"{"[P_1]":"[P_1]","type":"[P_1]","n":[1,{"a":"[P_1]"}]}"#.utf8.count)
  }

  @Test func usageIsCountedInside() throws {
    let usage = try #require(try read(Self.answer, rewriter: UnchangedText()).answer.usage)
    #expect((usage.inputTokens, usage.cachedTokens, usage.cacheWriteTokens) == (60, 20, 30))
    #expect((usage.cacheWrite1hTokens, usage.cacheWrite5mTokens, usage.uncachedTokens) == (12, 18, 10))
    #expect((usage.outputTokens, usage.reasoningTokens) == (40, 7))
    #expect(usage.hasInput && usage.hasOutput && !usage.isSuspect)
  }

  @Test func anUntouchedAnswerHasOnlyTheAliasChanged() throws {
    let result = try read(Self.answer, rewriter: UnchangedText())
    #expect(result.out == Self.answer.replacing("\"claude-real\"", with: "\"ali\\\"as\""))
  }

  @Test(
    arguments: [
      (#"{"input_tokens":-5,"output_tokens":7}"#, 0, 0, 7, true), (#"{"input_tokens":5.5}"#, 0, 0, 0, true),
      (#"{"input_tokens":5,"output_tokens":"7"}"#, 5, 0, 0, true),
      (#"{"input_tokens":9223372036854775807,"output_tokens":7}"#, 0, 0, 7, true),
      (
        #"{"input_tokens":1099511627776,"cache_read_input_tokens":1099511627776,"output_tokens":1}"#, 2_199_023_255_552,
        0, 1, false
      ),
      (#"{"input_tokens":5,"cache_creation_input_tokens":-1,"output_tokens":7}"#, 5, 0, 7, true),
      // The split says more than the sum, or the sum is missing: the dearer figure.
      (
        #"{"input_tokens":5,"cache_creation_input_tokens":1,"cache_creation":{"ephemeral_1h_input_tokens":9},"output_tokens":7}"#,
        14, 9, 7, true
      ),
      (
        #"{"input_tokens":5,"cache_creation":{"ephemeral_1h_input_tokens":9,"ephemeral_5m_input_tokens":1},"output_tokens":7}"#,
        15, 9, 7, false
      ),
      (#"{"input_tokens":5,"output_tokens":7,"output_tokens_details":{"thinking_tokens":8}}"#, 5, 0, 7, true),
      (
        #"{"input_tokens":5,"output_tokens":7,"cache_creation":null,"output_tokens_details":[],"x":{}}"#, 5, 0, 7, false
      ),
      // Compacting the context is billed and in no sum.
      (
        #"{"input_tokens":5,"output_tokens":7,"iterations":[{"type":"compaction","input_tokens":100,"output_tokens":20},{"type":"message","input_tokens":5,"output_tokens":7},{"input_tokens":1,"type":"compaction","iterations":[{"type":"compaction","input_tokens":9}]},5]}"#,
        106, 0, 27, false
      ),
      (#"{"input_tokens":5,"output_tokens":7,"iterations":{}}"#, 5, 0, 7, false), ("{}", 0, 0, 0, false),
    ] as [(String, Int64, Int64, Int64, Bool)])
  func takesOnlySaneFigures(figures: String, input: Int64, hour: Int64, output: Int64, isSuspect: Bool) throws {
    let usage = try #require(
      try read(#"{"type":"message","content":[],"usage":\#(figures)}"#, rewriter: UnchangedText()).answer.usage)
    #expect((usage.inputTokens, usage.cacheWrite1hTokens, usage.outputTokens) == (input, hour, output))
    #expect(usage.isSuspect == isSuspect)
    #expect(usage.uncachedTokens >= 0 && usage.cacheWrite5mTokens >= 0 && usage.reasoningTokens <= usage.outputTokens)
  }

  @Test(arguments: [
    "", "null", "[]", "{", "{}", "<html>", #"{"type":"message"}"#, #"{"content":[]}"#,
    #"{"type":"message","content":{}}"#,
    #"{"type":"message","content":[]}x"#, #"{"type":"completion","content":[]}"#,
    #"{"choices":[{"message":{"content":"x"}}]}"#,
  ])
  func whatIsNoMessageIsMalformed(body: String) throws {
    let result = try read(body, rewriter: UnchangedText())
    #expect(result.outcome == .malformed && result.out.isEmpty)
  }

  @Test func anErrorInTheBodyIsFound() throws {
    let body = #"{"type":"error","error":{"type":"overloaded_error","message":"x"},"request_id":"r"}"#
    guard case .providerError(let range) = try read(body, rewriter: UnchangedText()).outcome else {
      Issue.record("no error")
      return
    }
    #expect(withBytes(body) { range.of($0).text } == #"{"type":"overloaded_error","message":"x"}"#)
  }

  @Test func aRuleOnOutputForbidsTheAnswer() throws {
    var restorer = MarkRestorer()
    restorer.isBlocking = true
    let result = try read(
      #"{"type":"message","content":[{"type":"text","text":"a forbidden word"}]}"#, rewriter: restorer)
    #expect(result.outcome == .blocked && result.out.isEmpty && result.answer.outputBytes == 16)
  }

  @Test func hostileAnswersNeverTrap() throws {
    var random = SeededGenerator(seed: 71)
    let seed = Array(Self.answer.utf8)
    var written = 0
    for _ in 0..<2_000 {
      let body = String(decoding: random.mutate(seed, most: 4), as: UTF8.self)
      let result = try read(body, rewriter: MarkRestorer())
      guard result.outcome == .written else { continue }
      written += 1
      let isJSON = withBytes(result.out) { (try? JSONCursor.validate($0, limits: .answer)) != nil }
      #expect(isJSON, "\(result.out)")
    }
    #expect(written > 300)
  }
}

@Suite struct AnthropicErrorTests {
  /// `api.md` section 10.
  private static let table: [(Refusal.Code, Int, String)] = [
    (.invalidRequest, 400, "invalid_request_error"), (.invalidJSON, 400, "invalid_request_error"),
    (.missingRequiredParameter, 400, "invalid_request_error"), (.invalidType, 400, "invalid_request_error"),
    (.invalidValue, 400, "invalid_request_error"), (.unsupportedParameter, 400, "invalid_request_error"),
    (.unsupportedMediaType, 415, "invalid_request_error"), (.methodNotAllowed, 405, "invalid_request_error"),
    (.previousResponseNotFound, 400, "invalid_request_error"),
    (.contextLengthExceeded, 400, "invalid_request_error"), (.contentPolicyViolation, 400, "invalid_request_error"),
    (.requestTooLarge, 413, "request_too_large"), (.headersTooLarge, 431, "request_too_large"),
    (.requestTimeout, 408, "timeout_error"), (.notFound, 404, "not_found_error"),
    (.modelNotFound, 404, "not_found_error"), (.invalidAPIKey, 401, "authentication_error"),
    (.policyDenied, 403, "permission_error"), (.dataResidencyMismatch, 403, "permission_error"),
    (.rateLimitExceeded, 429, "rate_limit_error"), (.insufficientQuota, 429, "rate_limit_error"),
    (.tooManyFailedKeys, 429, "rate_limit_error"),
    (.upstreamRateLimited, 429, "rate_limit_error"), (.upstreamAuth, 502, "api_error"),
    (.upstreamQuota, 502, "api_error"), (.upstreamError, 502, "api_error"), (.upstreamCut, 502, "api_error"),
    (.upstreamTimeout, 504, "timeout_error"), (.noRoute, 503, "api_error"), (.noPrice, 503, "api_error"),
    (.logUnavailable, 503, "api_error"), (.ledgerUnavailable, 503, "api_error"),
    (.redactionUnavailable, 503, "api_error"), (.policyUnavailable, 503, "api_error"),
    (.overloaded, 529, "overloaded_error"),
  ]

  @Test func everyCauseHasItsRow() {
    #expect(Set(Self.table.map(\.0)) == Set(Refusal.Code.allCases))
    for (code, status, type) in Self.table {
      #expect(code.status(in: .anthropic) == status && code.anthropicType.description == type, "\(code)")
      #expect(code.status(in: .openAI) == code.status)
      let out = ByteArena()
      ErrorBody.append(Refusal(code, message: "m"), requestID: "", dialect: .anthropic, to: out)
      #expect(out.text == #"{"type":"error","error":{"type":"\#(type)","message":"m"},"request_id":null}"#)
    }
  }

  @Test func bodiesAreGolden() {
    let out = ByteArena()
    let refusal = Refusal(.invalidValue, message: "Say \"why\".\n", param: "messages[0].role")
    ErrorBody.append(refusal, requestID: "req_abc", dialect: .anthropic, to: out)
    #expect(
      out.text
        == #"{"type":"error","error":{"type":"invalid_request_error","message":"Say \"why\".\n (request req_abc)"},"request_id":"req_abc"}"#
    )
    let own = ByteArena()
    ErrorBody.append(refusal, requestID: "req_abc", to: own)
    out.reset()
    ErrorBody.append(refusal, requestID: "req_abc", dialect: .openAI, to: out)
    #expect(out.text == own.text)
    own.reset()
    out.reset()
    ErrorBody.appendEvent(refusal, requestID: "r", to: own)
    ErrorBody.appendEvent(refusal, requestID: "r", dialect: .openAI, to: out)
    #expect(out.text == own.text)
  }

  @Test func providersErrorsAreReadThroughTheirEnvelope() {
    for (status, type, code) in [
      (400, "billing_error", Refusal.Code.upstreamQuota), (529, "overloaded_error", .upstreamError),
      (429, "rate_limit_error", .upstreamRateLimited), (401, "authentication_error", .upstreamAuth),
      (404, "not_found_error", .upstreamError), (413, "request_too_large", .invalidValue),
      (400, "invalid_request_error", .invalidValue),
    ] {
      let fault = withBytes(
        #"{"type":"error","error":{"type":"\#(type)","message":"Some text."},"request_id":"req_canary123"}"#
      ) { UpstreamFault(status: status, body: $0) }
      #expect(fault.refusal.code == code && fault.providerCode == type)
      #expect(!fault.refusal.message.contains("canary"))
    }
  }

  @Test func modelsAreGolden() {
    let out = ByteArena()
    ModelList.appendAnthropic([("chat", 1_792_540_800), ("a\"b", 0)], to: out)
    #expect(
      out.text
        == #"{"data":[{"type":"model","id":"chat","display_name":"chat","created_at":"2026-10-21T00:00:00Z"},{"type":"model","id":"a\"b","display_name":"a\"b","created_at":"1970-01-01T00:00:00Z"}],"has_more":false,"first_id":"chat","last_id":"a\"b"}"#
    )
    out.reset()
    ModelList.appendAnthropic([], to: out)
    #expect(out.text == #"{"data":[],"has_more":false,"first_id":null,"last_id":null}"#)
  }

  @Test func timesAreThoseOfTheCalendar() {
    let format = ISO8601DateFormatter()
    var random = SeededGenerator(seed: 5)
    var times: [Int64] = [0, 951_782_399, 951_782_400, 1_709_164_800, 1_709_251_199, 4_107_542_400, 253_402_300_799]
    for _ in 0..<500 { times.append(Int64.random(in: 0...253_402_300_799, using: &random)) }
    for time in times {
      let out = ByteArena()
      ModelList.appendAnthropicModel("m", created: time, to: out)
      let wanted = format.string(from: Date(timeIntervalSince1970: TimeInterval(time)))
      #expect(out.text.hasSuffix("\"created_at\":\"\(wanted)\"}"), "\(time)")
    }
    for (time, wanted) in [(Int64.min, "1970-01-01T00:00:00Z"), (.max, "9999-12-31T23:59:59Z")] {
      let out = ByteArena()
      ModelList.appendAnthropicModel("m", created: time, to: out)
      #expect(out.text.contains(wanted))
    }
  }

  @Test(arguments: [(0, "0"), (17, "17"), (-5, "0"), (.max, "9223372036854775807")] as [(Int64, String)])
  func countsAreGolden(tokens: Int64, text: String) {
    let out = ByteArena()
    CountTokensAnswer.append(inputTokens: tokens, to: out)
    #expect(out.text == "{\"input_tokens\":\(text)}")
  }
}
