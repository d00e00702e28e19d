internal import JSONText

/// OpenAI chat completions, and whatever calls itself compatible: forms that all of them read.
extension ConversationWriter {
  mutating func writeChat() throws(InferenceError) {
    out.append("{\"model\":")
    JSONEscape.appendQuoted(target.model, to: out)
    writeChatMessages()
    writeChatTools()
    writeChatFormat()
    writeChatEffort()
    if let temperature = talk.temperature, member("temperature", from: "temperature") { splice(temperature) }
    if let topP = talk.topP, member("top_p", from: "top_p") { splice(topP) }
    key(target.maxTokensField == .maxTokens ? "max_tokens" : "max_completion_tokens")
    out.append(number: target.maxTokens)
    if !talk.stops.isEmpty, member("stop", from: stopPath) { writeStops() }
    if talk.stream {
      key("stream")
      out.append("true")
      writeStreamOptions()
    }
    writePersons()
    for (name, value) in talk.carried {
      let text = String(decoding: ByteRange(name.start + 1, name.end - 1).of(body), as: UTF8.self)
      guard !target.deniedFields.contains(text) else {
        dropped.add(text == "verbosity" ? "text.verbosity" : text)
        continue
      }
      comma()
      splice(name)
      out.append(0x3A)
      splice(value)
    }
    out.append("}")
  }

  private mutating func writeStreamOptions() {
    let asks = target.includeUsage && !isDenied("stream_options")
    guard asks || talk.includesObfuscation != nil, member("stream_options", from: "stream_options") else { return }
    out.append("{")
    if asks {
      key("include_usage")
      out.append("true")
    }
    if let obfuscation = talk.includesObfuscation { member("include_obfuscation", subtree: obfuscation) }
    out.append("}")
  }

  /// A person leaves as the tenant's hash, in the members that the client used.
  private mutating func writePersons() {
    guard let hash = target.userHash else { return }
    var names = talk.persons.filter { !"\($0)".contains(".") }
    if names.isEmpty { names = ["user"] }
    for name in names where member(name, from: "\(name)") {
      JSONEscape.appendQuoted(String(decoding: hash, as: UTF8.self), to: out)
    }
  }

  private mutating func writeChatEffort() {
    let thinking = talk.thinking
    var effort = thinking.effort
    switch thinking.mode {
    case .disabled:
      if effort != nil, !isDenied("reasoning_effort") { dropped.add("output_config.effort") }
      effort = Thinking.Effort.none
    case .budget: effort = effort ?? (thinking.budget < 4_096 ? .low : thinking.budget < 16_384 ? .medium : .high)
    // What Claude does when nobody says how much.
    case .adaptive: effort = effort ?? .high
    case .unset: break
    }
    guard let effort else { return }
    guard !isDenied("reasoning_effort") else { return dropThinking() }
    key("reasoning_effort")
    JSONEscape.appendQuoted(effort.rawValue, to: out)
  }

  private mutating func writeChatFormat() {
    switch talk.format {
    case .text: break
    case .json: if member("response_format", from: formatPath) { out.append("{\"type\":\"json_object\"}") }
    case .schema(let schema):
      guard member("response_format", from: formatPath) else { return }
      out.append("{\"type\":\"json_schema\",\"json_schema\":{")
      if schema.name.isEmpty { member("name", constant: "answer") } else { member("name", schema.name) }
      if !schema.description.isEmpty { member("description", schema.description) }
      member("schema", subtree: schema.schema)
      // Anthropic's form binds always.
      if let strict = talk.source == .messages ? true : schema.strict {
        key("strict")
        out.append(strict ? "true" : "false")
      }
      out.append("}}")
    }
  }

  // MARK: Messages

  private func writeChatMessages() {
    key("messages")
    out.append("[")
    if !talk.systems.isEmpty {
      out.append("{\"role\":\"system\",\"content\":")
      writeJoinedSystems()
      out.append("}")
    }
    for run in runs {
      if run.isAssistant { writeAssistant(run) } else { writeUsers(run) }
    }
    out.append("]")
  }

