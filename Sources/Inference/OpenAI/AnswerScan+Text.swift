internal import JSONText

/// The texts of a `delta` or `message`.
extension AnswerScan {
  func delta(_ cursor: inout JSONCursor) throws(JSONTextError) {
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      switch AnswerMembers.delta.exact(key, in: body) {
      case .role: try cursor.skipValue()
      case .content: try content(&cursor, .content)
      case .refusal: try text(&cursor, .refusal)
      case .reasoning: try text(&cursor, .reasoning)
      case .reasoningContent: try text(&cursor, .reasoningContent)
      case .toolCalls: try toolCalls(&cursor)
      case .functionCall: try function(&cursor, .functionArguments)
      case .audio: try audio(&cursor)
      case nil: try free(&cursor)
      }
    }
  }

  private func add(_ text: JSONString, _ field: AnswerChannel.Field, index: Int32 = 0) {
    guard !text.isEmpty else { return }
    spans.append(
      AnswerSpan(
        start: text.start, end: text.end, hasEscapes: text.hasEscapes,
        channel: AnswerChannel(choice: choice, index: index, field: field)))
  }

  func text(_ cursor: inout JSONCursor, _ field: AnswerChannel.Field) throws(JSONTextError) {
    guard try cursor.peek() == .string else { return try free(&cursor) }
    add(try cursor.string(), field)
  }

  /// Reads any value: each string in it is complete in itself.
  func free(_ cursor: inout JSONCursor) throws(JSONTextError) {
    switch try cursor.peek() {
    case .string: add(try cursor.string(), .whole)
    case .object:
      var walk = try cursor.enterObject()
      while try cursor.nextMember(&walk) != nil { try free(&cursor) }
    case .array:
      var walk = try cursor.enterArray()
      while try cursor.nextElement(&walk) { try free(&cursor) }
    default: try cursor.skipValue()
    }
  }

  /// Content is a string or, at Mistral, parts: `text`, and `thinking` with parts of its own.
  private func content(_ cursor: inout JSONCursor, _ field: AnswerChannel.Field) throws(JSONTextError) {
    guard try cursor.peek() == .array else { return try text(&cursor, field) }
    var walk = try cursor.enterArray()
    while try cursor.nextElement(&walk) {
      guard try cursor.peek() == .object else {
        try text(&cursor, field)
        continue
      }
      var part = try cursor.enterObject()
      while let key = try cursor.nextMember(&part) {
        let name = key.range.of(body)
        if name.equals("type") {
          try cursor.skipValue()
        } else if name.equals("text") {
          try text(&cursor, field)
        } else if name.equals("thinking"), field == .content {
          try content(&cursor, .thinking)
        } else {
          try free(&cursor)
        }
      }
    }
  }

  private func audio(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .object else { return try free(&cursor) }
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let name = key.range.of(body)
      if name.equals("transcript") {
        try text(&cursor, .transcript)
      } else if name.equals("data") || name.equals("id") {
        try cursor.skipValue()
      } else {
        try free(&cursor)
      }
    }
  }

  private func toolCalls(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .array else { return try free(&cursor) }
    var walk = try cursor.enterArray()
    var position: Int32 = 0
    while try cursor.nextElement(&walk) {
      guard try cursor.peek() == .object else {
        try free(&cursor)
        continue
      }
      let firstSpan = spans.count
      var index = position
      position &+= 1
      var call = try cursor.enterObject()
      while let key = try cursor.nextMember(&call) {
        switch AnswerMembers.call.exact(key, in: body) {
        case .id, .type: try cursor.skipValue()
        case .index: index = try self.index(&cursor) ?? index
        case .function, .custom: try function(&cursor, .toolArguments)
        case nil: try free(&cursor)
        }
      }
      for place in firstSpan..<spans.count where spans[place].channel.field == .toolArguments {
        spans[place].channel.index = index
      }
    }
  }

  private func function(_ cursor: inout JSONCursor, _ field: AnswerChannel.Field) throws(JSONTextError) {
    guard try cursor.peek() == .object else { return try free(&cursor) }
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      if AnswerMembers.function.exact(key, in: body) == .arguments, try cursor.peek() == .string {
        add(try cursor.string(), field)
      } else {
        try free(&cursor)
      }
    }
  }
}
