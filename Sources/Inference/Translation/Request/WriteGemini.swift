internal import JSONText

/// Google's `generateContent`; the model and whether it streams stand in the path.
extension ConversationWriter {
  mutating func writeGemini() throws(InferenceError) {
    out.append("{")
    if !talk.systems.isEmpty, member("systemInstruction", from: systemPath) {
      out.append("{\"parts\":[{\"text\":")
      writeJoinedSystems()
      out.append("}]}")
    }
    try writeContents()
    writeGeminiTools()
    writeGenerationConfig()
    out.append("}")
  }

  // MARK: Contents

  private mutating func writeContents() throws(InferenceError) {
    key("contents")
    out.append("[")
    if let first = talk.turns.first, first.role == .assistant {
      out.append("{\"role\":\"user\",\"parts\":[{\"text\":\"")
      out.append(Self.opening)
      out.append("\"}]}")
      dropped.add(first.place.rolePath)
    }
    for run in runs {
      comma()
      if run.blocks.count == 1, isPlainText(run) {
        out.append(
          run.isAssistant
            ? "{\"role\":\"model\",\"parts\":[{\"text\":\"" : "{\"role\":\"user\",\"parts\":[{\"text\":\"")
        appendText(of: spots[run.blocks.lowerBound])
        out.append("\"}]}")
        continue
      }
      out.append(run.isAssistant ? "{\"role\":\"model\",\"parts\":[" : "{\"role\":\"user\",\"parts\":[")
      try writeParts(of: run)
      out.append("]}")
    }
    out.append("]")
  }

  private func writeParts(of run: Run) throws(InferenceError) {
    let results = run.blocks.prefix(run.results)
    for index in results { writeFunctionResponse(talk.blocks[spots[index].place], inside(spots[index].place)) }
    // What a result shows stands behind all results.
    for index in results {
      for place in inside(spots[index].place) where talk.blocks[place].kind != .text {
        writePart(talk.blocks[place], of: Spot(place: place, role: .user))
      }
    }
    var needsSignature = run.isAssistant && !takes.hasThinkingBudget
    for index in run.blocks where !talk.blocks[spots[index].place].signature.isEmpty { needsSignature = false }
    for index in run.blocks.dropFirst(run.results) {
      let spot = spots[index]
      if talk.blocks[spot.place].kind == .call {
        try writeFunctionCall(talk.blocks[spot.place], isUnsigned: needsSignature)
        needsSignature = false
      } else {
        writePart(talk.blocks[spot.place], of: spot)
      }
    }
  }

  private func writePart(_ block: Block, of spot: Spot) {
    comma()
    if block.kind == .text {
      out.append("{\"text\":\"")
      appendText(of: spot)
      out.append("\"}")
    } else if block.form == .url {
      out.append("{\"fileData\":{")
      if block.media != .unknown {
        key("mimeType")
        writeMediaType(block)
      }
      member("fileUri", block.text)
      out.append("}}")
    } else {
      out.append("{\"inlineData\":{\"mimeType\":")
      writeMediaType(block)
      member("data", block.text)
      out.append("}}")
    }
  }

  private func writeFunctionCall(_ call: Block, isUnsigned: Bool) throws(InferenceError) {
    comma()
    out.append("{\"functionCall\":{\"id\":")
    writeID(call)
    out.append(",\"name\":\"")
    splice(call.name)
    out.append("\",\"args\":")
    try writeArgumentsObject(call)
    out.append("}")
    if !call.signature.isEmpty {
      key("thoughtSignature")
      out.append(0x22)
      if call.isSealed { writeUnsealed(call.signature.of(body)) } else { splice(call.signature) }
      out.append(0x22)
    } else if isUnsigned {
      // Google's own word for a call that another model made: without one, Gemini 3 refuses the turn.
      member("thoughtSignature", constant: "skip_thought_signature_validator")
    }
    out.append("}")
  }

  /// Base64url back to base64.
  private func writeUnsealed(_ signature: UnsafeRawBufferPointer) {
    for byte in signature { out.append(byte == 0x2D ? 0x2B : byte == 0x5F ? 0x2F : byte) }
    for _ in 0..<((4 - signature.count % 4) % 4) { out.append(0x3D) }
  }

  /// A result by the name of its tool: texts inside, media behind all results.
  private func writeFunctionResponse(_ result: Block, _ inner: Range<Int>) {
    comma()
    out.append("{\"functionResponse\":{\"id\":")
    writeID(result)
    out.append(",\"name\":\"")
    splice(result.name)
    out.append(result.isError ? "\",\"response\":{\"error\":\"" : "\",\"response\":{\"output\":\"")
    var isFirst = true
    for place in inner where talk.blocks[place].kind == .text {
      if !isFirst { out.append("\\n") }
      isFirst = false
      splice(talk.blocks[place].text)
    }
    out.append("\"}}}")
  }

  // MARK: Tools

  private mutating func writeGeminiTools() {
    var narrows = false
    if case .allowed(required: false) = talk.choice { narrows = true }
    let tools = offeredTools(narrows)
    if talk.parallelCalls == false { dropped.add(parallelPath) }
    guard !tools.isEmpty, member("tools", from: talk.toolsPath) else { return dropChoice() }
    out.append("[{\"functionDeclarations\":[")
    for tool in tools {
      comma()
      out.append("{")
      member("name", tool.name)
      if !tool.description.isEmpty { member("description", tool.description) }
      if !tool.schema.isEmpty { member("parametersJsonSchema", subtree: tool.schema) }
      out.append("}")
    }
    out.append("]}]")
    writeCallingConfig()
  }

