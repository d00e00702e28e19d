public import JSONText

/// Turns a provider's file of results into the client's, line by line: its names into ours, its errors into our words, and
/// the originals into their places.
public struct BatchOutput {
  public enum Outcome: Sendable, Equatable {
    case written
    /// A rule on output forbids an answer.
    case blocked
    case malformed
  }

  /// What one answer is read as.
  private let scan = RequestScan()
  private let answer = PlainAnswer()
  private let options: AnswerOptions
  private let wire: ProviderWire
  private let requestID: String
  /// What all lines have used; nil as soon as one of them does not say it.
  public private(set) var usage: Usage? = Usage()
  public private(set) var lines = 0
  /// Those of them that are answers with status 200.
  public private(set) var answered = 0
  private let mostLines: Int
  private let mostBytes: Int
  /// Lines that nobody can read, and those of them that say whose they are.
  private var damaged = 0
  private var named = 0

  /// - Parameters:
  ///   - requestID: Stands where the provider names requests of its own.
  ///   - mostLines: More than were ever asked for is no output.
  ///   - mostBytes: What it may become: short lines grow by our words, and placeholders by what they stand for.
  public init(route: InferenceRoute, options: AnswerOptions, requestID: String, mostLines: Int, mostBytes: Int) {
    scan.begin(route)
    self.mostLines = mostLines
    self.mostBytes = mostBytes
    wire = route.ownWire ?? .chat
    self.options = options
    self.requestID = requestID
  }

  /// - Parameter rewriter: Makes one for each line.
  public mutating func read<Rewriter: AnswerRewriter>(
    _ file: UnsafeRawBufferPointer, rewriter: () -> Rewriter, into out: ByteArena
  ) -> Outcome {
    var start = file.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    while start < file.count {
      var end = start
      while end < file.count, file[end] != 0x0A { end += 1 }
      let line = ByteRange(start, end).of(file)
      start = end + 1
      guard !line.allSatisfy({ $0 == 0x20 || $0 == 0x0D }) else { continue }
      guard lines < mostLines else { return .malformed }
      var rewriter = rewriter()
      switch read(line: line, &rewriter, into: out) {
      case .written: break
      case .blocked: return .blocked
      // One line that nobody can read does not withhold the others; what it has cost, nobody knows.
      case .malformed:
        damaged += 1
        usage = nil
      }
      guard out.count <= mostBytes else { return .malformed }
    }
    return damaged == 0 || lines > named ? .written : .malformed
  }

  private struct Line {
    var name: ByteRange?
    var status: Int64?
    var body: ByteRange?
    var code: ByteRange?
  }

  private mutating func read<Rewriter: AnswerRewriter>(
    line: UnsafeRawBufferPointer, _ rewriter: inout Rewriter, into out: ByteArena
  ) -> Outcome {
    var found = Line()
    let isWhole = ObjectReader.read(line) { (name, cursor) throws(JSONTextError) in
      try Self.member(name, &cursor, line, &found)
    }
    guard let name = found.name else { return .malformed }
    lines += 1
    out.append(utf8: "{\"id\":\"batch_req_\(lines)\",\"custom_id\":\"")
    guard Self.restore(name.of(line), &rewriter, into: out) else { return .blocked }
    out.append("\",\"response\":")
    if !isWhole {
      // Whose answer it was can be read, and what it has cost cannot.
      (damaged, named) = (damaged + 1, named + 1)
      usage = nil
      (found.body, found.code) = (nil, nil)
    }
    guard let status = found.status, let body = found.body else {
      // It was never answered: expired, cancelled, or refused by the batch itself.
      out.append("null,\"error\":{\"code\":")
      let code = found.code.map { BatchWord.code($0.of(line)) } ?? "batch_error"
      JSONEscape.appendQuoted(code, to: out)
      out.append(",\"message\":")
      JSONEscape.appendQuoted(BatchWord.message(code), to: out)
      out.append("}}\n")
      return .written
    }
    return append(body.of(line), status: status, &rewriter, into: out)
  }

