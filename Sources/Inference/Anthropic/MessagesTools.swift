internal import JSONText

/// Anthropic's tools: the client's own, those that Anthropic defines and the client runs, and those that the provider runs.
extension RequestScan {
  /// What a provider writes into the prompt by itself once there are tools, and for each tool that it defines: more bytes
  /// than it has ever been tokens.
  private static let toolPromptBytes = 600
  private static let definedToolBytes = 1000

  func anthropicTools(_ cursor: inout JSONCursor) throws(JSONTextError) {
    switch try cursor.peek() {
    case .array: break
    case .null:
      _ = try cursor.literal()
      return
    default: throw wrongType("tools", "an array", at: cursor)
    }
    let start = cursor.position
    var walk = try cursor.enterArray()
    var index = 0
    while try cursor.nextElement(&walk) {
      features.insert(.tools)
      guard try cursor.peek() == .object else { throw wrongType("tools[\(index)]", "an object", at: cursor) }
      try anthropicTool(&cursor, index)
      index += 1
    }
    if index > 0 { textBytes &+= Self.toolPromptBytes }
    textBytes &+= cursor.position - start  // syntax and names go into the prompt in a form of the provider's own
  }

  private func anthropicTool(_ cursor: inout JSONCursor, _ index: Int) throws(JSONTextError) {
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    var type: JSONString?
    while let key = try cursor.nextMember(&walk) {
      switch try find(MessagesMembers.tool, key, &seen, cursor, in: "tools[\(index)].") {
      case .type:
        switch try cursor.peek() {
        case .null: _ = try cursor.literal()
        case .string: type = try cursor.string()
        default: throw wrongType("tools[\(index)].type", "a string", at: cursor)
        }
        if let type { toolType(type) }
      case .name: try identifier(&cursor)
      case .inputSchema: try schema(&cursor)
      case .cacheControl: try cacheControl(&cursor)
      case .strict, .deferLoading, .eagerInputStreaming: try scalar(&cursor)
      case .allowedCallers: try callers(&cursor)
      case .description, .inputExamples: try free(&cursor)
      case nil: try unknown(key, &cursor)
      }
    }
  }

  /// A tool without type is the client's; so are those of Anthropic's that the client runs, in any of their versions.
  private func toolType(_ type: JSONString) {
    let name = type.range.of(body)
    if name.equals("custom") { return countText(type) }
    guard Self.isRunByClient(name) else {
      features.insert(.hostedTool)
      if hostedTool == nil { hostedTool = type.range }
      return addText(type, isIdentifier: true)
    }
    countText(type)
    textBytes &+= Self.definedToolBytes
  }

  /// `bash_20250124` and the like: a known name and a date.
  private static func isRunByClient(_ name: UnsafeRawBufferPointer) -> Bool {
    let dateCount = 8
    guard name.count > dateCount else { return false }
    let stem = UnsafeRawBufferPointer(rebasing: name.dropLast(dateCount))
    guard name.suffix(dateCount).allSatisfy({ $0 &- 0x30 < 10 }), name[name.count - dateCount] == 0x32 else {
      return false
    }
    return stem.equals("bash_") || stem.equals("text_editor_") || stem.equals("computer_") || stem.equals("memory_")
  }

  private func callers(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .array else { return try free(&cursor) }
    var walk = try cursor.enterArray()
    while try cursor.nextElement(&walk) { try structural(.caller, &cursor) }
  }

  func anthropicChoice(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .object else { return try free(&cursor) }
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    while let key = try cursor.nextMember(&walk) {
      switch try find(MessagesMembers.choice, key, &seen, cursor, in: "tool_choice.") {
      case .type: try structural(.anthropicChoice, &cursor)
      case .name: try identifier(&cursor)
      case nil:
        if key.range.of(body).equals("disable_parallel_tool_use") {
          try scalar(&cursor)
        } else {
          try unknown(key, &cursor)
        }
      }
    }
  }
}
