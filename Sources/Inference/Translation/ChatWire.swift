internal import JSONText

/// Reads OpenAI's chat completions, plain and as chunks, of whoever calls himself compatible.
final class ChatWire {
  private struct Call {
    var index: Int32
    /// In `ids`.
    var id: ByteRange
  }

  /// Both names of the thinking text may come with the same text: the first one seen counts.
  private enum ThinkingName { case reasoning, reasoningContent }

  private static let mostCalls = 1024
  private var calls: [Call] = []
  private let ids = ByteArena(capacity: 64)
  private var thinkingName: ThinkingName?

  // Of the delta that is read: where its thinking and its text end in the list, so that they come in this order.
  private var thinkingEnd = 0
  private var textEnd = 0

  func read(_ data: UnsafeRawBufferPointer, into steps: AnswerSteps) throws(JSONTextError) {
    if data.equals("[DONE]") {
      steps.isLastWord = true
      return
    }
    var cursor = try JSONCursor(data, limits: .answer)
    guard try cursor.peek() == .object else { throw JSONTextError(.unexpectedByte, at: cursor.position) }
    let begin = cursor.position
    var isErrorObject = false
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let kind = try cursor.peek()
      switch AnswerMembers.answer.exact(key, in: data) {
      case .serviceTier: steps.tier = ServiceTier(answered: try cursor.rangeOfValue().of(data))
      case .choices where kind == .array: try choices(&cursor, data, steps)
      case .usage where kind == .object: steps.usage = try Usage.read(&cursor, in: data)
      case .error where kind != .null: steps.fault = try cursor.rangeOfValue()
      case .object where kind == .string: isErrorObject = try cursor.string().range.of(data).equals("error")
      default: try cursor.skipValue()
      }
    }
    if let tier = steps.tier { steps.usage?.tier = tier }
    if isErrorObject, steps.fault == nil { steps.fault = ByteRange(begin, cursor.position) }
    try cursor.finish()
  }

  private func choices(
    _ cursor: inout JSONCursor, _ data: UnsafeRawBufferPointer, _ steps: AnswerSteps
  ) throws(JSONTextError) {
    var walk = try cursor.enterArray()
    while try cursor.nextElement(&walk) {
      guard try cursor.peek() == .object else {
        try cursor.skipValue()
        continue
      }
      steps.isAnswer = true
      let first = steps.list.count
      var index: Int32 = walk.met == 1 ? 0 : 1
      var end: AnswerEnd?
      var isUnknown = false
      var choice = try cursor.enterObject()
      while let key = try cursor.nextMember(&choice) {
        let kind = try cursor.peek()
        switch AnswerMembers.choice.exact(key, in: data) {
        case .index: index = try cursor.indexOrSkip() ?? index
        case .delta where kind == .object, .message where kind == .object: try delta(&cursor, data, steps)
        case .finishReason where kind == .string:
          let word = try cursor.string()
          guard !word.isEmpty else { continue }
          end = Self.end(word.range.of(data))
          isUnknown = end == nil
        case .logprobs where kind != .null:
          try cursor.skipValue()
          steps.lose("choices[].logprobs")
        default: try cursor.skipValue()
        }
      }
      // One answer was asked for; another one is nobody's.
      guard index == 0 else {
        steps.truncate(to: first)
        continue
      }
      steps.end = end ?? steps.end
      if isUnknown { steps.hasUnknownEnd = true }
    }
  }

  private static func end(_ word: UnsafeRawBufferPointer) -> AnswerEnd? {
    switch FinishReason(provider: word) {
    case .stop: .stop
    case .length: .length
    case .toolCalls, .functionCall: .toolCalls
    case .contentFilter: .filtered
    case nil: nil
    }
  }

  private func delta(
    _ cursor: inout JSONCursor, _ data: UnsafeRawBufferPointer, _ steps: AnswerSteps
  ) throws(JSONTextError) {
    (thinkingEnd, textEnd) = (steps.list.count, steps.list.count)
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let kind = try cursor.peek()
      switch AnswerMembers.delta.exact(key, in: data) {
      case .content where kind == .string: add(.text, try cursor.string(), steps)
      case .content where kind == .array: try parts(&cursor, data, steps, isThinking: false)
      case .refusal where kind == .string: add(.refusal, try cursor.string(), steps)
      case .reasoning where kind == .string: addThinking(.reasoning, try cursor.string(), steps)
      case .reasoningContent where kind == .string: addThinking(.reasoningContent, try cursor.string(), steps)
      case .toolCalls where kind == .array: try toolCalls(&cursor, data, steps)
      case .functionCall where kind == .object:
        var call = CallParts()
        try function(&cursor, data, steps, &call)
        add(call, index: -1, steps, data)
      case .audio where kind == .object:
        try cursor.skipValue()
        steps.lose("choices[].message.audio")
      default: try cursor.skipValue()
      }
    }
  }

  private func addThinking(_ name: ThinkingName, _ text: JSONString, _ steps: AnswerSteps) {
    guard !text.isEmpty, thinkingName == nil || thinkingName == name else { return }
    thinkingName = name
    add(.thinking, text, steps)
  }

  private func add(_ kind: AnswerStep.Kind, _ text: JSONString, _ steps: AnswerSteps) {
    guard !text.isEmpty else { return }
    let isThinking = kind == .thinking
    steps.insert(AnswerStep(kind: kind, block: -1, text: StepText(text)), at: isThinking ? thinkingEnd : textEnd)
    if isThinking { thinkingEnd += 1 }
    textEnd += 1
  }

  /// Mistral's parts: `text`, and `thinking` with parts of its own.
  private func parts(
    _ cursor: inout JSONCursor, _ data: UnsafeRawBufferPointer, _ steps: AnswerSteps, isThinking: Bool
  ) throws(JSONTextError) {
    let kind = isThinking ? AnswerStep.Kind.thinking : .text
    var walk = try cursor.enterArray()
    while try cursor.nextElement(&walk) {
      switch try cursor.peek() {
      case .string: add(kind, try cursor.string(), steps)
      case .object:
        var part = try cursor.enterObject()
        while let key = try cursor.nextMember(&part) {
          let name = key.range.of(data)
          let value = try cursor.peek()
          if name.equals("text"), value == .string {
            add(kind, try cursor.string(), steps)
          } else if name.equals("thinking"), value == .string {
            add(.thinking, try cursor.string(), steps)
          } else if name.equals("thinking"), value == .array, !isThinking {
            try parts(&cursor, data, steps, isThinking: true)
          } else {
            try cursor.skipValue()
          }
        }
      default: try cursor.skipValue()
      }
    }
  }

  // MARK: Tool calls

  private struct CallParts {
    var id: JSONString?
    var name: JSONString?
    var arguments = StepText.none
  }

  private func toolCalls(
    _ cursor: inout JSONCursor, _ data: UnsafeRawBufferPointer, _ steps: AnswerSteps
  ) throws(JSONTextError) {
    var walk = try cursor.enterArray()
    while try cursor.nextElement(&walk) {
      var index = Int32(clamping: walk.met - 1)
      guard try cursor.peek() == .object else {
        try cursor.skipValue()
        continue
      }
      var parts = CallParts()
      var call = try cursor.enterObject()
      while let key = try cursor.nextMember(&call) {
        let kind = try cursor.peek()
        switch AnswerMembers.call.exact(key, in: data) {
        case .id: parts.id = try cursor.stringOrSkip()
        case .index: index = try cursor.indexOrSkip() ?? index
        case .function where kind == .object: try function(&cursor, data, steps, &parts)
        default: try cursor.skipValue()
        }
      }
      add(parts, index: index, steps, data)
    }
  }

  private func function(
    _ cursor: inout JSONCursor, _ data: UnsafeRawBufferPointer, _ steps: AnswerSteps, _ call: inout CallParts
  ) throws(JSONTextError) {
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let kind = try cursor.peek()
      let name = key.range.of(data)
      if name.equals("name") {
        call.name = try cursor.stringOrSkip()
      } else if name.equals("arguments"), kind == .string {
        call.arguments = StepText(try cursor.string())
      } else if name.equals("arguments"), kind == .object {
        // Ollama's native form leaks through some of its relatives.
        call.arguments = steps.make(try cursor.rangeOfValue().of(data))
      } else {
        try cursor.skipValue()
      }
    }
  }

  private func add(_ call: CallParts, index: Int32, _ steps: AnswerSteps, _ data: UnsafeRawBufferPointer) {
    let place = known(call.id, index, data) ?? begin(call, index, steps, data)
    guard let place else {
      steps.isBroken = true
      return
    }
    guard !call.arguments.isEmpty else { return }
    steps.append(AnswerStep(kind: .arguments, block: Int32(clamping: place), text: call.arguments))
  }

  /// The call that a fragment continues. Some count every call as 0: another id is another call.
  private func known(_ id: JSONString?, _ index: Int32, _ data: UnsafeRawBufferPointer) -> Int? {
    guard let place = calls.lastIndex(where: { $0.index == index }) else { return nil }
    guard let id, !id.isEmpty else { return place }
    let wanted = id.range.of(data)
    return calls.lastIndex { $0.index == index && $0.id.of(ids.bytes).elementsEqual(wanted) }
  }

  private func begin(
    _ call: CallParts, _ index: Int32, _ steps: AnswerSteps, _ data: UnsafeRawBufferPointer
  ) -> Int? {
    guard let name = call.name, !name.isEmpty, calls.count < Self.mostCalls else { return nil }
    let start = ids.count
    if let id = call.id { ids.append(id.range.of(data)) }
    calls.append(Call(index: index, id: ByteRange(start, ids.count)))
    steps.append(
      AnswerStep(
        kind: .tool, block: Int32(clamping: calls.count - 1), text: StepText(name),
        id: call.id.map { StepText($0) } ?? .none))
    return calls.count - 1
  }
}
