internal import JSONText

/// Reads Anthropic's messages: a plain one, and the events of a stream by their `type`; unknown ones are skipped.
final class MessagesWire {
  /// What a block's deltas may bring.
  private enum BlockKind {
    case text, thinking, tool
    /// A tool call whose input was whole at its start.
    case wholeTool
    /// Nothing that another dialect has a form for.
    case other
  }

  private struct Block {
    var type: JSONString?
    var id: JSONString?
    var name: JSONString?
    var text: JSONString?
    var thinking: JSONString?
    var signature: JSONString?
    var data: JSONString?
    /// Of an object.
    var input: ByteRange?
    var hasCitations = false
  }

  private struct Delta {
    var text: JSONString?
    var thinking: JSONString?
    var signature: JSONString?
    var json: JSONString?
    var stopReason: JSONString?
  }

  private static let mostOpen = 64
  private var open: [(index: Int32, kind: BlockKind)] = []
  private var figures: MessagesUsage?

  func read(_ data: UnsafeRawBufferPointer, into steps: AnswerSteps) throws(JSONTextError) {
    // Compatible servers keep alive without data, and end as OpenAI does.
    guard data.count > 0, !data.equals("[DONE]") else { return }
    var cursor = try JSONCursor(data, limits: .answer)
    var (type, stopReason): (JSONString?, JSONString?) = (nil, nil)
    var index: Int32 = 0
    var block = Block()
    var delta = Delta()
    var fault: ByteRange?
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let name = key.range.of(data)
      let kind = try cursor.peek()
      if name.equals("type") {
        type = try cursor.stringOrSkip()
      } else if name.equals("index") {
        index = try cursor.indexOrSkip() ?? 0
      } else if name.equals("content_block"), kind == .object {
        block = try readBlock(&cursor, data)
      } else if name.equals("delta"), kind == .object {
        delta = try readDelta(&cursor, data)
      } else if name.equals("message"), kind == .object {
        try start(&cursor, data, steps)
      } else if name.equals("usage"), kind == .object {
        takeUsage(try MessagesUsage.read(&cursor, in: data), isFinal: true, steps)
      } else if name.equals("content"), kind == .array {
        try content(&cursor, data, steps)
      } else if name.equals("stop_reason") {
        stopReason = try cursor.stringOrSkip()
      } else if name.equals("error"), kind != .null {
        fault = try cursor.rangeOfValue()
      } else {
        try cursor.skipValue()
      }
    }
    try cursor.finish()
    if let fault {
      (steps.fault, steps.faultStatus) = (fault, Self.status(of: fault.of(data)))
      return
    }
    guard let type else { return }
    try act(type.range.of(data), index, block, delta, stopReason, data, steps)
  }

  private func act(
    _ type: UnsafeRawBufferPointer, _ index: Int32, _ block: Block, _ delta: Delta, _ stopReason: JSONString?,
    _ data: UnsafeRawBufferPointer, _ steps: AnswerSteps
  ) throws(JSONTextError) {
    if type.equals("content_block_delta") {
      take(delta, index, steps)
    } else if type.equals("content_block_start") {
      let kind = begin(block, index, data, steps)
      open.removeAll { $0.index == index }
      if open.count >= Self.mostOpen { steps.isBroken = true } else { open.append((index, kind)) }
    } else if type.equals("content_block_stop") {
      guard let place = open.firstIndex(where: { $0.index == index }) else { return }
      open.remove(at: place)
      steps.append(AnswerStep(kind: .blockEnded, block: index))
    } else if type.equals("message_delta") {
      takeEnd(delta.stopReason, data, steps)
    } else if type.equals("message_start") {
      steps.isAnswer = true
    } else if type.equals("message_stop") {
      steps.isLastWord = true
    } else if type.equals("message") {
      steps.isAnswer = true
      takeEnd(stopReason, data, steps)
    } else if type.equals("error") {
      // Some who are compatible leave out the object around what they say.
      steps.fault = ByteRange(0, data.count)
    }
  }

  // MARK: Parts

  private func start(
    _ cursor: inout JSONCursor, _ data: UnsafeRawBufferPointer, _ steps: AnswerSteps
  ) throws(JSONTextError) {
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      if key.range.of(data).equals("usage"), try cursor.peek() == .object {
        // Of the output it tells only a beginning.
        takeUsage(try MessagesUsage.read(&cursor, in: data), isFinal: false, steps)
      } else {
        try cursor.skipValue()
      }
    }
  }

  private func takeUsage(_ found: MessagesUsage, isFinal: Bool, _ steps: AnswerSteps) {
    var sum = found
    if var earlier = figures {
      earlier.update(by: found)
      sum = earlier
    }
    figures = sum
    let usage = sum.sum(isFinal: isFinal)
    if usage.hasInput || usage.hasOutput || usage.isSuspect { steps.usage = usage }
  }

  /// The blocks of a plain message.
  private func content(
    _ cursor: inout JSONCursor, _ data: UnsafeRawBufferPointer, _ steps: AnswerSteps
  ) throws(JSONTextError) {
    var walk = try cursor.enterArray()
    while try cursor.nextElement(&walk) {
      guard try cursor.peek() == .object else {
        try cursor.skipValue()
        continue
      }
      let index = Int32(clamping: walk.met - 1)
      _ = begin(try readBlock(&cursor, data), index, data, steps)
      steps.append(AnswerStep(kind: .blockEnded, block: index))
    }
  }

  private func readBlock(
    _ cursor: inout JSONCursor, _ data: UnsafeRawBufferPointer
  ) throws(JSONTextError) -> Block {
    var block = Block()
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let name = key.range.of(data)
      let kind = try cursor.peek()
      if name.equals("type") {
        block.type = try cursor.stringOrSkip()
      } else if name.equals("id") {
        block.id = try cursor.stringOrSkip()
      } else if name.equals("name") {
        block.name = try cursor.stringOrSkip()
      } else if name.equals("text") {
        block.text = try cursor.stringOrSkip()
      } else if name.equals("thinking") {
        block.thinking = try cursor.stringOrSkip()
      } else if name.equals("signature") {
        block.signature = try cursor.stringOrSkip()
      } else if name.equals("data") {
        block.data = try cursor.stringOrSkip()
      } else if name.equals("input"), kind == .object {
        block.input = try cursor.rangeOfValue()
      } else if name.equals("citations"), kind == .array {
        let start = cursor.position
        try cursor.skipValue()
        block.hasCitations = cursor.position - start > 2
      } else {
        try cursor.skipValue()
      }
    }
    return block
  }

  private func readDelta(
    _ cursor: inout JSONCursor, _ data: UnsafeRawBufferPointer
  ) throws(JSONTextError) -> Delta {
    var delta = Delta()
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let name = key.range.of(data)
      if name.equals("text") {
        delta.text = try cursor.stringOrSkip()
      } else if name.equals("partial_json") {
        delta.json = try cursor.stringOrSkip()
      } else if name.equals("thinking") {
        delta.thinking = try cursor.stringOrSkip()
      } else if name.equals("signature") {
        delta.signature = try cursor.stringOrSkip()
      } else if name.equals("stop_reason") {
        delta.stopReason = try cursor.stringOrSkip()
      } else {
        try cursor.skipValue()
      }
    }
    return delta
  }

  // MARK: Steps

  private func begin(
    _ block: Block, _ index: Int32, _ data: UnsafeRawBufferPointer, _ steps: AnswerSteps
  ) -> BlockKind {
    guard let type = block.type?.range.of(data) else { return .other }
    if type.equals("text") {
      if let text = block.text { steps.piece(.text, block: index, text) }
      if block.hasCitations { steps.lose("content[].citations") }
      return .text
    }
    if type.equals("thinking") {
      if let text = block.thinking { steps.piece(.thinking, block: index, text) }
      if let signature = block.signature { steps.piece(.signature, block: index, signature) }
      return .thinking
    }
    if type.equals("redacted_thinking") {
      if let data = block.data { steps.piece(.redacted, block: index, data) }
      return .other
    }
    guard type.equals("tool_use"), let name = block.name, !name.isEmpty else {
      // Hosted tools were not asked for: what they leave in an answer has no form elsewhere.
      steps.lose("content[]")
      return .other
    }
    steps.append(
      AnswerStep(
        kind: .tool, block: index, text: StepText(name), id: block.id.map { StepText($0) } ?? .none))
    guard let input = block.input?.of(data), Self.hasMembers(input) else { return .tool }
    steps.append(AnswerStep(kind: .arguments, block: index, text: steps.make(input)))
    return .wholeTool
  }

  /// Whether an object is more than `{}`.
  private static func hasMembers(_ object: UnsafeRawBufferPointer) -> Bool { object.contains(0x22) }

  private func take(_ delta: Delta, _ index: Int32, _ steps: AnswerSteps) {
    guard let kind = open.first(where: { $0.index == index })?.kind else {
      // A piece of a block that never began, or is over, has no place; in silence it must not be lost.
      for said in [delta.text, delta.thinking, delta.json] where said?.isEmpty == false { steps.isBroken = true }
      return
    }
    switch kind {
    case .text: if let text = delta.text { steps.piece(.text, block: index, text) }
    case .thinking:
      if let text = delta.thinking { steps.piece(.thinking, block: index, text) }
      if let signature = delta.signature { steps.piece(.signature, block: index, signature) }
    case .tool: if let json = delta.json { steps.piece(.arguments, block: index, json) }
    case .wholeTool, .other: break
    }
  }

  private func takeEnd(_ reason: JSONString?, _ data: UnsafeRawBufferPointer, _ steps: AnswerSteps) {
    guard let reason, !reason.isEmpty else { return }
    steps.end = Self.end(reason.range.of(data))
    steps.hasUnknownEnd = steps.end == nil
  }

  static func end(_ word: UnsafeRawBufferPointer) -> AnswerEnd? {
    if word.equals("end_turn") || word.equals("pause_turn") { return .stop }
    if word.equals("stop_sequence") { return .stopSequence }
    if word.equals("max_tokens") { return .length }
    if word.equals("model_context_window_exceeded") { return .contextWindow }
    if word.equals("tool_use") { return .toolCalls }
    return word.equals("refusal") ? .filtered : nil
  }

  /// The status that an error inside of a stream would have had.
  private static func status(of error: UnsafeRawBufferPointer) -> Int {
    do throws(JSONTextError) {
      var cursor = try JSONCursor(error, limits: .answer)
      guard try cursor.peek() == .object else { return 200 }
      var walk = try cursor.enterObject()
      while let key = try cursor.nextMember(&walk) {
        guard key.range.of(error).equals("type"), let type = try cursor.stringOrSkip() else {
          if !key.range.of(error).equals("type") { try cursor.skipValue() }
          continue
        }
        let word = type.range.of(error)
        for (name, status) in statuses where word.equals(name) { return status }
      }
    } catch {
      return 200
    }
    return 200
  }

  private static let statuses: [(StaticString, Int)] = [
    ("invalid_request_error", 400), ("authentication_error", 401), ("billing_error", 402), ("permission_error", 403),
    ("not_found_error", 404), ("request_too_large", 413), ("rate_limit_error", 429), ("api_error", 500),
    ("timeout_error", 504), ("overloaded_error", 529),
  ]
}
