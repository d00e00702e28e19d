internal import JSONText

/// AWS Bedrock's Converse; the model and whether it streams stand in the path.
extension ConversationWriter {
  mutating func writeConverse() throws(InferenceError) {
    out.append("{")
    if !talk.systems.isEmpty, member("system", from: systemPath) { writeConverseSystem() }
    try writeConverseMessages()
    writeConverseTools()
    let thinks = writesConverseThinking
    writeInferenceConfig(thinks: thinks)
    writeConverseOutput()
    writeAdditionalFields(thinks: thinks)
    out.append("}")
  }

  private func writeConverseSystem() {
    out.append("[")
    if talk.systems.contains(where: { !$0.cache.isEmpty }) {
      for system in talk.systems {
        comma()
        out.append("{")
        member("text", system.text)
        out.append("}")
        writeCachePoint(system.cache)
      }
    } else {
      out.append("{\"text\":")
      writeJoinedSystems()
      out.append("}")
    }
    out.append("]")
  }

  /// Anthropic's mark on a block is a block of its own here.
  private func writeCachePoint(_ cache: ByteRange) {
    guard !cache.isEmpty else { return }
    comma()
    out.append("{\"cachePoint\":{\"type\":\"default\"")
    if holdsHour(cache) { member("ttl", constant: "1h") }
    out.append("}}")
  }

  private func holdsHour(_ cache: ByteRange) -> Bool {
    let raw = cache.of(body)
    guard raw.count >= 4 else { return false }
    for start in 0...(raw.count - 4) where ByteRange(start, start + 4).of(raw).equals("\"1h\"") { return true }
    return false
  }

  // MARK: Messages

  private mutating func writeConverseMessages() throws(InferenceError) {
    key("messages")
    out.append("[")
    if let first = talk.turns.first, first.role == .assistant {
      out.append("{\"role\":\"user\",\"content\":[{\"text\":\"")
      out.append(Self.opening)
      out.append("\"}]}")
      dropped.add(first.place.rolePath)
    }
    var documents = 0
    for run in runs {
      comma()
      if run.blocks.count == 1, isPlainText(run) {
        out.append(
          run.isAssistant
            ? "{\"role\":\"assistant\",\"content\":[{\"text\":\""
            : "{\"role\":\"user\",\"content\":[{\"text\":\"")
        appendText(of: spots[run.blocks.lowerBound])
        out.append("\"}]}")
        continue
      }
      out.append(run.isAssistant ? "{\"role\":\"assistant\",\"content\":[" : "{\"role\":\"user\",\"content\":[")
      for index in run.blocks {
        let spot = spots[index]
        try writeConverseBlock(talk.blocks[spot.place], spot, &documents)
        writeCachePoint(talk.blocks[spot.place].cache)
      }
      out.append("]}")
    }
    out.append("]")
  }

  private func writeConverseBlock(
    _ block: Block, _ spot: Spot, _ documents: inout Int
  ) throws(InferenceError) {
    comma()
    out.append("{")
    switch block.kind {
    case .text, .audio:
      out.append("\"text\":\"")
      appendText(of: spot)
      out.append(0x22)
    case .image:
      out.append("\"image\":{")
      member("format", constant: block.media.suffix)
      out.append(",\"source\":{")
      member("bytes", block.text)
      out.append("}}")
    case .document:
      documents += 1
      out.append("\"document\":{")
      member("format", constant: block.media.suffix)
      // Names must differ, and say nothing.
      out.append(",\"name\":\"document-")
      out.append(number: Int64(documents))
      out.append("\",\"source\":{")
      member("bytes", block.text)
      out.append("}")
      if !block.context.isEmpty { member("context", block.context) }
      out.append("}")
    case .call:
      out.append("\"toolUse\":{\"toolUseId\":")
      writeID(block)
      out.append(",\"name\":\"")
      splice(block.name)
      out.append("\",\"input\":")
      try writeArgumentsObject(block)
      out.append("}")
    case .result:
      out.append("\"toolResult\":{\"toolUseId\":")
      writeID(block)
      out.append(",\"content\":[")
      let inner = inside(spot.place)
      for place in inner {
        try writeConverseBlock(talk.blocks[place], Spot(place: place, role: .user), &documents)
      }
      // Nothing is no content, and a blank text is refused.
      if inner.isEmpty { out.append("{\"json\":{}}") }
      out.append("]")
      if block.isError { member("status", constant: "error") }
      out.append("}")
    case .thinking:
      out.append("\"reasoningContent\":{\"reasoningText\":{")
      member("text", block.text)
      member("signature", block.signature)
      out.append("}}")
    case .redactedThinking:
      out.append("\"reasoningContent\":{")
      member("redactedContent", block.text)
      out.append("}")
    }
    out.append("}")
  }