  /// The blocks of one message.
  private func writeAssistant(_ run: Run) {
    comma()
    out.append("{\"role\":\"assistant\",\"content\":")
    var content = ChatContent()
    for index in run.blocks where talk.blocks[spots[index].place].kind == .text {
      writeChat(spots[index].place, in: &content)
    }
    endChat(content)
    var isFirst = true
    for index in run.blocks where talk.blocks[spots[index].place].kind == .call {
      out.append(isFirst ? ",\"tool_calls\":[" : ",")
      isFirst = false
      writeChatCall(talk.blocks[spots[index].place])
    }
    out.append(isFirst ? "}" : "]}")
  }

  private func writeChatCall(_ call: Block) {
    out.append("{\"id\":")
    writeID(call)
    if call.form == .custom {
      out.append(",\"type\":\"custom\",\"custom\":{")
      member("name", call.name)
      member("input", call.text)
    } else {
      out.append(",\"type\":\"function\",\"function\":{")
      member("name", call.name)
      key("arguments")
      writeArgumentsString(call)
    }
    out.append("}}")
  }

  /// A message's content while it is written. Its first piece waits: alone it may be a string.
  ///
  /// A value instead of a sequence of places, whose closures would each copy the whole writer.
  private struct ChatContent {
    var first: Int?
    var isList = false
    /// Whether the first text says that the tool failed.
    var isError = false
  }

  private func writeChat(_ place: Int, in content: inout ChatContent) {
    guard let first = content.first else {
      content.first = place
      return
    }
    if !content.isList {
      out.append("[")
      writeChatPart(talk.blocks[first], isError: content.isError)
      content.isList = true
    }
    out.append(0x2C)
    writeChatPart(talk.blocks[place], isError: false)
  }

  /// One text as a string, which every server reads; more, or media, as parts. Nothing is null.
  private func endChat(_ content: ChatContent) {
    guard let first = content.first else { return out.append("null") }
    guard !content.isList else { return out.append("]") }
    if talk.blocks[first].kind == .text {
      out.append(0x22)
      if content.isError { out.append(ConversationReader.errorPrefix) }
      splice(talk.blocks[first].text)
      return out.append(0x22)
    }
    out.append("[")
    writeChatPart(talk.blocks[first], isError: content.isError)
    out.append("]")
  }

  private func writeChatPart(_ block: Block, isError: Bool) {
    switch block.kind {
    case .image:
      out.append("{\"type\":\"image_url\",\"image_url\":{\"url\":")
      writeURL(block)
      if !block.detail.isEmpty { member("detail", subtree: block.detail) }
      out.append("}}")
    case .audio:
      out.append("{\"type\":\"input_audio\",\"input_audio\":{")
      member("data", block.text)
      member("format", constant: block.media.suffix)
      out.append("}}")
    case .document:
      out.append("{\"type\":\"file\",\"file\":{")
      if block.name.isEmpty {
        key("filename")
        out.append("\"document.")
        out.append(block.media == .unknown ? "bin" : block.media.suffix)
        out.append(0x22)
      } else {
        member("filename", block.name)
      }
      key("file_data")
      writeURL(block)
      out.append("}}")
    default:
      out.append("{\"type\":\"text\",\"text\":\"")
      if isError { out.append(ConversationReader.errorPrefix) }
      splice(block.text)
      out.append("\"}")
    }
  }

  private func writeURL(_ block: Block) {
    guard block.form == .string else { return quote(block.text) }
    out.append("\"data:")
    if block.media == .unknown, !block.type.isEmpty { splice(block.type) } else { out.append(block.media.name) }
    out.append(";base64,")
    splice(block.text)
    out.append(0x22)
  }

