import NIOCore

/// A chat answer as server-sent events, one at a time; it writes and decides, and knows no socket or clock.
struct AnswerStream {
  enum Step: Equatable {
    /// An event that is no part of the text; the next may follow at once.
    case event
    /// A piece of the text; the script's delay follows.
    case delta
    case finished
    case cut, reset, stall
    /// An error was said inside the stream, which is over.
    case failed
  }
  private enum Phase { case role, deltas, finish, usage, done, over }

  private let answer: Answer
  private let script: Script
  private let isChunked: Bool
  private let wantsUsage: Bool
  private var cuts: DeltaCuts
  private var phase = Phase.role
  private var deltas = 0
  private var opening = ByteBuffer()
  private var event = ByteBuffer()
  /// Bytes of the text (or the arguments) that were written so far.
  private(set) var textBytes = 0

  /// - Parameter isChunked: Whether each event is framed as an HTTP chunk; false for HTTP/1.0.
  init(_ answer: Answer, _ identity: AnswerIdentity, _ script: Script, wantsUsage: Bool, isChunked: Bool) {
    self.answer = answer
    self.script = script
    self.isChunked = isChunked
    self.wantsUsage = wantsUsage && script.reportsUsage
    cuts = Self.cuts(answer, script)
    opening.writeStaticString("data: ")
    identity.open("chat.completion.chunk", into: &opening)
    opening.writeStaticString(",\"system_fingerprint\":\"fp_mock\",\"choices\":[")
    call.writeStaticString("\"id\":\"call_mock")
    identity.writeNumber(into: &call)
    call.writeStaticString("\",\"type\":\"function\",")
  }

  private var call = ByteBuffer()

  private static func cuts(_ answer: Answer, _ script: Script) -> DeltaCuts {
    DeltaCuts(
      answer.text, scalars: script.deltaScalars, count: script.kind == .endless ? nil : script.deltaCount)
  }

  /// Writes what comes next into `output`.
  mutating func next(into output: inout ByteBuffer) -> Step {
    switch phase {
    case .role:
      phase = .deltas
      beginChoice()
      event.writeStaticString("\"role\":\"assistant\",\"content\":")
      if let name = answer.toolName {
        event.writeStaticString("null,\"tool_calls\":[{\"index\":0,")
        event.writeImmutableBuffer(call)
        event.writeStaticString("\"function\":{\"name\":\"")
        JSONStringText.encode(name[...], into: &event)
        event.writeStaticString("\",\"arguments\":\"\"}}]")
      } else {
        event.writeStaticString("\"\"")
      }
      endChoice(finishReason: nil)
      frame(into: &output)
      return .event
    case .deltas: return nextDelta(into: &output)
    case .finish:
      phase = wantsUsage ? .usage : .done
      beginChoice()
      endChoice(finishReason: answer.finishReason)
      frame(into: &output)
      return .event
    case .usage:
      phase = .done
      event.clear()
      event.writeImmutableBuffer(opening)
      event.writeStaticString("],\"usage\":")
      AnswerIdentity.writeUsage(answer.usage, lie: script.usageLie, into: &event)
      event.writeStaticString("}\n\n")
      frame(into: &output)
      return .event
    case .done:
      phase = .over
      event.clear()
      event.writeStaticString("data: [DONE]\n\n")
      frame(into: &output)
      if isChunked { output.writeStaticString("0\r\n\r\n") }
      return .finished
    case .over: return .finished
    }
  }

  private mutating func nextDelta(into output: inout ByteBuffer) -> Step {
    if let fault = fault(at: deltas) { return fault }
    if script.kind == .garbageBody, deltas == script.after ?? 1 {
      deltas += 1
      event.clear()
      event.writeStaticString("data: {\"id\":\"chatcmpl-mock\",\"choices\":[{\"delta\":{\"content\":\"brok\n\n")
      frame(into: &output)
      return .event
    }
    if script.kind == .garbageMiddle, deltas == script.after ?? 1 {
      deltas += 1
      output.writeStaticString("\u{0}\u{1}\u{2} neither chunk nor event \u{7F}\r\n")
      return .event
    }
    var next = cuts.next()
    if next == nil, script.kind == .endless {
      cuts = Self.cuts(answer, script)
      next = cuts.next()
    }
    guard let text = next else {
      phase = .finish
      return fault(at: .max) ?? self.next(into: &output)
    }
    deltas += 1
    textBytes += text.count
    beginChoice()
    if answer.toolName == nil {
      event.writeStaticString("\"content\":\"")
      JSONStringText.encode(text, into: &event)
      event.writeStaticString("\"")
    } else {
      event.writeStaticString("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"")
      JSONStringText.encode(text, into: &event)
      event.writeStaticString("\"}}]")
    }
    endChoice(finishReason: nil)
    frame(into: &output)
    return .delta
  }

  /// The fault that the script wants after `count` deltas; at the end of a text that is too short it comes all the same.
  private func fault(at count: Int) -> Step? {
    script.fault(at: count, isLong: textBytes >= Script.endlessByteLimit)
  }

  private mutating func beginChoice() {
    event.clear()
    event.writeImmutableBuffer(opening)
    event.writeStaticString("{\"index\":0,\"delta\":{")
  }

  private mutating func endChoice(finishReason: StaticString?) {
    event.writeStaticString("},\"logprobs\":null,\"finish_reason\":")
    if let finishReason {
      event.writeStaticString("\"")
      event.writeStaticString(finishReason)
      event.writeStaticString("\"}]")
    } else {
      event.writeStaticString("null}]")
    }
    if wantsUsage { event.writeStaticString(",\"usage\":null") }
    event.writeStaticString("}\n\n")
  }

  private mutating func frame(into output: inout ByteBuffer) {
    if isChunked {
      output.writeHex(event.readableBytes)
      output.writeStaticString("\r\n")
    }
    output.writeBuffer(&event)
    if isChunked { output.writeStaticString("\r\n") }
  }
}
