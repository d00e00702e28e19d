internal import JSONText

/// Tools: what the client offers, what the model called, what the client forces.
extension RequestScan {
  func tools(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard let start = try list("tools", &cursor) else { return }
    var walk = try cursor.enterArray()
    var index = 0
    while try cursor.nextElement(&walk) {
      features.insert(.tools)
      guard try cursor.peek() == .object else { throw wrongType("tools[\(index)]", "an object", at: cursor) }
      try tool(&cursor, index)
      index += 1
    }
    textBytes &+= cursor.position - start  // syntax and names go into the prompt in a form of the provider's own
  }

  /// - Returns: Where the array begins; nil if the value was null.
  private func list(_ param: String, _ cursor: inout JSONCursor) throws(JSONTextError) -> Int? {
    switch try cursor.peek() {
    case .array: return cursor.position
    case .null:
      _ = try cursor.literal()
      return nil
    default: throw wrongType(param, "an array", at: cursor)
    }
  }

  private func tool(_ cursor: inout JSONCursor, _ index: Int) throws(JSONTextError) {
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    var type: JSONString?
    var isFunction = false
    while let key = try cursor.nextMember(&walk) {
      switch try find(Members.tool, key, &seen, cursor, in: "tools[\(index)].") {
      case .type:
        guard try cursor.peek() == .string else { throw wrongType("tools[\(index)].type", "a string", at: cursor) }
        let text = try cursor.string()
        type = text
        structural(.tool, text)
      case .function, .custom:
        isFunction = true
        try function(&cursor)
      case .name: try identifier(&cursor)
      case nil: try unknown(key, &cursor)
      }
    }
    let name = type.map { $0.range.of(body) }
    let isOwn = name.map { $0.equals("function") || $0.equals("custom") } ?? isFunction
    guard !isOwn else { return }
    features.insert(.hostedTool)
    if hostedTool == nil { hostedTool = type?.range ?? ByteRange(0, 0) }
  }

  func functions(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard let start = try list("functions", &cursor) else { return }
    var walk = try cursor.enterArray()
    while try cursor.nextElement(&walk) {
      features.insert(.tools)
      try function(&cursor)
    }
    textBytes &+= cursor.position - start
  }

  /// Reads a function: declared (`name`, `description`, `parameters`) or called (`name`, `arguments`).
  func function(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .object else { return try free(&cursor) }
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    while let key = try cursor.nextMember(&walk) {
      switch try find(Members.function, key, &seen, cursor, in: "function.") {
      case .name: try identifier(&cursor)
      case .arguments: try arguments(&cursor)
      case .parameters, .schema: try schema(&cursor)
      case .description, .input: try free(&cursor)
      case nil: try unknown(key, &cursor)
      }
    }
  }

  func toolCalls(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .array else { return try free(&cursor) }
    var walk = try cursor.enterArray()
    while try cursor.nextElement(&walk) {
      guard try cursor.peek() == .object else {
        try free(&cursor)
        continue
      }
      textBytes &+= 16
      try toolCall(&cursor)
    }
  }

  private func toolCall(_ cursor: inout JSONCursor) throws(JSONTextError) {
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    while let key = try cursor.nextMember(&walk) {
      switch try find(Members.call, key, &seen, cursor, in: "tool_calls.") {
      case .id: try identifier(&cursor)
      case .type: try structural(.call, &cursor)
      case .index: try scalar(&cursor)
      case .function, .custom: try function(&cursor)
      case nil: try unknown(key, &cursor)
      }
    }
  }

  /// Arguments are JSON in a string: each value in it is a text of depth 2. What is no JSON is one text of depth 1.
  func arguments(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .string else { return try free(&cursor) }
    let text = try cursor.string()
    var next = group &+ 1
    guard NestedJSON.appendSegments(of: text.range, in: body, group: &next, to: &segments) else {
      return addText(text)
    }
    group = next &- 1
    hasTooManyTexts = hasTooManyTexts || segments.count > JSONLimits.texts
    countText(text)
  }

  /// `tool_choice` and `function_call`: `type` and `mode` are enums, `name` names a tool.
  func toolReference(_ cursor: inout JSONCursor) throws(JSONTextError) {
    switch try cursor.peek() {
    case .string: try structural(.toolChoice, &cursor)
    case .object:
      var walk = try cursor.enterObject()
      while let key = try cursor.nextMember(&walk) {
        if !ClosedValues.toolChoiceName.contains(key, in: body) { addName(key) }
        if key.range.of(body).equals("name") { try identifier(&cursor) } else { try toolReference(&cursor) }
      }
    case .array:
      var walk = try cursor.enterArray()
      while try cursor.nextElement(&walk) { try toolReference(&cursor) }
    default: try scalar(&cursor)
    }
  }

  func responseFormat(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .object else { return try free(&cursor) }
    let start = cursor.position
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    while let key = try cursor.nextMember(&walk) {
      switch try find(Members.format, key, &seen, cursor, in: "response_format.") {
      case .type: try structural(.responseFormat, &cursor)
      case .jsonSchema:
        if try cursor.peek() == .object { features.insert(.jsonSchema) }
        try function(&cursor)
      case nil: try unknown(key, &cursor)
      }
    }
    textBytes &+= cursor.position - start
  }

  /// `prediction.content` is a string or text parts.
  func prediction(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .object else { return try free(&cursor) }
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let name = key.range.of(body)
      if name.equals("type") {
        try structural(.part, &cursor)
      } else if name.equals("content") {
        if try cursor.peek() == .array { try parts(&cursor) } else { try free(&cursor) }
      } else {
        try unknown(key, &cursor)
      }
    }
  }
}
