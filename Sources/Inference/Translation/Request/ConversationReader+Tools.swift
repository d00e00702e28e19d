internal import JSONText

/// Tools, their choice, and the form of the output.
extension ConversationReader {
  // MARK: Tools

  /// Reads the tools of any of the three dialects; hosted ones have no counterpart and are named.
  mutating func readTools(at place: Place) throws(JSONTextError) {
    if try isNull() { return }
    var walk = try array(place.path)
    var index = 0
    while try cursor.nextElement(&walk) {
      let here = place.at(.tools, index)
      index += 1
      guard try cursor.peek() == .object else { throw wrongType(here.path, "an object") }
      try readTool(at: here)
    }
  }

  private mutating func readTool(at place: Place) throws(JSONTextError) {
    let start = cursor.mark
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    let type = try lead(.specType, &walk, &seen)
    let kind = value(type, of: TranslationTables.specType)
    let isOwn = type == nil || kind == .function || kind == .custom
    // What Anthropic calls custom is a function; OpenAI's custom tools take free text.
    let isFreeText = kind == .custom && talk.source != .messages
    guard isOwn, !isFreeText || takes.takesCustomTool else {
      cursor.rewind(to: start)
      try cursor.skipValue()
      return dropped.add(place.path)
    }
    var tool = Tool(name: ByteRange(0, 0), place: place)
    tool.isCustom = isFreeText
    try readToolMembers(&tool, at: place, isNested: false, &walk, &seen)
    guard !tool.name.isEmpty else {
      throw refuse(.missingRequiredParameter, place.member("name"), "'\(place.member("name"))' is missing.")
    }
    talk.tools.append(tool)
  }

  /// Reads the `function` in a tool, or a tool of chat's older form.
  mutating func readFunctionTool(_ tool: inout Tool, at place: Place) throws(JSONTextError) {
    var walk = try object(place.path)
    var seen: UInt64 = 0
    try readToolMembers(&tool, at: place, isNested: true, &walk, &seen)
  }

  private mutating func readToolMembers(
    _ tool: inout Tool, at place: Place, isNested: Bool, _ walk: inout JSONWalk, _ seen: inout UInt64
  ) throws(JSONTextError) {
    while let key = try cursor.nextMember(&walk) {
      switch try find(TranslationTables.spec, key, &seen, place) {
      case .type where !isNested: try cursor.skipValue()
      case .function where !isNested && talk.source == .chat:
        try readFunctionTool(&tool, at: place.at(.function))
      case .name: tool.name = try string(place.member("name"))
      case .description: tool.description = try optionalString(place.member("description"))
      case .parameters where talk.source != .messages, .inputSchema where talk.source == .messages:
        try readSchema(of: &tool, place)
      case .strict:
        tool.strict = try boolean(place.member("strict"))
        if tool.strict == true, !takes.takesStrictTool { dropped.add(place.member("strict")) }
      case .cacheControl where !isNested: tool.cache = try readCacheControl(key, in: place)
      case .format where tool.isCustom: try readGrammar(&tool, at: place.at(.format))
      default: try drop(key, in: place)
      }
    }
  }

  /// Reads the form of a custom tool's text.
  private mutating func readGrammar(_ tool: inout Tool, at place: Place) throws(JSONTextError) {
    if try isNull() { return }
    var walk = try object(place.path)
    var seen: UInt64 = 0
    while let key = try cursor.nextMember(&walk) {
      switch try find(TranslationTables.spec, key, &seen, place) {
      case .type: try cursor.skipValue()
      case .syntax: tool.syntax = try extent()
      case .definition: tool.definition = try extent()
      default: try drop(key, in: place)
      }
    }
  }

  /// Reads a schema's object; null is none.
  private mutating func readSchema(of tool: inout Tool, _ place: Place) throws(JSONTextError) {
    if try isNull() { return }
    let start = cursor.position
    let name = talk.source == .messages ? "input_schema" : "parameters"
    var walk = try object(place.member(name))
    while let key = try cursor.nextMember(&walk) {
      let raw = key.range.of(body)
      if raw.equals("type") { tool.isTyped = true }
      if raw.equals("additionalProperties"), try cursor.peek() == .false { tool.isClosed = true }
      try cursor.skipValue()
    }
    if walk.met > 0 { tool.schema = ByteRange(start, cursor.position) }
  }

