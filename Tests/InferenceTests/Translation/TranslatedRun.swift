import Inference
import JSONText

/// The pairs that are translated.
let answerPairs: [(wire: ProviderWire, route: InferenceRoute)] = {
  var pairs: [(wire: ProviderWire, route: InferenceRoute)] = []
  for wire in ProviderScript.wires {
    for route in [InferenceRoute.chat, .responses, .messages] where route.ownWire != wire {
      pairs.append((wire, route))
    }
  }
  return pairs
}()

struct TranslatedRun {
  var out: String
  var stream: TranslatedStream

  static let options = AnswerOptions(
    alias: "alias", includeUsage: true, answerID: Array("ID".utf8), created: 9, inputEstimate: 11,
    echo: Array("\"temperature\":0.5,\"tools\":[{\"type\":\"function\",\"name\":\"f\"}],".utf8))

  /// Runs a stream, cut at some places, to its end.
  /// - Parameter ends: Whether the final event is asked for, where the stream is complete.
  init<Rewriter: AnswerRewriter>(
    _ bytes: [UInt8], from wire: ProviderWire, to route: InferenceRoute, cuts: [Int] = [], rewriter: Rewriter,
    options: AnswerOptions = options, ends: Bool = true
  ) {
    var stream = TranslatedStream(from: wire, to: route, options)
    var rewriter = rewriter
    let written = ByteArena()
    var start = 0
    for cut in cuts + [bytes.count] {
      withBytes(Array(bytes[start..<cut])) { stream.feed($0, rewriter: &rewriter, into: written) }
      start = cut
    }
    stream.finish(rewriter: &rewriter, into: written)
    if ends, stream.isComplete { stream.appendEnd(to: written) }
    self.stream = stream
    out = written.text
  }

  var failure: Refusal.Code? {
    guard case .failed(let refusal) = stream.state else { return nil }
    return refusal.code
  }
}

struct TranslatedPlain {
  var outcome: PlainAnswer.Outcome
  var out: String
  var answer: PlainAnswer

  init<Rewriter: AnswerRewriter>(
    _ body: String, from wire: ProviderWire, to route: InferenceRoute, rewriter: Rewriter,
    options: AnswerOptions = TranslatedRun.options
  ) {
    // The route alone counts here; whether the body is a request of it is not asked.
    let request = RequestScan()
    withBytes("{}") { bytes in
      do throws(InferenceError) { try request.scan(bytes, route: route) } catch {}
    }
    var rewriter = rewriter
    let plain = PlainAnswer()
    let written = ByteArena()
    outcome = withBytes(body) {
      plain.read($0, from: wire, for: request, options: options, rewriter: &rewriter, into: written)
    }
    answer = plain
    out = written.text
  }
}
