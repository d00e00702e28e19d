import Foundation
import Inference
import JSONText
import Testing

/// Answers of each wire and what every client gets of them, byte for byte: `Golden/answers-WIRE.txt`.
///
/// A case is `=== KIND NAME` and what the provider sends: a whole answer (`plain`), a stream, or the body of an error
/// (`status NUMBER`). For each route there follows `--- ROUTE: what is known of the answer` and the client's bytes; of a
/// stream that ends in no regular way, the dialect's error belongs to them. The line feed in front of the next mark is not
/// part of the bytes. Gemini's lines end in CRLF on the wire; a line of Converse's streams is one binary message.
/// With `TORHAUS_WRITE_GOLDEN=1` in the environment the files are written anew; read the difference before it is committed.
@Suite struct AnswerGoldenTests {
  struct Case: Sendable, CustomTestStringConvertible {
    enum Kind: Sendable { case plain, stream, status(Int) }

    let wire: ProviderWire
    let title: String
    let kind: Kind
    /// As it stands in the file.
    let written: String
    /// What follows `--- `, by route.
    let results: [String]
    var testDescription: String { "\(wire.rawValue) \(title)" }

    var bytes: [UInt8] {
      guard case .stream = kind else { return Array(written.utf8) }
      switch wire {
      case .gemini: return Array(written.replacing("\n", with: "\r\n").utf8)
      case .converse: return written.split(separator: "\n").flatMap(Self.message)
      default: return Array(written.utf8)
      }
    }

    private static func message(_ line: Substring) -> [UInt8] {
      let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
      let isException = line.hasPrefix("!")
      return ProviderScript.frame(
        isException ? String(parts[0].dropFirst()) : parts[0], parts[1], type: isException ? "exception" : "event")
    }
  }

  static let wires: [ProviderWire] = [.chat, .completions, .responses, .messages, .gemini, .converse]

  static func routes(_ wire: ProviderWire) -> [InferenceRoute] {
    switch wire {
    case .completions: [.completions]
    case .responses: [.responses]
    default: [.chat, .responses, .messages]
    }
  }

  static func file(_ wire: ProviderWire) -> URL {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Golden/answers-\(wire.rawValue).txt")
  }

  static func cases(of wire: ProviderWire) throws -> [Case] {
    let text = String(decoding: try Data(contentsOf: file(wire)).dropLast(), as: UTF8.self)
    return text.components(separatedBy: "\n=== ").dropFirst().compactMap { part in
      let sections = part.components(separatedBy: "\n--- ")
      let head = sections[0].split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let words = head[0].split(separator: " ")
      let kind: Case.Kind? =
        switch words.first {
        case "plain": .plain
        case "stream": .stream
        case "status": words.dropFirst().first.flatMap { Int($0) }.map { .status($0) }
        default: nil
        }
      guard let kind, head.count == 2 else { return nil }
      return Case(wire: wire, title: head[0], kind: kind, written: head[1], results: Array(sections.dropFirst()))
    }
  }

  // MARK: What the client gets

  static let requestID = "req_1"

  static func result(_ item: Case, _ route: InferenceRoute) -> String {
    switch item.kind {
    case .plain: plain(item, route)
    case .stream: stream(item, route, chunks: [item.bytes])
    case .status(let status): error(item, status, route)
    }
  }

  static func stream(_ item: Case, _ route: InferenceRoute, chunks: [[UInt8]]) -> String {
    var stream = AnswerStream(from: item.wire, to: route, TranslatedRun.options)
    var rewriter = UnchangedText()
    let out = ByteArena()
    for chunk in chunks { withBytes(chunk) { stream.feed($0, rewriter: &rewriter, into: out) } }
    stream.finish(rewriter: &rewriter, into: out)
    var facts = "complete"
    if stream.isComplete {
      stream.appendEnd(to: out)
    } else if case .failed(let refusal) = stream.state {
      facts = "failed \(refusal.code.rawValue)"
      stream.appendError(refusal, requestID: requestID, to: out)
    } else {
      facts = "cut"
      stream.appendError(UpstreamFault.cut.refusal, requestID: requestID, to: out)
    }
    return "\(route.rawValue): \(facts)" + figures(stream.usage, ours: stream.outputBytes) + "\n" + out.text
  }

