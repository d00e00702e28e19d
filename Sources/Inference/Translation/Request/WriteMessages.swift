internal import JSONText

/// Anthropic's Messages.
extension ConversationWriter {
  mutating func writeMessages() throws(InferenceError) {
    out.append("{\"model\":")
    JSONEscape.appendQuoted(target.model, to: out)
    key("max_tokens")
    out.append(number: target.maxTokens)
    if !talk.systems.isEmpty, member("system", from: systemPath) { writeClaudeSystem() }
    try writeClaudeMessages()
    writeClaudeTools()
    let thinks = writeClaudeThinking()
    writeOutputConfig()
    writeClaudeSampling(thinks: thinks)
    if !talk.stops.isEmpty, member("stop_sequences", from: stopPath) { writeStops() }
    if let hash = target.userHash, member("metadata", from: "user") {
      out.append("{\"user_id\":")
      JSONEscape.appendQuoted(String(decoding: hash, as: UTF8.self), to: out)
      out.append("}")
    }
    if talk.stream {
      key("stream")
      out.append("true")
    }
    out.append("}")
  }

  /// One string, or blocks where the prompt cache is told where to cut.
  private func writeClaudeSystem() {
    guard talk.systems.contains(where: { !$0.cache.isEmpty }) else { return writeJoinedSystems() }
    out.append("[")
    for system in talk.systems {
      comma()
      out.append("{\"type\":\"text\"")
      member("text", system.text)
      if !system.cache.isEmpty { member("cache_control", subtree: system.cache) }
      out.append("}")
    }
    out.append("]")
  }

  // MARK: Messages

  private mutating func writeClaudeMessages() throws(InferenceError) {
    key("messages")
    out.append("[")
    if let first = talk.turns.first, first.role == .assistant {
      out.append("{\"role\":\"user\",\"content\":\"")
      out.append(Self.opening)
      out.append("\"}")
      dropped.add(first.place.rolePath)
    }
    for run in runs {
      comma()
      if run.blocks.count == 1, isPlainText(run) {
        let spot = spots[run.blocks.lowerBound]
        out.append(run.isAssistant ? "{\"role\":\"assistant\",\"content\":\"" : "{\"role\":\"user\",\"content\":\"")
        appendText(of: spot)
        out.append("\"}")
        continue
      }
      out.append(run.isAssistant ? "{\"role\":\"assistant\",\"content\":[" : "{\"role\":\"user\",\"content\":[")
      for index in run.blocks {
        comma()
        try writeClaudeBlock(talk.blocks[spots[index].place], spots[index])
      }
      out.append("]}")
    }
    out.append("]")
  }

  private func writeClaudeBlock(_ block: Block, _ spot: Spot) throws(InferenceError) {
    switch block.kind {
    case .text:
      out.append("{\"type\":\"text\",\"text\":\"")
      appendText(of: spot)
      out.append(0x22)
    case .image:
      out.append("{\"type\":\"image\",\"source\":")
      writeClaudeSource(block)
    case .document, .audio:
      out.append("{\"type\":\"document\",\"source\":")
      writeClaudeSource(block)
      if !block.name.isEmpty { member("title", block.name) }
      if !block.context.isEmpty { member("context", block.context) }
    case .call:
      out.append("{\"type\":\"tool_use\",\"id\":")
      writeID(block)
      out.append(",\"name\":\"")
      splice(block.name)
      out.append("\",\"input\":")
      try writeArgumentsObject(block)
    case .result:
      out.append("{\"type\":\"tool_result\",\"tool_use_id\":")
      writeID(block)
      let inner = inside(spot.place)
      if inner.count == 1, isPlainText(inner.lowerBound) {
        out.append(",\"content\":")
        quote(talk.blocks[inner.lowerBound].text)
      } else if !inner.isEmpty {
        out.append(",\"content\":[")
        for place in inner {
          comma()
          try writeClaudeBlock(talk.blocks[place], Spot(place: place, role: .user))
        }
        out.append("]")
      }
      if block.isError {
        key("is_error")
        out.append("true")
      }
    case .thinking, .redactedThinking: out.append("{")
    }
    if !block.cache.isEmpty { member("cache_control", subtree: block.cache) }
    out.append("}")
  }