  // MARK: Tools

  private mutating func writeConverseTools() {
    var tools = offeredTools(true)
    if talk.parallelCalls == false { dropped.add(parallelPath) }
    if talk.choice == .none, !tools.isEmpty {
      // There is no "none": without tools none is called, but calls of earlier turns need them.
      dropped.add(talk.hasCalls ? talk.choicePath : talk.toolsPath)
      if !talk.hasCalls { tools = [] }
    }
    let names = tools.isEmpty && talk.hasCalls ? calledNames() : []
    guard !tools.isEmpty || !names.isEmpty, member("toolConfig", from: talk.toolsPath) else {
      if talk.choice != .none { dropChoice() }
      return
    }
    out.append("{\"tools\":[")
    for name in names {
      comma()
      out.append("{\"toolSpec\":{")
      member("name", name)
      out.append(",\"inputSchema\":{\"json\":{\"type\":\"object\",\"properties\":{}}}}}")
    }
    for tool in tools {
      comma()
      out.append("{\"toolSpec\":{")
      member("name", tool.name)
      if !tool.description.isEmpty { member("description", tool.description) }
      out.append(",\"inputSchema\":{\"json\":")
      writeSchema(tool)
      out.append("}")
      if tool.strict == true {
        key("strict")
        out.append("true")
      }
      out.append("}}")
      writeCachePoint(tool.cache)
    }
    out.append("]")
    if names.isEmpty { writeConverseChoice() } else if isToolForced { dropped.add(talk.choicePath) }
    out.append("}")
  }

  private func writeConverseChoice() {
    switch talk.choice {
    case .unset, .none: break
    case .auto, .allowed(required: false): out.append(",\"toolChoice\":{\"auto\":{}}")
    case .required, .allowed: out.append(",\"toolChoice\":{\"any\":{}}")
    case .tool(let name, _):
      out.append(",\"toolChoice\":{\"tool\":{")
      member("name", name)
      out.append("}}")
    }
  }

  /// The tools that earlier turns called, where the request names none: Converse refuses calls without tools.
  private func calledNames() -> [ByteRange] {
    var seen: Set<String> = []
    var names: [ByteRange] = []
    for block in talk.blocks where block.kind == .call && seen.insert(name(block.name)).inserted {
      names.append(block.name)
    }
    return names
  }

  // MARK: Settings

  private mutating func writeInferenceConfig(thinks: Bool) {
    key("inferenceConfig")
    out.append("{\"maxTokens\":")
    out.append(number: target.maxTokens)
    let isFree = !thinks && !(takes.isClaude && target.anthropicDropsSampling)
    var hasTemperature = false
    if let temperature = talk.temperature {
      if isFree {
        if member("temperature", from: "temperature") {
          writeClamped(temperature, most: 1, path: "temperature")
          hasTemperature = true
        }
      } else if target.anthropicDropsSampling || !isOne(temperature) {
        dropped.add("temperature")
      }
    }
    if let topP = talk.topP {
      // Claude takes one of the two.
      if isFree, !(takes.isClaude && hasTemperature) {
        if member("topP", from: "top_p") { splice(topP) }
      } else if target.anthropicDropsSampling || !isOne(topP) {
        dropped.add("top_p")
      }
    }
    if !talk.stops.isEmpty, member("stopSequences", from: stopPath) { writeStops() }
    out.append("}")
  }

