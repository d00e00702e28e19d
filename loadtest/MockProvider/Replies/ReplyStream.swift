import NIOCore

/// A ``Reply`` as a stream, one event at a time, with the script's faults; it knows no socket, clock or dialect.
struct ReplyStream {
  private enum Phase { case open, part(Int), deltas(Int), close, over }

  private var form: any ReplyForm
  private let script: Script
  private let isChunked: Bool
  private var phase = Phase.open
  private var cuts = DeltaCuts([], scalars: 1, count: nil)
  private var deltas = 0
  private var event = ByteBuffer()
  /// Bytes of each part that were written so far.
  private var sentBytes: [Int]

  /// - Parameter isChunked: Whether each event is framed as an HTTP chunk; false for HTTP/1.0.
  init(_ form: any ReplyForm, _ script: Script, isChunked: Bool) {
    self.form = form
    self.script = script
    self.isChunked = isChunked
    sentBytes = Array(repeating: 0, count: form.reply.parts.count)
  }

  /// Tokens of what was written so far.
  var completionTokens: Int { sentBytes.reduce(0) { $0 + MockUsage.tokens(inBytes: $1) } }

  /// Writes what comes next into `output`.
  mutating func next(into output: inout ByteBuffer) -> AnswerStream.Step {
    event.clear()
    switch phase {
    case .open:
      form.open(into: &event)
      phase = form.reply.parts.isEmpty ? .close : .part(0)
      return finishEvent(.event, into: &output)
    case .part(let index):
      guard form.isCut(index) else {
        // Sent whole, it counts as one delta.
        if let fault = fault(at: deltas) { return fail(fault, into: &output) }
        form.openPart(index, into: &event)
        sentBytes[index] = form.reply.parts[index].text.count
        deltas += 1
        phase = nextPart(after: index)
        return finishEvent(.delta, into: &output)
      }
      form.openPart(index, into: &event)
      cuts = Self.cuts(form.reply.parts[index].text, script)
      phase = .deltas(index)
      return finishEvent(.event, into: &output)
    case .deltas(let index): return nextDelta(index, into: &output)
    case .close:
      if let fault = fault(at: .max) { return fail(fault, into: &output) }
      form.close(into: &event)
      phase = .over
      finishEvent(into: &output)
      if isChunked { output.writeStaticString("0\r\n\r\n") }
      return .finished
    case .over: return .finished
    }
  }

  private static func cuts(_ text: [UInt8], _ script: Script) -> DeltaCuts {
    DeltaCuts(text, scalars: script.deltaScalars, count: script.kind == .endless ? nil : script.deltaCount)
  }

  private func nextPart(after index: Int) -> Phase {
    index + 1 < form.reply.parts.count ? .part(index + 1) : .close
  }

  private mutating func nextDelta(_ index: Int, into output: inout ByteBuffer) -> AnswerStream.Step {
    if let fault = fault(at: deltas) { return fail(fault, into: &output) }
    if script.kind == .garbageBody, deltas == script.after ?? 1 {
      deltas += 1
      form.writeBroken(into: &event)
      return finishEvent(.event, into: &output)
    }
    if script.kind == .garbageMiddle, deltas == script.after ?? 1 {
      deltas += 1
      output.writeStaticString("\u{0}\u{1}\u{2} neither chunk nor event \u{7F}\r\n")
      return .event
    }
    var next = cuts.next()
    if next == nil, script.kind == .endless {
      cuts = Self.cuts(form.reply.parts[index].text, script)
      next = cuts.next()
    }
    guard let text = next else {
      form.closePart(index, into: &event)
      phase = nextPart(after: index)
      return finishEvent(.event, into: &output)
    }
    deltas += 1
    sentBytes[index] += text.count
    form.writeDelta(text, part: index, into: &event)
    return finishEvent(.delta, into: &output)
  }

  /// The fault that the script wants after `count` deltas; it comes at the end of a shorter text all the same.
  private func fault(at count: Int) -> AnswerStream.Step? {
    if case .streamError = script.kind { return count >= script.after ?? 1 ? .failed : nil }
    let isLong = sentBytes.contains { $0 >= Script.endlessByteLimit }
    return script.fault(at: count, isLong: isLong)
  }

  private mutating func fail(_ fault: AnswerStream.Step, into output: inout ByteBuffer) -> AnswerStream.Step {
    guard fault == .failed, case .streamError(let status) = script.kind else { return fault }
    event.clear()
    form.writeFailure(status: status, into: &event)
    phase = .over
    finishEvent(into: &output)
    if isChunked { output.writeStaticString("0\r\n\r\n") }
    return .failed
  }

  private mutating func finishEvent(_ step: AnswerStream.Step, into output: inout ByteBuffer) -> AnswerStream.Step {
    finishEvent(into: &output)
    return step
  }

  private mutating func finishEvent(into output: inout ByteBuffer) {
    // A chunk of no bytes would end the body.
    guard event.readableBytes > 0 else { return }
    if isChunked {
      output.writeHex(event.readableBytes)
      output.writeStaticString("\r\n")
    }
    output.writeBuffer(&event)
    if isChunked { output.writeStaticString("\r\n") }
  }
}
