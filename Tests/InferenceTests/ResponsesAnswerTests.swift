import Foundation
import Inference
import JSONText
import Testing

@Suite struct ResponsesAnswerTests {
  private static func read<Rewriter: AnswerRewriter>(
    _ body: String, dropsLogprobs: Bool = true, rewriter: Rewriter
  ) -> (outcome: PlainAnswer.Outcome, out: String, answer: PlainAnswer) {
    let answer = PlainAnswer()
    let out = ByteArena()
    let scan = RequestScan()
    withBytes("{\"model\":\"m\",\"input\":\"x\"}") { _ = try? scan.scan($0, route: .responses) }
    var rewriter = rewriter
    let outcome = withBytes(body) {
      answer.read(
        $0, from: .responses, for: scan, options: AnswerOptions(alias: "ali\"as", dropsLogprobs: dropsLogprobs),
        rewriter: &rewriter, into: out)
    }
    return (outcome, out.text, answer)
  }

  private static let body = #"""
    {"id":"resp_1","object":"response","created_at":1,"status":"completed","background":false,"error":null,
     "incomplete_details":null,"instructions":"i [P_1]","model":"gpt-5-real","metadata":{},"user":"9f86","safety_identifier":"9f86",
     "input":[{"role":"user","content":"in [P_1]"}],
     "tools":[{"type":"function","name":"f","description":"d [P_1]","parameters":{"type":"object"}}],
     "output":[
      {"id":"rs_1","type":"reasoning","encrypted_content":"[P_1]","summary":[{"type":"summary_text","text":"s [P_1]"}],
       "content":[{"text":"r [P_1]","type":"reasoning_text"}]},
      {"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[
       {"type":"output_text","text":"Frau [P_1] [P_","annotations":[{"type":"url_citation","title":"t [P_1]","start_index":0}],
        "logprobs":[{"token":"[P","bytes":[91]}]},{"type":"refusal","refusal":"no [P_1]"}]},
      {"id":"fc_1","type":"function_call","call_id":"call_1","name":"n [P_1]","arguments":"{\"a\":\"[P_1]\"}"},
      {"id":"ct_1","type":"custom_tool_call","call_id":"call_2","name":"g","input":"c [P_1]"},
      {"id":"x","type":"new_item","deep":{"note":["x [P_1]"],"encrypted_content":"[P_1]"}}],
     "store":false,"usage":{"input_tokens":100,"input_tokens_details":{"cached_tokens":40,"cache_write_tokens":10},
      "output_tokens":50,"output_tokens_details":{"reasoning_tokens":20},"total_tokens":150}}
    """#

  @Test func aPlainAnswerIsRewrittenInPlace() throws {
    let read = Self.read(Self.body, rewriter: MarkRestorer())
    #expect(read.outcome == .written)
    let sealed = #""encrypted_content":"[P_1]""#
    let wanted = Self.body.replacing(sealed, with: "SEALED").replacing("gpt-5-real", with: "ali\\\"as")
      .replacing("\"user\":\"9f86\",\"safety_identifier\":\"9f86\"", with: "\"user\":null,\"safety_identifier\":null")
      .replacing("[{\"token\":\"[P\",\"bytes\":[91]}]", with: "[]")
      .replacing(#"\"[P_1]\""#, with: #"\"Ä \\\"x\\\"\""#).replacing("[P_1]", with: #"Ä \"x\""#)
      .replacing("SEALED", with: sealed)
    #expect(read.out == wanted)
    #expect(read.answer.dropped == ["logprobs"])
    #expect(read.answer.outputBytes == 7 + 7 + 14 + 8 + 13 + 7)
    let usage = try #require(read.answer.usage)
    #expect(usage.inputTokens == 100 && usage.cachedTokens == 40 && usage.cacheWriteTokens == 10)
    #expect(usage.uncachedTokens == 50 && usage.outputTokens == 50 && usage.reasoningTokens == 20)
    #expect(usage.hasInput && usage.hasOutput && !usage.isSuspect)
  }

  @Test func anUntouchedAnswerHasOnlyTheAliasChanged() {
    let read = Self.read(Self.body, dropsLogprobs: false, rewriter: UnchangedText())
    #expect(
      read.out
        == Self.body.replacing("gpt-5-real", with: "ali\\\"as").replacing("\"9f86\"", with: "null"))
    #expect(read.answer.dropped == [])
  }

  @Test(arguments: [
    ("{\"status\":\"completed\",\"output\":[]}", true), ("{\"status\":\"incomplete\",\"output\":[]}", true),
    ("{\"output\":[1,null,[\"x\"],{\"content\":5,\"summary\":{}}]}", true),
    (
      "{\"output\":[{\"content\":[1,{\"text\":5,\"logprobs\":3,\"type\":[]}],\"arguments\":{\"a\":\"b\"}}],\"usage\":5,\"model\":null}",
      true
    ),
    ("{\"status\":\"in_progress\",\"output\":[]}", false), ("{\"status\":\"queued\",\"output\":[]}", false),
    ("{\"status\":\"completed\"}", false), ("{\"output\":{}}", false), ("{}", false), ("[]", false), ("", false),
    ("{\"output\":[]}x", false), ("<html>", false), ("{\"choices\":[]}", false),
  ])
  func takesAnswersAndNothingElse(body: String, isAnswer: Bool) {
    let read = Self.read(body, rewriter: MarkRestorer())
    #expect(read.outcome == (isAnswer ? .written : .malformed))
    #expect(isAnswer || read.out.isEmpty)
  }

  @Test(arguments: [
    (
      "{\"status\":\"failed\",\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"x\"},\"output\":[]}",
      Refusal.Code.upstreamRateLimited
    ),
    ("{\"status\":\"failed\",\"error\":{\"code\":\"server_error\",\"message\":\"x\"},\"output\":[]}", .upstreamError),
    ("{\"status\":\"failed\",\"error\":null,\"output\":[]}", .upstreamError),
    ("{\"status\":\"cancelled\",\"output\":[]}", .upstreamError),
    ("{\"error\":{\"code\":\"insufficient_quota\"}}", .upstreamQuota),
    ("{\"object\":\"error\",\"message\":\"x\",\"code\":429}", .upstreamRateLimited),
  ])
  func aFailureIsAnErrorOfTheProviders(body: String, code: Refusal.Code) {
    let read = Self.read(body, rewriter: MarkRestorer())
    guard case .providerError(let range) = read.outcome else {
      Issue.record("\(read.outcome)")
      return
    }
    let fault = withBytes(body) { UpstreamFault(status: 200, body: range.of($0)) }
    #expect(fault.refusal.code == code)
  }

  @Test func aRuleOnOutputForbidsTheAnswer() {
    var restorer = MarkRestorer()
    restorer.isBlocking = true
    let read = Self.read(
      "{\"output\":[{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"x forbidden\"}]}]}",
      rewriter: restorer)
    #expect(read.outcome == .blocked && read.out.isEmpty && read.answer.outputBytes == 11)
  }

  @Test(
    arguments: [
      ("{\"input_tokens\":5,\"output_tokens\":0}", 5, 0, true, true, false),
      ("{\"input_tokens\":-5,\"output_tokens\":7}", 0, 7, false, true, true),
      ("{\"input_tokens\":5.5,\"output_tokens\":\"7\"}", 0, 0, false, false, true),
      (
        "{\"input_tokens\":5,\"output_tokens\":7,\"input_tokens_details\":{\"cached_tokens\":6}}", 5, 7, true, true,
        true
      ),
      (
        "{\"input_tokens\":5,\"output_tokens\":7,\"output_tokens_details\":{\"reasoning_tokens\":8}}", 5, 7, true, true,
        true
      ),
      ("{\"input_tokens\":5,\"output_tokens\":7,\"input_tokens_details\":null,\"x\":[1]}", 5, 7, true, true, false),
      ("{\"prompt_tokens\":5,\"completion_tokens\":7}", 0, 0, false, false, false),
    ] as [(String, Int64, Int64, Bool, Bool, Bool)])
  func takesOnlySaneFigures(
    usage: String, input: Int64, output: Int64, hasInput: Bool, hasOutput: Bool, isSuspect: Bool
  ) throws {
    let found = try #require(Self.read("{\"output\":[],\"usage\":\(usage)}", rewriter: UnchangedText()).answer.usage)
    #expect((found.inputTokens, found.outputTokens) == (input, output))
    #expect((found.hasInput, found.hasOutput, found.isSuspect) == (hasInput, hasOutput, isSuspect))
    #expect(found.uncachedTokens >= 0 && found.reasoningTokens <= max(0, found.outputTokens))
  }

  @Test func hostileAnswersNeverTrap() {
    var random = SeededGenerator(seed: 23)
    let seed = Array(Self.body.utf8)
    var written = 0
    for _ in 0..<5_000 {
      let bytes = random.mutate(seed, most: 4)
      let read = Self.read(String(decoding: bytes, as: UTF8.self), rewriter: MarkRestorer())
      guard read.outcome == .written else { continue }
      written += 1
      let isJSON = withBytes(read.out) { (try? JSONCursor.validate($0, limits: .answer)) != nil }
      #expect(isJSON, "\(read.out)")
    }
    #expect(written > 500)
  }
}
