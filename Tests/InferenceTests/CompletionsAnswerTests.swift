import Foundation
import Inference
import JSONText
import Testing

/// Answers of the legacy route: those of chat with `text` in place of a message.
@Suite struct CompletionsAnswerTests {
  private static func read(
    _ body: String, _ options: AnswerOptions = AnswerOptions(alias: "alias", dropsLogprobs: true)
  ) -> (outcome: PlainAnswer.Outcome, out: String, answer: PlainAnswer) {
    let answer = PlainAnswer()
    let out = ByteArena()
    let scan = RequestScan()
    withBytes("{\"model\":\"m\",\"prompt\":\"x\"}") { _ = try? scan.scan($0, route: .completions) }
    var restorer = MarkRestorer()
    let outcome = withBytes(body) {
      answer.read($0, from: .completions, for: scan, options: options, rewriter: &restorer, into: out)
    }
    return (outcome, out.text, answer)
  }

  private static let plain =
    #"{"id":"cmpl-1","object":"text_completion","created":1,"model":"real","choices":[{"text":"Frau [P_1]","index":0,"logprobs":{"tokens":["["]},"finish_reason":"stop"},{"index":1,"text":"b","logprobs":null,"finish_reason":"length"}],"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}}"#

  @Test func aPlainAnswerIsRewrittenInPlace() {
    let read = Self.read(Self.plain)
    #expect(read.outcome == .written)
    #expect(
      read.out
        == Self.plain.replacing("real", with: "alias").replacing("[P_1]", with: #"Ä \"x\""#)
        .replacing(#"{"tokens":["["]}"#, with: "null"))
    #expect(read.answer.usage?.inputTokens == 5 && read.answer.usage?.outputTokens == 7)
    #expect(read.answer.outputBytes == 11 && read.answer.dropped == ["logprobs"])
  }

  @Test func whatIsRepeatedOfThePromptIsNotTheModels() {
    #expect(Self.read(Self.plain, AnswerOptions(alias: "a", echoBytes: 8)).answer.outputBytes == 3)
    #expect(Self.read(Self.plain, AnswerOptions(alias: "a", echoBytes: 80)).answer.outputBytes == 0)
    let stream = Self.stream(Self.piece("abc"), options: AnswerOptions(alias: "a", echoBytes: 2))
    #expect(stream.reader.outputBytes == 1)
  }

  @Test(arguments: [
    ("{\"error\":{\"message\":\"x\"}}", true), ("{\"object\":\"error\",\"message\":\"x\"}", true), ("{}", false),
    ("[]", false), ("{\"choices\":[{\"text\":\"x\",\"finish_reason\":\"error\"}]}", false),
  ])
  func whatIsNoAnswerIsNone(body: String, isError: Bool) {
    let read = Self.read(body)
    if isError {
      guard case .providerError = read.outcome else {
        Issue.record("\(read.outcome)")
        return
      }
    } else {
      #expect(read.outcome == .malformed)
    }
    #expect(read.out.isEmpty)
  }

  /// Some chat providers write a `text` beside each delta: it is no second piece of the same text.
  @Test func aChatsTextStandsApart() throws {
    try withBytes("{\"choices\":[{\"text\":\"[P\",\"delta\":{\"content\":\"[P\"}}]}") { bytes in
      let scan = AnswerScan()
      try scan.scan(bytes)
      #expect(scan.spans.map(\.channel.field) == [.whole, .content])
    }
  }

  private static func piece(_ text: String, choice: Int = 0, finish: String = "null", more: String = "") -> String {
    "data: {\"id\":\"c1\",\"object\":\"text_completion\",\"created\":7,\"choices\":[{\"text\":\"\(text)\",\"index\":\(choice),\"logprobs\":null,\"finish_reason\":\(finish)}],\"model\":\"alias\"\(more)}\n\n"
  }

  private static let done = "data: [DONE]\n\n"

  private static func stream(
    _ stream: String, options: AnswerOptions = AnswerOptions(alias: "alias", dropsLogprobs: true), cuts: [Int] = []
  ) -> (out: String, reader: AnswerStream) {
    var reader = AnswerStream(from: .completions, to: .completions, options)
    var rewriter = MarkRestorer()
    let out = ByteArena()
    let bytes = Array(stream.utf8)
    var start = 0
    for cut in cuts + [bytes.count] {
      withBytes(Array(bytes[start..<cut])) { reader.feed($0, rewriter: &rewriter, into: out) }
      start = cut
    }
    reader.finish(rewriter: &rewriter, into: out)
    if reader.isComplete { reader.appendEnd(to: out) }
    return (out.text, reader)
  }

  @Test func bytesPassAsTheyCame() {
    let stream =
      Self.piece("a") + Self.piece("b", choice: 1) + Self.piece("", finish: "\"stop\"")
      + Self.piece("c", choice: 1, finish: "\"length\"") + Self.done
    let result = Self.stream(stream)
    #expect(result.out == stream && result.reader.isComplete && result.reader.outputBytes == 3)
  }

  @Test func placeholdersComeBackHoweverTheyAreSplit() {
    let stream =
      Self.piece("x[P") + Self.piece("_1") + Self.piece("]y[P_") + Self.piece("", finish: "\"stop\"") + Self.done
    let whole = Self.stream(stream)
    let original = #"Ä \"x\""#
    #expect(
      whole.out == Self.piece("x") + Self.piece("") + Self.piece(original + "y")
        + "data: {\"id\":\"c1\",\"object\":\"text_completion\",\"created\":7,\"model\":\"alias\",\"choices\":[{\"index\":0,\"text\":\"[P_\",\"logprobs\":null,\"finish_reason\":null}]}\n\n"
        + Self.piece("", finish: "\"stop\"") + Self.done)
    for cut in 0...stream.utf8.count { #expect(Self.stream(stream, cuts: [cut]).out == whole.out) }
  }

  @Test(arguments: [false, true])
  func usageIsHiddenOrThereOnce(asked: Bool) {
    let usage = "{\"prompt_tokens\":10,\"completion_tokens\":5}"
    let extra =
      "data: {\"id\":\"c1\",\"object\":\"text_completion\",\"created\":7,\"choices\":[],\"model\":\"alias\",\"usage\":\(usage)}\n\n"
    let result = Self.stream(
      Self.piece("a", finish: "\"stop\"", more: ",\"usage\":null") + extra + Self.done,
      options: AnswerOptions(alias: "alias", includeUsage: asked))
    let first = Self.piece("a", finish: "\"stop\"", more: asked ? ",\"usage\":null" : "")
    #expect(result.out == first + (asked ? extra : "") + Self.done)
    #expect(result.reader.usage?.inputTokens == 10 && result.reader.usage?.outputTokens == 5)
  }

  @Test func aCutIsSeen() {
    #expect(!Self.stream(Self.piece("a")).reader.isComplete)
    #expect(!Self.stream(Self.piece("a") + Self.done).reader.isComplete)
  }
}