  private func writeClaudeSource(_ block: Block) {
    if block.form == .url {
      out.append("{\"type\":\"url\"")
      member("url", block.text)
    } else {
      out.append("{\"type\":\"base64\",\"media_type\":")
      writeMediaType(block)
      member("data", block.text)
    }
    out.append("}")
  }

  // MARK: Tools

  private mutating func writeClaudeTools() {
    let tools = offeredTools(true)
    guard !tools.isEmpty, member("tools", from: talk.toolsPath) else {
      dropChoice()
      if talk.parallelCalls == false { dropped.add(parallelPath) }
      return
    }
    out.append("[")
    for tool in tools {
      comma()
      out.append("{")
      member("name", tool.name)
      if !tool.description.isEmpty { member("description", tool.description) }
      key("input_schema")
      writeSchema(tool)
      if tool.strict == true {
        key("strict")
        out.append("true")
      }
      if !tool.cache.isEmpty { member("cache_control", subtree: tool.cache) }
      out.append("}")
    }
    out.append("]")
    writeClaudeChoice()
  }

  private mutating func writeClaudeChoice() {
    let isSerial = talk.parallelCalls == false
    guard talk.choice != .unset || isSerial, member("tool_choice", from: talk.choicePath) else { return }
    switch talk.choice {
    case .unset, .auto, .allowed(required: false): out.append("{\"type\":\"auto\"")
    case .none: return out.append("{\"type\":\"none\"}")
    case .required, .allowed: out.append("{\"type\":\"any\"")
    case .tool(let name, _):
      out.append("{\"type\":\"tool\"")
      member("name", name)
    }
    if isSerial {
      key("disable_parallel_tool_use")
      out.append("true")
    }
    out.append("}")
  }

  // MARK: Thinking and sampling

  /// - Returns: Whether the model thinks, which forbids most of sampling.
  private mutating func writeClaudeThinking() -> Bool {
    guard let effort = talk.thinking.effort else {
      dropSummary()
      return false
    }
    guard effort != Thinking.Effort.none else {
      dropSummary()
      if member("thinking", from: talk.thinking.effortPath) { out.append("{\"type\":\"disabled\"}") }
      return false
    }
    // A forced tool and thinking exclude each other; the effort still counts.
    guard !isToolForced, !isDenied("thinking") else {
      dropSummary()
      return false
    }
    key("thinking")
    out.append("{\"type\":\"adaptive\"")
    if talk.thinking.wantsText { member("display", constant: "summarized") }
    out.append("}")
    return true
  }

  private mutating func writeOutputConfig() {
    var effort = talk.thinking.effort == Thinking.Effort.none ? nil : talk.thinking.effort
    if effort == .minimal { effort = .low }
    if effort != nil, isDenied("output_config") || isDenied("output_config.effort") {
      dropped.add(talk.thinking.effortPath)
      effort = nil
    }
    var schema: OutputFormat.Schema?
    switch talk.format {
    case .text: break
    case .json: dropped.add(formatPath)
    case .schema(let wanted):
      if isDenied("output_config") || isDenied("output_config.format") {
        dropped.add(formatPath)
      } else {
        schema = wanted
      }
    }
    guard effort != nil || schema != nil else { return }
    key("output_config")
    out.append("{")
    if let effort {
      key("effort")
      JSONEscape.appendQuoted(effort.rawValue, to: out)
    }
    if let schema {
      key("format")
      out.append("{\"type\":\"json_schema\"")
      member("schema", subtree: schema.schema)
      out.append("}")
      if !schema.name.isEmpty { dropped.add(schema.place.member("name")) }
      if !schema.description.isEmpty { dropped.add(schema.place.member("description")) }
    }
    out.append("}")
  }

  private mutating func writeClaudeSampling(thinks: Bool) {
    let isFree = !target.anthropicDropsSampling && !thinks
    var hasTemperature = false
    if let temperature = talk.temperature {
      if isFree, member("temperature", from: "temperature") {
        writeClamped(temperature, most: 1, path: "temperature")
        hasTemperature = true
      } else if target.anthropicDropsSampling || !isOne(temperature), !(isFree && isDenied("temperature")) {
        dropped.add("temperature")
      }
    }
    guard let topP = talk.topP else { return }
    // Claude takes one of the two.
    if isFree, !hasTemperature {
      if member("top_p", from: "top_p") { splice(topP) }
    } else if target.anthropicDropsSampling || !isOne(topP) {
      dropped.add("top_p")
    }
  }
}