  private mutating func append<Rewriter: AnswerRewriter>(
    _ body: UnsafeRawBufferPointer, status: Int64, _ rewriter: inout Rewriter, into out: ByteArena
  ) -> Outcome {
    let head = out.count
    appendHead(200, to: out)
    var fault: Refusal?
    if status == 200 {
      switch answer.read(body, from: wire, for: scan, options: options, rewriter: &rewriter, into: out) {
      case .written:
        answered += 1
        add(answer.usage)
      case .blocked: return .blocked
      case .providerError(let error):
        add(answer.usage)
        fault = UpstreamFault(status: 200, body: error.of(body)).refusal
      case .malformed:
        usage = nil
        fault = UpstreamFault.malformed.refusal
      }
    } else {
      // An error costs nothing, unless it says what it has cost.
      if let told = answer.usage(ofError: body, from: wire), told.hasFigures { add(told) }
      fault = UpstreamFault(status: Int(clamping: status), body: body).refusal
    }
    if let fault {
      out.truncate(to: head)
      appendHead(fault.code.status, to: out)
      ErrorBody.append(fault, requestID: "", to: out)
    }
    out.append("},\"error\":null}\n")
    return .written
  }

  private func appendHead(_ status: Int, to out: ByteArena) {
    out.append(utf8: "{\"status_code\":\(status),\"request_id\":")
    JSONEscape.appendQuoted(requestID, to: out)
    out.append(",\"body\":")
  }

  /// Puts originals back into a name that is whole in itself.
  private static func restore<Rewriter: AnswerRewriter>(
    _ name: UnsafeRawBufferPointer, _ rewriter: inout Rewriter, into out: ByteArena
  ) -> Bool {
    let channel = AnswerChannel(choice: 0, field: .whole)
    switch rewriter.rewrite(name, channel: channel, into: out) {
    case .unchanged: out.append(name)
    case .replaced: break
    case .blocked: return false
    }
    return rewriter.flush(channel: channel, into: out) != .blocked
  }

  private mutating func add(_ told: Usage?) {
    guard var sum = usage, let told, told.hasInput, !told.isSuspect else {
      usage = nil
      return
    }
    // A prompt has taken something; and of what was written at least half must be told.
    let own = Int64(clamping: (answer.outputBytes + 3) / 4)
    guard told.inputTokens > 0, !scan.route.generates || told.hasOutput && told.outputTokens >= own / 2 else {
      usage = nil
      return
    }
    sum.inputTokens = min(sum.inputTokens &+ told.inputTokens, Usage.absurd)
    sum.cachedTokens = min(sum.cachedTokens &+ told.cachedTokens, sum.inputTokens)
    sum.outputTokens = min(sum.outputTokens &+ told.outputTokens, Usage.absurd)
    sum.reasoningTokens = min(sum.reasoningTokens &+ told.reasoningTokens, sum.outputTokens)
    usage = sum
  }

  private static func member(
    _ name: UnsafeRawBufferPointer, _ cursor: inout JSONCursor, _ line: UnsafeRawBufferPointer, _ found: inout Line
  ) throws(JSONTextError) {
    if name.equals("custom_id"), try cursor.peek() == .string {
      found.name = try cursor.string().range
    } else if name.equals("response"), try cursor.peek() == .object {
      try ObjectReader.members(&cursor, of: line) { (name, cursor) throws(JSONTextError) in
        if name.equals("status_code") {
          found.status = try ObjectReader.count(&cursor)
        } else if name.equals("body") {
          _ = try cursor.peek()
          let start = cursor.position
          try cursor.skipValue()
          found.body = ByteRange(start, cursor.position)
        } else {
          try cursor.skipValue()
        }
      }
    } else if name.equals("error"), try cursor.peek() == .object {
      try ObjectReader.members(&cursor, of: line) { (name, cursor) throws(JSONTextError) in
        guard try cursor.peek() == .string else { return try cursor.skipValue() }
        let text = try cursor.string().range
        if name.equals("code") { found.code = text }
      }
    } else {
      try cursor.skipValue()
    }
  }
}
