import Inference
import JSONText
import Testing

/// Answers that are no conversation: texts come back, figures are read, everything else passes as it came.
@Suite struct FurtherAnswerTests {
  private struct Read {
    var outcome: PlainAnswer.Outcome
    var text: String
    var usage: Usage?
    var pieces: Int
  }

  private func read(_ body: String, _ route: InferenceRoute) -> Read {
    let (answer, scan, out) = (PlainAnswer(), RequestScan(), ByteArena())
    let request =
      switch route {
      case .rerank: #"{"model":"m","query":"q","documents":["a"]}"#
      case .images: #"{"model":"m","prompt":"a"}"#
      default: #"{"model":"m","input":"a"}"#
      }
    withBytes(request) { _ = try? scan.scan($0, route: route) }
    var restorer = MarkRestorer()
    let outcome = withBytes(body) {
      answer.read(
        $0, from: route.ownWire ?? .chat, for: scan, options: AnswerOptions(alias: "alias"), rewriter: &restorer,
        into: out)
    }
    return Read(outcome: outcome, text: out.bytes.text, usage: answer.usage, pieces: answer.pieces)
  }

  @Test func documentsComeBackAsTheyWere() {
    let found = read(
      #"{"id":"[P_1]","model":"real","results":[{"index":0,"relevance_score":0.123456789012345678,"document":{"text":"an [P_1]"}}, {"index":1,"document":"[P_1]"}],"usage":{"total_tokens":7}}"#,
      .rerank)
    #expect(found.outcome == .written && found.pieces == 2)
    #expect(
      found.text
        == #"{"id":"[P_1]","model":"alias","results":[{"index":0,"relevance_score":0.123456789012345678,"document":{"text":"an Ä \"x\""}}, {"index":1,"document":"Ä \"x\""}],"usage":{"total_tokens":7}}"#
    )
    #expect(found.usage?.inputTokens == 7 && found.usage?.hasInput == true && found.usage?.hasOutput == false)
  }

  @Test(
    arguments: [
      (#""usage":{"prompt_tokens":3,"total_tokens":9}"#, 3, nil), (#""usage":{"input_tokens":4}"#, 4, nil),
      (#""meta":{"billed_units":{"search_units":2}}"#, nil, 2),
      (#""meta":{"billed_units":{"search_units":1,"input_tokens":5},"tokens":{"input_tokens":6}}"#, 5, 1),
      (#""meta":{"api_version":{"version":"2"},"tokens":{"input_tokens":6}}"#, 6, nil), (#""usage":null"#, nil, nil),
      (#""usage":{"total_tokens":-1}"#, nil, nil), (#""meta":{"billed_units":{"search_units":1.5}}"#, nil, nil),
    ] as [(String, Int64?, Int64?)])
  func readsWhatWasBilled(member: String, tokens: Int64?, searches: Int64?) {
    let found = read(#"{"results":[],\#(member)}"#, .rerank)
    #expect(found.outcome == .written)
    #expect(found.usage.flatMap { $0.hasInput ? $0.inputTokens : nil } == tokens && found.usage?.searches == searches)
  }

  @Test func anImageIsNoText() {
    let found = read(
      #"{"created":1,"background":"auto","data":[{"b64_json":"[P_1]","revised_prompt":"an [P_1]"},{"url":"https://x.example/[P_1]"}],"usage":{"input_tokens":3,"input_tokens_details":{"text_tokens":3,"cached_tokens":1},"output_tokens":272,"total_tokens":275}}"#,
      .images)
    #expect(found.outcome == .written && found.pieces == 2)
    #expect(
      found.text.contains(#"{"b64_json":"[P_1]","revised_prompt":"an Ä \"x\""},{"url":"https://x.example/[P_1]"}"#))
    #expect(found.usage?.inputTokens == 3 && found.usage?.outputTokens == 272 && found.usage?.cachedTokens == 1)
  }

  @Test(arguments: [InferenceRoute.moderations, .rerank]) func whatIsNoAnswerIsNone(route: InferenceRoute) {
    for body in ["", "[]", "{}", #"{"results":{}}"#, #"{"results":[]"#, #"{"results":[]}x"#, "\u{0}"] {
      #expect(read(body, route).outcome == .malformed, "\(body)")
    }
    let failed = read(#"{"error":{"message":"no"},"usage":{"prompt_tokens":3}}"#, route)
    #expect(failed.outcome == .providerError(ByteRange(9, 25)) && failed.usage?.inputTokens == 3)
    #expect(read(#"{"error":null,"results":[]}"#, route).outcome == .written)
  }

  /// An error may have been paid for: what it says of that is read as in an answer.
  @Test(
    arguments: [
      (ProviderWire.images, #","usage":{"input_tokens":9,"output_tokens":300,"total_tokens":309}"#, 9, true),
      (.moderations, #","usage":{"prompt_tokens":3,"total_tokens":3}"#, 3, true),
      (.rerank, #","meta":{"billed_units":{"search_units":2}}"#, nil, true),
      (.transcriptions, #","usage":{"type":"duration","seconds":7}"#, nil, true),
      (.images, #","usage":{}"#, nil, false), (.transcriptions, #","duration":0.2"#, nil, false),
      (.rerank, #","meta":{"api_version":{"version":"2"}}"#, nil, false), (.speech, "", nil, false),
    ] as [(ProviderWire, String, Int64?, Bool)])
  func usageOfAnErrorIsRead(wire: ProviderWire, member: String, tokens: Int64?, isPaid: Bool) {
    let usage = withBytes(#"{"error":{"message":"no"}\#(member)}"#) { PlainAnswer().usage(ofError: $0, from: wire) }
    #expect((usage?.hasFigures ?? false) == isPaid)
    #expect(usage.flatMap { $0.hasInput ? $0.inputTokens : nil } == tokens)
    for body in ["", "no", "[]", #"{"error":{"message":"no"}\#(member)"#] {
      let none = withBytes(body) { PlainAnswer().usage(ofError: $0, from: wire) }
      #expect(none == nil)
    }
  }

  // MARK: Transcripts

  private func transcript(_ body: [UInt8], _ format: String) -> Read {
    let (answer, scan, out) = (PlainAnswer(), RequestScan(), ByteArena())
    let form = TranscriptionRequestTests.form(
      TranscriptionRequestTests.file(), TranscriptionRequestTests.field("model", "m"),
      TranscriptionRequestTests.field("response_format", format))
    withBytes(form) { _ = try? scan.scan($0, route: .transcriptions, boundary: Array("X".utf8)) }
    var restorer = MarkRestorer()
    let outcome = withBytes(body) {
      answer.read(
        $0, from: .transcriptions, for: scan, options: AnswerOptions(alias: "alias"), rewriter: &restorer, into: out)
    }
    return Read(outcome: outcome, text: out.bytes.text, usage: answer.usage, pieces: answer.pieces)
  }

  @Test(
    arguments: [
      (#","usage":{"type":"duration","seconds":7}"#, 7, nil), (#","duration":8.2"#, 9, nil),
      (#","duration":"8.0001""#, 9, nil),
      (#","duration":8.2,"usage":{"type":"duration","seconds":7.5}"#, 8, nil), (#","duration":-1"#, nil, nil),
      (#","usage":{"type":"tokens","input_tokens":14,"output_tokens":3}"#, nil, 14), (#","duration":1e99"#, nil, nil),
    ] as [(String, Int64?, Int64?)])
  func howLongItWasIsRead(member: String, seconds: Int64?, tokens: Int64?) {
    let found = transcript(
      Array(#"{"text":"an [P_1]","segments":[{"id":0,"text":"[P_1]"}]\#(member)}"#.utf8), "verbose_json")
    #expect(found.outcome == .written && found.usage?.seconds == seconds)
    #expect(found.usage.flatMap { $0.hasInput ? $0.inputTokens : nil } == tokens)
    #expect(found.text.hasPrefix(#"{"text":"an Ä \"x\"","segments":[{"id":0,"text":"Ä \"x\""}]"#))
  }

  @Test(arguments: ["text", "srt", "vtt"]) func aBareTranscriptIsTextAsItStands(format: String) {
    let found = transcript(Array("1\r\n00:00 --> 00:01\r\nan [P_1] \"\\\n".utf8), format)
    #expect(found.outcome == .written && found.text == "1\r\n00:00 --> 00:01\r\nan Ä \"x\" \"\\\n")
    #expect(transcript([], format).outcome == .written)
    #expect(transcript([0xC3, 0x28], format).outcome == .malformed)
  }

  @Test func whatIsNoTranscriptIsNone() {
    for body in ["", "{}", #"{"text":5}"#, "text", #"{"results":[]}"#] {
      #expect(transcript(Array(body.utf8), "json").outcome == .malformed, "\(body)")
    }
  }
}