  private mutating func writeCallingConfig() {
    guard talk.choice != .unset, member("toolConfig", from: talk.choicePath) else { return }
    out.append("{\"functionCallingConfig\":{\"mode\":")
    switch talk.choice {
    case .unset, .auto, .allowed(required: false): out.append("\"AUTO\"")
    case .none: out.append("\"NONE\"")
    case .required: out.append("\"ANY\"")
    case .tool(let name, _):
      out.append("\"ANY\",\"allowedFunctionNames\":[")
      quote(name)
      out.append("]")
    case .allowed:
      out.append("\"ANY\",\"allowedFunctionNames\":[")
      for name in talk.allowed {
        comma()
        quote(name)
      }
      out.append("]")
    }
    out.append("}}")
  }

  // MARK: Generation

  private mutating func writeGenerationConfig() {
    key("generationConfig")
    out.append("{\"maxOutputTokens\":")
    out.append(number: target.maxTokens)
    if let number = talk.temperature, setting("temperature", "temperature") { splice(number) }
    if let number = talk.topP, setting("topP", "top_p") { splice(number) }
    if let number = talk.topK, setting("topK", "top_k") { splice(number) }
    if let number = talk.seed {
      if Int32(String(decoding: number.of(body), as: UTF8.self)) == nil {
        dropped.add("seed")
      } else if setting("seed", "seed") {
        splice(number)
      }
    }
    if let number = talk.presencePenalty, setting("presencePenalty", "presence_penalty") { splice(number) }
    if let number = talk.frequencyPenalty, setting("frequencyPenalty", "frequency_penalty") { splice(number) }
    if !talk.stops.isEmpty, setting("stopSequences", stopPath) { writeStops() }
    if talk.answers > 1, setting("candidateCount", "n") { out.append(number: talk.answers) }
    writeGeminiFormat()
    writeThinkingConfig()
    out.append("}")
  }

  /// Begins a member of `generationConfig`, unless the provider refuses it.
  private mutating func setting(_ name: StaticString, _ path: String) -> Bool {
    guard target.deniedFields.isEmpty || !target.deniedFields.contains("generationConfig.\(name)") else {
      dropped.add(path)
      return false
    }
    return member(name, from: path)
  }

  private mutating func writeGeminiFormat() {
    switch talk.format {
    case .text: break
    case .json: if setting("responseMimeType", formatPath) { out.append("\"application/json\"") }
    case .schema(let schema):
      guard setting("responseMimeType", formatPath) else { return }
      out.append("\"application/json\"")
      if !schema.name.isEmpty { dropped.add(schema.place.member("name")) }
      if !schema.description.isEmpty { dropped.add(schema.place.member("description")) }
      if setting("responseJsonSchema", formatPath) { splice(schema.schema) }
    }
  }

  private mutating func writeThinkingConfig() {
    let thinking = talk.thinking
    // Gemini 3 decides by itself unless it is told otherwise; 2.x does where the budget says so.
    let decidesItself = thinking.mode == .unset || thinking.mode == .adaptive && !takes.hasThinkingBudget
    guard thinking.effort != nil || !decidesItself || thinking.wantsText else { return }
    guard !isDenied("thinkingConfig"), !isDenied("generationConfig.thinkingConfig") else { return dropThinking() }
    key("thinkingConfig")
    out.append("{")
    if thinking.wantsText {
      key("includeThoughts")
      out.append("true")
    }
    if thinking.mode == .disabled || thinking.effort == Thinking.Effort.none {
      if thinking.mode == .disabled, let effort = thinking.effort, effort != Thinking.Effort.none {
        dropped.add("output_config.effort")
      }
      writeNoThinking()
    } else if takes.hasThinkingBudget {
      writeBudget()
    } else {
      writeLevel()
    }
    out.append("}")
  }

  private mutating func writeNoThinking() {
    if takes.hasThinkingBudget {
      key("thinkingBudget")
      out.append("0")
    } else {
      // Gemini 3 always thinks.
      member("thinkingLevel", constant: "minimal")
      dropped.add(talk.thinking.mode == .disabled ? "thinking" : talk.thinking.effortPath)
    }
  }

  private mutating func writeBudget() {
    let thinking = talk.thinking
    if thinking.mode == .budget, thinking.budget > 0 {
      key("thinkingBudget")
      out.append(number: thinking.budget)
      if thinking.effort != nil { dropped.add("output_config.effort") }
      return
    }
    guard let effort = thinking.effort else {
      // The model decides.
      key("thinkingBudget")
      out.append("-1")
      return
    }
    key("thinkingBudget")
    switch effort {
    case .none, .minimal: out.append("512")
    case .low: out.append("1024")
    case .medium: out.append("8192")
    case .high, .xhigh, .max: out.append("24576")
    }
    if effort == .xhigh || effort == .max { dropped.add(thinking.effortPath) }
  }

  private mutating func writeLevel() {
    let thinking = talk.thinking
    var effort = thinking.effort
    if effort == nil, thinking.mode == .budget {
      effort = thinking.budget < 4_096 ? .low : thinking.budget < 16_384 ? .medium : .high
    }
    guard let effort else { return }
    switch effort {
    case .none, .minimal: member("thinkingLevel", constant: "minimal")
    case .low: member("thinkingLevel", constant: "low")
    case .medium: member("thinkingLevel", constant: "medium")
    case .high, .xhigh, .max: member("thinkingLevel", constant: "high")
    }
    if effort == .xhigh || effort == .max { dropped.add(thinking.effortPath) }
  }
}