  private static func plain(_ item: Case, _ route: InferenceRoute) -> String {
    let plain = TranslatedPlain(item.written, from: item.wire, to: route, rewriter: UnchangedText())
    let dropped = plain.answer.dropped.isEmpty ? "" : "; dropped \(plain.answer.dropped.joined(separator: ", "))"
    let facts = figures(plain.answer.usage, ours: plain.answer.outputBytes) + dropped + "\n"
    switch plain.outcome {
    case .written: return "\(route.rawValue): written\(facts)\(plain.out)"
    case .providerError(let range):
      return withBytes(item.written) { body in
        errorBody(UpstreamFault(status: 200, body: range.of(body)), route, facts)
      }
    case .blocked: return "\(route.rawValue): blocked\(facts)"
    case .malformed: return errorBody(.malformed, route, facts)
    }
  }

  private static func error(_ item: Case, _ status: Int, _ route: InferenceRoute) -> String {
    withBytes(item.bytes) { body in
      let usage = PlainAnswer().usage(ofError: body, from: item.wire)
      return errorBody(UpstreamFault(status: status, body: body), route, figures(usage, ours: nil) + "\n")
    }
  }

  private static func errorBody(_ fault: UpstreamFault, _ route: InferenceRoute, _ facts: String) -> String {
    let out = ByteArena()
    ErrorBody.append(fault.refusal, requestID: requestID, dialect: route.dialect, to: out)
    let code = fault.refusal.code
    return "\(route.rawValue): error \(code.rawValue), status \(code.status(in: route.dialect))\(facts)\(out.text)"
  }

  /// - Parameter ours: Our own count of bytes; nil where nothing is counted.
  private static func figures(_ usage: Usage?, ours: Int?) -> String {
    var text = ours.map { "; \($0) bytes of text" } ?? ""
    guard let usage else { return text + "; no usage" }
    if usage.hasInput {
      text +=
        "; input \(usage.inputTokens), cached \(usage.cachedTokens), written \(usage.cacheWriteTokens), "
        + "for an hour \(usage.cacheWrite1hTokens)"
    }
    if usage.hasOutput { text += "; output \(usage.outputTokens), reasoning \(usage.reasoningTokens)" }
    return text + (usage.isSuspect ? "; suspect" : "")
  }

  // MARK: Tests

  @Test(arguments: wires)
  func isAsWritten(wire: ProviderWire) throws {
    let cases = try Self.cases(of: wire)
    if ProcessInfo.processInfo.environment["TORHAUS_WRITE_GOLDEN"] == "1" { return try write(cases, of: wire) }
    #expect(cases.count >= (wire == .completions ? 4 : 17))
    for item in cases {
      #expect(item.results == Self.routes(wire).map { Self.result(item, $0) }, "\(item)")
    }
  }

  /// However a stream is split, its client gets the same bytes: in single bytes, and in two parts.
  @Test(arguments: wires)
  func aStreamIsTheSameHoweverItIsSplit(wire: ProviderWire) throws {
    for item in try Self.cases(of: wire) {
      guard case .stream = item.kind else { continue }
      let bytes = item.bytes
      for (route, result) in zip(Self.routes(wire), item.results) {
        #expect(Self.stream(item, route, chunks: bytes.map { [$0] }) == result, "\(item) byte by byte")
        for cut in stride(from: 1, to: bytes.count, by: 7) {
          let halves = [Array(bytes[..<cut]), Array(bytes[cut...])]
          #expect(Self.stream(item, route, chunks: halves) == result, "\(item) cut at \(cut)")
        }
      }
    }
  }

  /// What stands in the files is JSON, event by event, on both sides.
  @Test(arguments: wires)
  func goldenAnswersAreJSON(wire: ProviderWire) throws {
    for item in try Self.cases(of: wire) {
      var texts = item.results.map { $0.split(separator: "\n", maxSplits: 1).dropFirst().joined() }
      if wire != .converse { texts.append(item.written) }
      for text in texts {
        var values = [text]
        if text.contains("data: ") {
          values = text.split(separator: "\n").filter { $0.hasPrefix("data: {") }.map { String($0.dropFirst(6)) }
        }
        for value in values {
          #expect(throws: Never.self, "\(item): \(value)") {
            _ = try JSONSerialization.jsonObject(with: Data(value.utf8))
          }
        }
      }
    }
  }

  private func write(_ cases: [Case], of wire: ProviderWire) throws {
    let file = Self.file(wire)
    var text = try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n=== ").first ?? ""
    for item in cases {
      text += "\n=== \(item.title)\n\(item.written)"
      for route in Self.routes(wire) { text += "\n--- \(Self.result(item, route))" }
    }
    try Data((text + "\n").utf8).write(to: file)
  }
}