  /// Reads `cache_control`; empty where the target has no such mark, which is then named.
  mutating func readCacheControl(_ key: JSONString, in place: Place) throws(JSONTextError) -> ByteRange {
    guard takes.takesCacheControl, try cursor.peek() == .object else {
      try drop(key, in: place)
      return ByteRange(0, 0)
    }
    return try extent()
  }

  /// Reads `functions`, chat's older form.
  mutating func readFunctions() throws(JSONTextError) {
    if try isNull() { return }
    if talk.tools.isEmpty { talk.toolsPath = "functions" }
    var walk = try array("functions")
    var index = 0
    while try cursor.nextElement(&walk) {
      let place = Place.body.at(.functions, index)
      index += 1
      var tool = Tool(name: ByteRange(0, 0), place: place)
      try readFunctionTool(&tool, at: place)
      guard !tool.name.isEmpty else {
        throw refuse(.missingRequiredParameter, place.member("name"), "'\(place.member("name"))' is missing.")
      }
      talk.tools.append(tool)
    }
  }

  // MARK: The choice

  /// Reads `tool_choice` of any dialect, or chat's older `function_call`.
  mutating func readToolChoice(at place: Place) throws(JSONTextError) {
    if try isNull() { return }
    talk.choicePath = place.path
    switch try cursor.peek() {
    case .string:
      guard talk.source != .messages else { throw wrongType(place.path, "an object") }
      let text = try cursor.string()
      switch value(text, of: TranslationTables.specType) {
      case .auto?: talk.choice = .auto
      case SpecType.none?: talk.choice = .none
      case .required?: talk.choice = .required
      default: throw unknownChoice(place)
      }
    case .object: try readChoiceObject(at: place)
    default: throw wrongType(place.path, "a string or an object")
    }
  }

  private mutating func unknownChoice(_ place: Place) -> JSONTextError {
    refuse(.invalidValue, place.path, "'\(place.path)' is none of the known forms.")
  }

  private mutating func readChoiceObject(at place: Place) throws(JSONTextError) {
    let start = cursor.mark
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    let type = try lead(.specType, &walk, &seen)
    let kind = value(type, of: TranslationTables.specType)
    if type != nil, kind == nil {
      // Forces a hosted tool, which is not carried either.
      cursor.rewind(to: start)
      try cursor.skipValue()
      return dropped.add(place.path)
    }
    var chosen = ByteRange(0, 0)
    var isRequired = false
    while let key = try cursor.nextMember(&walk) {
      switch try find(TranslationTables.spec, key, &seen, place) {
      case .type: try cursor.skipValue()
      case .name: chosen = try string(place.member("name"))
      case .function where talk.source == .chat: chosen = try readChosenName(at: place.at(.function))
      case .custom where talk.source == .chat: chosen = try readChosenName(at: place.at(.custom))
      case .allowedTools where talk.source == .chat:
        try readAllowed(at: place.at(.allowedTools), &isRequired)
      case .mode where kind == .allowedTools: isRequired = try readMode(place)
      case .tools where kind == .allowedTools: try readAllowedList(at: place)
      default:
        guard talk.source == .messages, key.range.of(body).equals("disable_parallel_tool_use") else {
          try drop(key, in: place)
          continue
        }
        if try boolean(place.member("disable_parallel_tool_use")) == true { talk.parallelCalls = false }
      }
    }
    switch kind {
    case .auto?: talk.choice = .auto
    case SpecType.none?: talk.choice = .none
    case .any?, .required?: talk.choice = .required
    case .allowedTools?: talk.choice = .allowed(required: isRequired)
    case .tool?, .function?, .custom?, nil:
      guard !chosen.isEmpty else {
        throw refuse(.missingRequiredParameter, place.member("name"), "'\(place.member("name"))' is missing.")
      }
      talk.choice = .tool(chosen, isCustom: kind == .custom)
    default: throw unknownChoice(place)
    }
  }

  private mutating func readChosenName(at place: Place) throws(JSONTextError) -> ByteRange {
    var name = ByteRange(0, 0)
    var walk = try object(place.path)
    while let key = try cursor.nextMember(&walk) {
      if key.range.of(body).equals("name") { name = try string(place.member("name")) } else { try drop(key, in: place) }
    }
    return name
  }