  /// Results first, each a message of its own and texts only; then what they show; then what is said.
  private func writeUsers(_ run: Run) {
    let results = run.blocks.prefix(run.results)
    for index in results { writeToolMessage(spots[index].place) }
    var shown = ChatContent()
    for index in results {
      for place in inside(spots[index].place) where talk.blocks[place].kind != .text {
        if shown.first == nil { openChatMessage("user") }
        writeChat(place, in: &shown)
      }
    }
    if shown.first != nil {
      endChat(shown)
      out.append("}")
    }
    var index = run.blocks.lowerBound + run.results
    for turn in run.turns {
      let first = index
      while index < run.blocks.upperBound, spots[index].place < talk.turns[turn].end { index += 1 }
      guard index > first else { continue }
      openChatMessage(talk.turns[turn].role == .system ? "system" : "user")
      var content = ChatContent()
      for spot in first..<index { writeChat(spots[spot].place, in: &content) }
      endChat(content)
      out.append("}")
    }
  }

  private func openChatMessage(_ role: StaticString) {
    comma()
    out.append("{\"role\":\"")
    out.append(role)
    out.append("\",\"content\":")
  }

  private func writeToolMessage(_ place: Int) {
    comma()
    out.append("{\"role\":\"tool\",\"tool_call_id\":")
    writeID(talk.blocks[place])
    out.append(",\"content\":")
    var content = ChatContent(isError: talk.blocks[place].isError)
    for inner in inside(place) where talk.blocks[inner].kind == .text { writeChat(inner, in: &content) }
    if content.first != nil {
      endChat(content)
    } else {
      out.append(0x22)
      if content.isError { out.append(ConversationReader.errorPrefix) }
      out.append(0x22)
    }
    out.append("}")
  }

  // MARK: Tools

  private mutating func writeChatTools() {
    guard !talk.tools.isEmpty, member("tools", from: talk.toolsPath) else {
      dropChoice()
      if talk.parallelCalls != nil { dropped.add(parallelPath) }
      return
    }
    out.append("[")
    for tool in talk.tools {
      comma()
      writeChatTool(tool)
    }
    out.append("]")
    writeChatChoice()
    if let parallel = talk.parallelCalls, member("parallel_tool_calls", from: parallelPath) {
      out.append(parallel ? "true" : "false")
    }
  }

  private func writeChatTool(_ tool: Tool) {
    out.append(tool.isCustom ? "{\"type\":\"custom\",\"custom\":{" : "{\"type\":\"function\",\"function\":{")
    member("name", tool.name)
    if !tool.description.isEmpty { member("description", tool.description) }
    if tool.isCustom {
      if !tool.definition.isEmpty {
        out.append(",\"format\":{\"type\":\"grammar\",\"grammar\":{")
        if !tool.syntax.isEmpty { member("syntax", subtree: tool.syntax) }
        member("definition", subtree: tool.definition)
        out.append("}}")
      }
    } else {
      if !tool.schema.isEmpty { member("parameters", subtree: tool.schema) }
      // Strict is the rule in Responses, where it fits the schema, and the exception here.
      let isStrict = tool.strict ?? (talk.source == .responses && tool.isClosed)
      if isStrict || tool.strict != nil {
        key("strict")
        out.append(isStrict ? "true" : "false")
      }
    }
    out.append("}}")
  }

  private mutating func writeChatChoice() {
    guard talk.choice != .unset, member("tool_choice", from: talk.choicePath) else { return }
    switch talk.choice {
    case .unset, .auto: out.append("\"auto\"")
    case .none: out.append("\"none\"")
    case .required: out.append("\"required\"")
    case .tool(let name, let isCustom):
      out.append("{")
      writeNamed(name, isCustom: isCustom)
      out.append("}")
    case .allowed(let isRequired):
      out.append("{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":")
      out.append(isRequired ? "\"required\"" : "\"auto\"")
      out.append(",\"tools\":[")
      let custom = Set(talk.tools.filter(\.isCustom).map { name($0.name) })
      for allowed in talk.allowed {
        comma()
        out.append("{")
        writeNamed(allowed, isCustom: !custom.isEmpty && custom.contains(name(allowed)))
        out.append("}")
      }
      out.append("]}}")
    }
  }

  private func writeNamed(_ name: ByteRange, isCustom: Bool) {
    out.append(isCustom ? "\"type\":\"custom\",\"custom\":{" : "\"type\":\"function\",\"function\":{")
    member("name", name)
    out.append("}")
  }
}
