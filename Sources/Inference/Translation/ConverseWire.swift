internal import JSONText

/// Reads Bedrock's Converse: a plain answer, and the events of a stream by the names in their binary headers; unknown ones
/// are skipped.
final class ConverseWire {
  // MARK: A stream

  func read(_ event: BinaryEvent, into steps: AnswerSteps) throws(JSONTextError) {
    let data = event.payload
    guard event.kind == .event else {
      steps.fault = ByteRange(0, data.count)
      steps.faultStatus = Self.status(of: event)
      return
    }
    let name = event.name
    if name.equals("messageStart") {
      try JSONCursor.validate(data, limits: .answer)
      steps.isAnswer = true
    } else if name.equals("contentBlockStart") || name.equals("contentBlockDelta") || name.equals("contentBlockStop")
      || name.equals("messageStop") || name.equals("metadata")
    {
      try members(data, isStop: name.equals("contentBlockStop"), steps)
      // Behind the reason of its end comes the usage, and nothing else.
      if name.equals("metadata") { steps.isLastWord = true }
    }
  }

  private func members(
    _ data: UnsafeRawBufferPointer, isStop: Bool, _ steps: AnswerSteps
  ) throws(JSONTextError) {
    var cursor = try JSONCursor(data, limits: .answer)
    var index: Int32 = 0
    let first = steps.list.count
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let name = key.range.of(data)
      let kind = try cursor.peek()
      if name.equals("contentBlockIndex") {
        index = try cursor.indexOrSkip() ?? 0
      } else if name.equals("start"), kind == .object {
        try block(&cursor, data, steps)
      } else if name.equals("delta"), kind == .object {
        try block(&cursor, data, steps)
      } else if name.equals("stopReason") {
        takeEnd(try cursor.stringOrSkip(), data, steps)
      } else if name.equals("usage") {
        steps.usage = try ConverseFigures.read(&cursor, in: data) ?? steps.usage
      } else {
        try cursor.skipValue()
      }
    }
    try cursor.finish()
    // The index may stand behind what it belongs to.
    steps.setBlock(index, from: first)
    if isStop { steps.append(AnswerStep(kind: .blockEnded, block: index)) }
  }

  /// The one member of a content block, of its start or of its delta.
  private func block(
    _ cursor: inout JSONCursor, _ data: UnsafeRawBufferPointer, _ steps: AnswerSteps
  ) throws(JSONTextError) {
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let name = key.range.of(data)
      let kind = try cursor.peek()
      if name.equals("text"), kind == .string {
        steps.piece(.text, block: 0, try cursor.string())
      } else if name.equals("toolUse"), kind == .object {
        try toolUse(&cursor, data, steps)
      } else if name.equals("reasoningContent"), kind == .object {
        try reasoning(&cursor, data, steps)
      } else {
        try cursor.skipValue()
        steps.lose("output.message.content[]")
      }
    }
  }

  private func toolUse(
    _ cursor: inout JSONCursor, _ data: UnsafeRawBufferPointer, _ steps: AnswerSteps
  ) throws(JSONTextError) {
    var (id, name): (JSONString?, JSONString?) = (nil, nil)
    var input = StepText.none
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let member = key.range.of(data)
      let kind = try cursor.peek()
      if member.equals("toolUseId") {
        id = try cursor.stringOrSkip()
      } else if member.equals("name") {
        name = try cursor.stringOrSkip()
      } else if member.equals("input"), kind == .string {
        // A stream's pieces are strings, a plain answer's input is an object.
        input = StepText(try cursor.string())
      } else if member.equals("input"), kind == .object {
        input = steps.make(try cursor.rangeOfValue().of(data))
      } else {
        try cursor.skipValue()
      }
    }
    if let name, !name.isEmpty {
      steps.append(
        AnswerStep(kind: .tool, block: 0, text: StepText(name), id: id.map { StepText($0) } ?? .none))
    }
    if !input.isEmpty { steps.append(AnswerStep(kind: .arguments, block: 0, text: input)) }
  }

  private func reasoning(
    _ cursor: inout JSONCursor, _ data: UnsafeRawBufferPointer, _ steps: AnswerSteps
  ) throws(JSONTextError) {
    var signature: JSONString?
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let name = key.range.of(data)
      let kind = try cursor.peek()
      if name.equals("text"), kind == .string {
        steps.piece(.thinking, block: 0, try cursor.string())
      } else if name.equals("signature"), kind == .string {
        signature = try cursor.string()
      } else if name.equals("redactedContent"), kind == .string {
        steps.piece(.redacted, block: 0, try cursor.string())
      } else if name.equals("reasoningText"), kind == .object {
        try reasoning(&cursor, data, steps)
      } else {
        try cursor.skipValue()
      }
    }
    if let signature { steps.piece(.signature, block: 0, signature) }
  }

  // MARK: A plain answer

  func readAnswer(_ data: UnsafeRawBufferPointer, into steps: AnswerSteps) throws(JSONTextError) {
    var cursor = try JSONCursor(data, limits: .answer)
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let name = key.range.of(data)
      let kind = try cursor.peek()
      if name.equals("output"), kind == .object {
        try output(&cursor, data, steps)
      } else if name.equals("stopReason") {
        takeEnd(try cursor.stringOrSkip(), data, steps)
      } else if name.equals("usage") {
        steps.usage = try ConverseFigures.read(&cursor, in: data) ?? steps.usage
      } else {
        try cursor.skipValue()
      }
    }
    try cursor.finish()
  }

  private func output(
    _ cursor: inout JSONCursor, _ data: UnsafeRawBufferPointer, _ steps: AnswerSteps
  ) throws(JSONTextError) {
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let kind = try cursor.peek()
      let name = key.range.of(data)
      if name.equals("message"), kind == .object {
        try output(&cursor, data, steps)
      } else if name.equals("content"), kind == .array {
        steps.isAnswer = true
        var blocks = try cursor.enterArray()
        while try cursor.nextElement(&blocks) {
          guard try cursor.peek() == .object else {
            try cursor.skipValue()
            continue
          }
          let first = steps.list.count
          try block(&cursor, data, steps)
          let index = Int32(clamping: blocks.met - 1)
          steps.setBlock(index, from: first)
          steps.append(AnswerStep(kind: .blockEnded, block: index))
        }
      } else {
        try cursor.skipValue()
      }
    }
  }

  // MARK: Ends

  private func takeEnd(_ reason: JSONString?, _ data: UnsafeRawBufferPointer, _ steps: AnswerSteps) {
    guard let reason, !reason.isEmpty else { return }
    let word = reason.range.of(data)
    steps.end =
      word.equals("content_filtered") || word.equals("guardrail_intervened") ? .filtered : MessagesWire.end(word)
    steps.hasUnknownEnd = steps.end == nil
  }

  private static func status(of event: BinaryEvent) -> Int {
    for (name, status) in statuses where event.name.equals(name) { return status }
    return 500
  }

  private static let statuses: [(StaticString, Int)] = [
    ("throttlingException", 429), ("validationException", 400), ("accessDeniedException", 403),
    ("resourceNotFoundException", 404), ("modelTimeoutException", 504), ("serviceQuotaExceededException", 429),
    ("serviceUnavailableException", 503), ("modelNotReadyException", 429),
  ]
}