  private mutating func readMode(_ place: Place) throws(JSONTextError) -> Bool {
    guard try cursor.peek() == .string else { throw wrongType(place.member("mode"), "a string") }
    switch value(try cursor.string(), of: TranslationTables.specType) {
    case .auto: return false
    case .required: return true
    default:
      throw refuse(.invalidValue, place.member("mode"), "'\(place.member("mode"))' must be 'auto' or 'required'.")
    }
  }

  private mutating func readAllowed(at place: Place, _ isRequired: inout Bool) throws(JSONTextError) {
    var walk = try object(place.path)
    var seen: UInt64 = 0
    while let key = try cursor.nextMember(&walk) {
      switch try find(TranslationTables.spec, key, &seen, place) {
      case .mode: isRequired = try readMode(place)
      case .tools: try readAllowedList(at: place)
      default: try drop(key, in: place)
      }
    }
  }

  private mutating func readAllowedList(at place: Place) throws(JSONTextError) {
    var walk = try array(place.member("tools"))
    var index = 0
    while try cursor.nextElement(&walk) {
      let here = place.at(.tools, index)
      index += 1
      // More names than any request has tools would only make each lookup dear.
      guard talk.allowed.count < 1_024 else { throw refuse(.invalidValue, here.path, "'\(here.path)' is too many.") }
      var name = ByteRange(0, 0)
      var tools = try object(here.path)
      var seen: UInt64 = 0
      let type = value(
        try lead(.specType, &tools, &seen), of: TranslationTables.specType)
      while let key = try cursor.nextMember(&tools) {
        let raw = key.range.of(body)
        if raw.equals("name") {
          name = try string(here.member("name"))
        } else if raw.equals("function") || raw.equals("custom"), talk.source == .chat {
          name = try readChosenName(at: here.at(raw.equals("custom") ? .custom : .function))
        } else if raw.equals("type") {
          try cursor.skipValue()
        } else {
          try drop(key, in: here)
        }
      }
      if type == .function || type == .custom, !name.isEmpty {
        talk.allowed.append(name)
      } else {
        dropped.add(here.path)
      }
    }
  }

  // MARK: The form of the output

  /// Reads `response_format`, `text.format` or `output_config.format`.
  mutating func readFormat(at place: Place) throws(JSONTextError) {
    if try isNull() { return }
    let start = cursor.mark
    var walk = try object(place.path)
    var seen: UInt64 = 0
    switch value(try lead(.specType, &walk, &seen), of: TranslationTables.specType) {
    case .text: try readPlainFormat(at: place, &walk)
    case .jsonObject:
      try readPlainFormat(at: place, &walk)
      talk.format = .json
    case .jsonSchema:
      var schema = OutputFormat.Schema(place: place)
      try readFormatMembers(&schema, at: place, isNested: false, &walk, &seen)
      guard !schema.schema.isEmpty else {
        throw refuse(.missingRequiredParameter, place.member("schema"), "'\(place.member("schema"))' is missing.")
      }
      talk.format = .schema(schema)
    default:
      cursor.rewind(to: start)
      try cursor.skipValue()
      dropped.add(place.path)
    }
  }

  private mutating func readPlainFormat(at place: Place, _ walk: inout JSONWalk) throws(JSONTextError) {
    while let key = try cursor.nextMember(&walk) {
      if key.range.of(body).equals("type") { try cursor.skipValue() } else { try drop(key, in: place) }
    }
  }

  private mutating func readFormatMembers(
    _ schema: inout OutputFormat.Schema, at place: Place, isNested: Bool, _ walk: inout JSONWalk,
    _ seen: inout UInt64
  ) throws(JSONTextError) {
    while let key = try cursor.nextMember(&walk) {
      switch try find(TranslationTables.spec, key, &seen, place) {
      case .type where !isNested: try cursor.skipValue()
      case .jsonSchema where !isNested && talk.source == .chat:
        schema.place = place.at(.jsonSchema)
        var inner = try object(schema.place.path)
        var known: UInt64 = 0
        try readFormatMembers(&schema, at: schema.place, isNested: true, &inner, &known)
      case .name: schema.name = try optionalString(place.member("name"))
      case .description: schema.description = try optionalString(place.member("description"))
      case .schema:
        guard try cursor.peek() == .object else { throw wrongType(place.member("schema"), "an object") }
        schema.schema = try extent()
      case .strict: schema.strict = try boolean(place.member("strict"))
      default: try drop(key, in: place)
      }
    }
  }
}
