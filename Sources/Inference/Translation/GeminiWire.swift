internal import JSONText

/// Reads Gemini's `GenerateContentResponse`: a plain answer and each chunk of a stream look the same. There is no last
/// word: an answer that has a finish reason is whole where its stream ends.
final class GeminiWire {
  private struct Part {
    var text: JSONString?
    var isThought = false
    var signature: JSONString?
    var callID: JSONString?
    var callName: JSONString?
    var callArguments = StepText.none
  }

  private var calls: Int32 = 0

  func read(_ data: UnsafeRawBufferPointer, into steps: AnswerSteps) throws(JSONTextError) {
    var cursor = try JSONCursor(data, limits: .answer)
    // An error may come as an array of errors.
    if try cursor.peek() == .array {
      try errors(&cursor, data, steps)
      return try cursor.finish()
    }
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let name = key.range.of(data)
      let kind = try cursor.peek()
      if name.equals("candidates"), kind == .array {
        try candidates(&cursor, data, steps)
      } else if name.equals("usageMetadata") {
        steps.usage = try GeminiFigures.read(&cursor, in: data) ?? steps.usage
        steps.isAnswer = true
      } else if name.equals("promptFeedback"), kind == .object {
        try feedback(&cursor, data, steps)
      } else if name.equals("error"), kind != .null {
        steps.fault = try cursor.rangeOfValue()
      } else {
        try cursor.skipValue()
      }
    }
    try cursor.finish()
  }

  /// - Throws: ``JSONTextError`` for an array that tells of no error: what it is was paid for.
  private func errors(
    _ cursor: inout JSONCursor, _ data: UnsafeRawBufferPointer, _ steps: AnswerSteps
  ) throws(JSONTextError) {
    let begin = cursor.position
    var isError = false
    var walk = try cursor.enterArray()
    while try cursor.nextElement(&walk) {
      guard try cursor.peek() == .object else {
        try cursor.skipValue()
        continue
      }
      var element = try cursor.enterObject()
      while let key = try cursor.nextMember(&element) {
        if key.range.of(data).equals("error"), try cursor.peek() != .null { isError = true }
        try cursor.skipValue()
      }
    }
    guard isError else { throw JSONTextError(.unexpectedByte, at: begin) }
    steps.fault = ByteRange(begin, cursor.position)
  }

  /// A prompt that is blocked has no candidates.
  private func feedback(
    _ cursor: inout JSONCursor, _ data: UnsafeRawBufferPointer, _ steps: AnswerSteps
  ) throws(JSONTextError) {
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      guard key.range.of(data).equals("blockReason") else {
        try cursor.skipValue()
        continue
      }
      if let reason = try cursor.stringOrSkip(), !reason.isEmpty,
        !reason.range.of(data).equals("BLOCK_REASON_UNSPECIFIED")
      {
        steps.isAnswer = true
        steps.end = .filtered
      }
    }
  }

  private func candidates(
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
      let firstCall = calls
      var index: Int32 = walk.met == 1 ? 0 : 1
      var reason: JSONString?
      var candidate = try cursor.enterObject()
      while let key = try cursor.nextMember(&candidate) {
        let name = key.range.of(data)
        let kind = try cursor.peek()
        if name.equals("content"), kind == .object {
          try content(&cursor, data, steps)
        } else if name.equals("finishReason") {
          reason = try cursor.stringOrSkip()
        } else if name.equals("index") {
          index = try cursor.indexOrSkip() ?? index
        } else if name.equals("groundingMetadata") || name.equals("citationMetadata") {
          try cursor.skipValue()
          if name.equals("citationMetadata") {
            steps.lose("candidates[].citationMetadata")
          } else {
            steps.lose("candidates[].groundingMetadata")
          }
        } else {
          try cursor.skipValue()
        }
      }
      // One answer was asked for; another one is nobody's.
      guard index == 0 else {
        steps.truncate(to: first)
        calls = firstCall
        continue
      }
      guard let reason, !reason.isEmpty else { continue }
      steps.end = Self.end(reason.range.of(data))
      steps.hasUnknownEnd = steps.end == nil
    }
  }

  /// `MALFORMED_FUNCTION_CALL`, `UNEXPECTED_TOOL_CALL`, `MISSING_THOUGHT_SIGNATURE`, `OTHER` and all that is new mean
  /// failure: no reason is invented for them.
  private static func end(_ word: UnsafeRawBufferPointer) -> AnswerEnd? {
    if word.equals("STOP") { return .stop }
    if word.equals("MAX_TOKENS") { return .length }
    for name in filters where word.equals(name) { return .filtered }
    return nil
  }

  private static let filters: [StaticString] = [
    "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR",
  ]

  private func content(
    _ cursor: inout JSONCursor, _ data: UnsafeRawBufferPointer, _ steps: AnswerSteps
  ) throws(JSONTextError) {
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      guard key.range.of(data).equals("parts"), try cursor.peek() == .array else {
        try cursor.skipValue()
        continue
      }
      var parts = try cursor.enterArray()
      while try cursor.nextElement(&parts) {
        guard try cursor.peek() == .object else {
          try cursor.skipValue()
          continue
        }
        try part(&cursor, data, steps)
      }
    }
  }

  private func part(
    _ cursor: inout JSONCursor, _ data: UnsafeRawBufferPointer, _ steps: AnswerSteps
  ) throws(JSONTextError) {
    var part = Part()
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let name = key.range.of(data)
      let kind = try cursor.peek()
      if name.equals("text") {
        part.text = try cursor.stringOrSkip()
      } else if name.equals("thought"), kind == .true {
        part.isThought = true
        try cursor.skipValue()
      } else if name.equals("thoughtSignature") || name.equals("thought_signature") {
        part.signature = try cursor.stringOrSkip()
      } else if name.equals("functionCall"), kind == .object {
        try call(&cursor, data, steps, &part)
      } else if kind == .object {
        // Code that the provider ran, media: not asked for, and without a form elsewhere.
        try cursor.skipValue()
        steps.lose("candidates[].content.parts[]")
      } else {
        try cursor.skipValue()
      }
    }
    if let name = part.callName, !name.isEmpty {
      let block = calls
      calls &+= 1
      steps.append(
        AnswerStep(
          kind: .tool, block: block, text: StepText(name), id: part.callID.map { StepText($0) } ?? .none,
          seal: part.signature.map { StepText($0) } ?? .none))
      if !part.callArguments.isEmpty {
        steps.append(AnswerStep(kind: .arguments, block: block, text: part.callArguments))
      }
      // A call comes whole.
      steps.append(AnswerStep(kind: .blockEnded, block: block))
      return
    }
    if let text = part.text { steps.piece(part.isThought ? .thinking : .text, block: -1, text) }
    // Only a call must bring its signature back; without a call its text may go without.
    if part.signature != nil { steps.lose("candidates[].content.parts[].thoughtSignature") }
  }

  private func call(
    _ cursor: inout JSONCursor, _ data: UnsafeRawBufferPointer, _ steps: AnswerSteps, _ part: inout Part
  ) throws(JSONTextError) {
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let name = key.range.of(data)
      let kind = try cursor.peek()
      if name.equals("name") {
        part.callName = try cursor.stringOrSkip()
      } else if name.equals("id") {
        part.callID = try cursor.stringOrSkip()
      } else if name.equals("args"), kind == .object {
        part.callArguments = steps.make(try cursor.rangeOfValue().of(data))
      } else {
        try cursor.skipValue()
      }
    }
    // A nameless call cannot be made, and must not vanish.
    if part.callName?.isEmpty ?? true { steps.isBroken = true }
  }
}