  private mutating func writeConverseOutput() {
    var effort = talk.thinking.effort == Thinking.Effort.none ? nil : talk.thinking.effort
    if effort != nil, !takes.isClaude || isDenied("outputConfig") || isDenied("outputConfig.effort") {
      dropped.add(talk.thinking.effortPath)
      effort = nil
    }
    if effort == .minimal { effort = .low }
    var schema: OutputFormat.Schema?
    switch talk.format {
    case .text: break
    case .json: dropped.add(formatPath)
    case .schema(let wanted):
      if isDenied("outputConfig") || isDenied("outputConfig.textFormat") {
        dropped.add(formatPath)
      } else {
        schema = wanted
      }
    }
    guard effort != nil || schema != nil else { return }
    key("outputConfig")
    out.append("{")
    if let schema {
      out.append("\"textFormat\":{\"type\":\"json_schema\",\"structure\":{\"jsonSchema\":{\"schema\":\"")
      JSONEscape.append(schema.schema.of(body), to: out)
      out.append(0x22)
      if !schema.name.isEmpty { member("name", schema.name) }
      if !schema.description.isEmpty { member("description", schema.description) }
      out.append("}}}")
    }
    if let effort {
      key("effort")
      JSONEscape.appendQuoted(effort.rawValue, to: out)
    }
    out.append("}")
  }

  /// Whether Claude is told to think; a forced tool excludes it.
  private var writesConverseThinking: Bool {
    guard takes.isClaude, !isDenied("additionalModelRequestFields"), !isDenied("thinking") else { return false }
    if talk.thinking.mode != .unset { return talk.thinking.mode != .disabled && fittedBudget != nil }
    guard let effort = talk.thinking.effort, talk.source != .messages else { return false }
    return effort != Thinking.Effort.none && !isToolForced
  }

  /// The thinking budget that the lowered limit has room for; the client's own where that has, nil where there is none.
  private var fittedBudget: Int64? {
    let budget = talk.thinking.budget
    guard talk.thinking.mode == .budget, let asked = talk.maxTokens, target.maxTokens < asked,
      budget >= target.maxTokens
    else { return budget }
    return ThinkingBudget.fitted(budget, asked: asked, limit: target.maxTokens)
  }

  /// Claude's own fields, which Converse passes on.
  private mutating func writeAdditionalFields(thinks: Bool) {
    let thinking = talk.thinking
    let budget = fittedBudget
    let isDisabled = thinking.mode == .disabled || thinking.effort == Thinking.Effort.none || budget == nil
    let asksThinking = thinks || isDisabled
    let isOpen = takes.isClaude && !isDenied("additionalModelRequestFields")
    let writesThinking = asksThinking && isOpen && !isDenied("thinking")
    if !writesThinking {
      if thinking.mode != .unset { dropped.add("thinking") }
      if thinking.effort == Thinking.Effort.none { dropped.add(thinking.effortPath) }
      dropSummary()
    }
    let topK = isOpen && !(target.anthropicDropsSampling || thinks || isDenied("top_k")) ? talk.topK : nil
    if talk.topK != nil, topK == nil { dropped.add("top_k") }
    guard writesThinking || topK != nil else { return }
    key("additionalModelRequestFields")
    out.append("{")
    if writesThinking {
      key("thinking")
      if let budget, budget != thinking.budget {
        splice(ByteRange(thinking.whole.start, thinking.budgetRange.start))
        out.append(number: budget)
        splice(ByteRange(thinking.budgetRange.end, thinking.whole.end))
        dropped.add("thinking.budget_tokens")
      } else if !thinking.whole.isEmpty, budget != nil {
        splice(thinking.whole)
      } else if isDisabled {
        out.append("{\"type\":\"disabled\"}")
        if budget == nil { dropped.add("thinking") }
      } else {
        out.append("{\"type\":\"adaptive\"")
        if thinking.wantsText { member("display", constant: "summarized") }
        out.append("}")
      }
    }
    if let topK { member("top_k", subtree: topK) }
    out.append("}")
  }
}
