internal import JSONText

/// `POST /v1/chat/completions` (`api.md` section 5).
extension ConversationReader {
  mutating func readChat() throws(JSONTextError) {
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    let body = Place.body
    while let key = try cursor.nextMember(&walk) {
      switch try find(TranslationTables.asked, key, &seen, body) {
      case .model, .maxTokens, .maxCompletionTokens: try cursor.skipValue()
      case .messages: try readChatMessages()
      case .stream: talk.stream = try boolean("stream") ?? false
      case .streamOptions: try readStreamOptions()
      case .temperature: talk.temperature = try number("temperature")
      case .topP: talk.topP = try number("top_p")
      case .seed where takes.takesSeed: talk.seed = try number("seed")
      case .frequencyPenalty where takes.takesPenalties: talk.frequencyPenalty = try number("frequency_penalty")
      case .presencePenalty where takes.takesPenalties: talk.presencePenalty = try number("presence_penalty")
      case .frequencyPenalty, .presencePenalty: try drop(key, in: body, unless: "0", "0.0")
      case .n:
        talk.answers = try integer("n") ?? 1
        if talk.answers > 1, !takes.takesSeveralAnswers { throw unsupported("n") }
      case .stop: try readStops("stop")
      case .tools: try readTools(at: body)
      case .functions: try readFunctions()
      case .toolChoice: try readToolChoice(at: body.at(.toolChoice))
      case .functionCall: try readToolChoice(at: body.at(.functionChoice))
      case .parallelToolCalls: talk.parallelCalls = try boolean("parallel_tool_calls")
      case .responseFormat: try readFormat(at: body.at(.responseFormat))
      case .reasoningEffort: try readEffort("reasoning_effort")
      case .user: try readPerson("user")
      case .safetyIdentifier: try readPerson("safety_identifier")
      case .modalities: try readModalities()
      case .serviceTier: try drop(key, in: body, unless: "\"auto\"", "\"default\"")
      case .store, .logprobs: try drop(key, in: body, unless: "false")
      case .topLogprobs: try drop(key, in: body, unless: "0")
      default: try drop(key, in: body)
      }
    }
  }

  // MARK: Members of both OpenAI dialects

  mutating func readStreamOptions() throws(JSONTextError) {
    if try isNull() { return }
    let place = Place.body.at(.streamOptions)
    var walk = try object("stream_options")
    while let key = try cursor.nextMember(&walk) {
      let raw = key.range.of(body)
      if raw.equals("include_usage") {
        // Usage is asked for always; whether the client sees it is the answer's affair.
        _ = try boolean("stream_options.include_usage")
      } else if raw.equals("include_obfuscation"), takes.wire == .chat {
        talk.includesObfuscation = try extent()
      } else {
        try drop(key, in: place)
      }
    }
  }

  mutating func readPerson(_ name: StaticString) throws(JSONTextError) {
    let person = try optionalString("\(name)")
    guard !person.isEmpty else { return }
    talk.persons.append(name)
    if !takes.takesPerson { dropped.add("\(name)") }
  }

  mutating func readEffort(_ path: String) throws(JSONTextError) {
    if try isNull() { return }
    guard try cursor.peek() == .string else { throw wrongType(path, "a string") }
    guard let effort = value(try cursor.string(), of: TranslationTables.effort) else { return dropped.add(path) }
    talk.thinking.effort = effort
    talk.thinking.effortPath = path
  }

  mutating func readStops(_ name: String) throws(JSONTextError) {
    switch try cursor.peek() {
    case .null: _ = try cursor.literal()
    case .string: addStop(try cursor.string().range, name)
    case .array:
      var walk = try cursor.enterArray()
      var index = 0
      while try cursor.nextElement(&walk) {
        let path = "\(name)[\(index)]"
        index += 1
        addStop(try string(path), path)
      }
    default: throw wrongType(name, "a string or an array of strings")
    }
  }

  private mutating func addStop(_ text: ByteRange, _ path: String) {
    guard !text.isEmpty else { return }
    // Claude refuses to stop at white space.
    guard talk.stops.count < takes.mostStops, !(takes.isClaude && isBlank(text)) else { return dropped.add(path) }
    talk.stops.append(Stop(text: text, place: path))
  }

  private mutating func readModalities() throws(JSONTextError) {
    if try isNull() { return }
    var walk = try array("modalities")
    while try cursor.nextElement(&walk) {
      let modality = try string("modalities")
      guard modality.of(body).equals("text") else { throw unsupported("modalities") }
    }
  }

  // MARK: Messages

  private mutating func readChatMessages() throws(JSONTextError) {
    var walk = try array("messages")
    var index = 0
    while try cursor.nextElement(&walk) {
      try readChatMessage(at: Place.body.at(.messages, index))
      index += 1
    }
  }

  private mutating func readChatMessage(at place: Place) throws(JSONTextError) {
    guard try cursor.peek() == .object else { throw wrongType(place.path, "an object") }
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    guard
      let role = value(try lead(.role, &walk, &seen), of: TranslationTables.role)
    else {
      throw refuse(.invalidValue, place.member("role"), "'\(place.member("role"))' is missing or unknown.")
    }
    switch role {
    case .system, .developer: try readChatSystem(at: place, &walk, &seen)
    case .user: try readChatTurn(.user, at: place, &walk, &seen)
    case .assistant: try readChatTurn(.assistant, at: place, &walk, &seen)
    case .tool, .function: try readChatResult(at: place, isFunction: role == .function, &walk, &seen)
    }
  }

  private mutating func readChatSystem(
    at place: Place, _ walk: inout JSONWalk, _ seen: inout UInt64
  ) throws(JSONTextError) {
    let isLeading = talk.turns.isEmpty
    open(.system, at: place)
    while let key = try cursor.nextMember(&walk) {
      switch try find(TranslationTables.piece, key, &seen, place) {
      case .role: try cursor.skipValue()
      case .content: try readChatContent(at: place, .system)
      default: try drop(key, in: place)
      }
    }
    isLeading ? closeSystem() : close()
  }

  /// Makes the texts of the open turn system texts.
  mutating func closeSystem() {
    guard let turn = talk.turns.popLast() else { return }
    for block in talk.blocks[turn.first...] {
      talk.systems.append(SystemText(text: block.text, cache: block.cache, place: turn.place))
    }
    talk.blocks.removeLast(talk.blocks.count - turn.first)
  }

  private mutating func readChatTurn(
    _ role: Turn.Role, at place: Place, _ walk: inout JSONWalk, _ seen: inout UInt64
  ) throws(JSONTextError) {
    open(role, at: place)
    let isAssistant = role == .assistant
    var calls: [Block] = []
    if let text = try next(.content, &walk, &seen) { addText(text.range, at: place.at(.content)) }
    while let key = try cursor.nextMember(&walk) {
      switch try find(TranslationTables.piece, key, &seen, place) {
      case .role: try cursor.skipValue()
      case .content: try readChatContent(at: place, role)
      case .refusal where isAssistant: addText(try optionalString(place.member("refusal")), at: place)
      case .toolCalls where isAssistant: try readChatCalls(at: place, &calls)
      case .functionCall where isAssistant: try readFunctionCall(at: place, &calls)
      default: try drop(key, in: place)
      }
    }
    // The calls stand behind the text, whichever came first in the object.
    for call in calls { addCall(call) }
    close()
  }

  mutating func readChatContent(at place: Place, _ role: Turn.Role) throws(JSONTextError) {
    switch try cursor.peek() {
    case .null: _ = try cursor.literal()
    case .string: addText(try cursor.string().range, at: place.at(.content))
    case .array:
      var walk = try cursor.enterArray()
      var index = 0
      while try cursor.nextElement(&walk) {
        try readChatPart(at: place.at(.content, index), role)
        index += 1
      }
    default: throw wrongType(place.member("content"), "a string, an array of parts or null")
    }
  }

  private mutating func readChatPart(at place: Place, _ role: Turn.Role) throws(JSONTextError) {
    switch try cursor.peek() {
    case .string: return addText(try cursor.string().range, at: place)
    case .object: break
    default: throw wrongType(place.path, "an object")
    }
    let start = cursor.mark
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    let type = value(
      try lead(.pieceType, &walk, &seen), of: TranslationTables.pieceType)
    switch type {
    case .text?, .refusal?: break
    case .imageURL?, .inputAudio?, .file?: if role != .user { throw unsupported(place.path) }
    default:
      // What an answer carried (thoughts, references) comes back in the next turn; what the user sends must arrive.
      guard role == .assistant else { throw unsupported(place.path) }
      cursor.rewind(to: start)
      try cursor.skipValue()
      return dropped.add(place.path)
    }
    var block = Block(.text, at: place)
    let first = talk.blocks.count
    if type == .text, let text = try next(.text, &walk, &seen) { block.text = text.range }
    while let key = try cursor.nextMember(&walk) {
      switch try find(TranslationTables.piece, key, &seen, place) {
      case .type: try cursor.skipValue()
      case .text where type == .text: block.text = try string(place.member("text"))
      case .refusal where type == .refusal: block.text = try string(place.member("refusal"))
      case .imageURL where type == .imageURL: try readChatImage(at: place.at(.imageURL))
      case .inputAudio where type == .inputAudio: try readAudio(at: place.at(.inputAudio))
      case .file where type == .file: try readChatFile(at: place.at(.file))
      case .cacheControl: block.cache = try readCacheControl(key, in: place)
      default: try drop(key, in: place)
      }
    }
    if type == .text || type == .refusal {
      addText(block.text, cache: block.cache, at: place)
    } else if first < talk.blocks.count {
      talk.blocks[first].cache = block.cache
    } else {
      throw refuse(.missingRequiredParameter, place.path, "'\(place.path)' holds no content.")
    }
  }

  private mutating func readChatImage(at place: Place) throws(JSONTextError) {
    var block = Block(.image, at: place)
    if try cursor.peek() == .string {
      return try addMedia(.image, url: try cursor.string().range, block, param: place.path)
    }
    var url = ByteRange(0, 0)
    var walk = try object(place.path)
    var seen: UInt64 = 0
    while let key = try cursor.nextMember(&walk) {
      switch try find(TranslationTables.piece, key, &seen, place) {
      case .url: url = try string(place.member("url"))
      case .detail: block.detail = try readDetail(key, in: place)
      default: try drop(key, in: place)
      }
    }
    try addMedia(.image, url: url, block, param: place.member("url"))
  }

  mutating func readDetail(_ key: JSONString, in place: Place) throws(JSONTextError) -> ByteRange {
    guard takes.takesDetail, try cursor.peek() == .string else {
      try drop(key, in: place, unless: "\"auto\"")
      return ByteRange(0, 0)
    }
    return try extent()
  }

  /// Reads `input_audio`, which both OpenAI dialects share.
  mutating func readAudio(at place: Place) throws(JSONTextError) {
    var block = Block(.audio, at: place)
    var data = ByteRange(0, 0)
    var walk = try object(place.path)
    var seen: UInt64 = 0
    while let key = try cursor.nextMember(&walk) {
      switch try find(TranslationTables.piece, key, &seen, place) {
      case .data: data = try string(place.member("data"))
      case .format: block.media = MediaType(suffix: try string(place.member("format")).of(body))
      default: try drop(key, in: place)
      }
    }
    try addMedia(.audio, payload: data, block, param: place.path)
  }

  private mutating func readChatFile(at place: Place) throws(JSONTextError) {
    var block = Block(.document, at: place)
    var data = ByteRange(0, 0)
    var walk = try object(place.path)
    var seen: UInt64 = 0
    while let key = try cursor.nextMember(&walk) {
      switch try find(TranslationTables.piece, key, &seen, place) {
      case .fileData: data = try optionalString(place.member("file_data"))
      case .filename: block.name = try optionalString(place.member("filename"))
      case .fileID: if try !isNull() { throw unsupported(place.member("file_id")) }
      default: try drop(key, in: place)
      }
    }
    try addFile(data, block, at: place)
  }

  /// Adds a file by its data, a `data:` URL or plain base64.
  mutating func addFile(_ data: ByteRange, _ block: Block, at place: Place) throws(JSONTextError) {
    var block = block
    guard !data.isEmpty else {
      throw refuse(.missingRequiredParameter, place.member("file_data"), "'\(place.member("file_data"))' is missing.")
    }
    let name = block.name
    if !name.isEmpty, !takes.takesFileName { dropped.add(place.member("filename")) }
    if data.of(body).begins(withLowercase: "data:") {
      return try addMedia(.file, url: data, block, param: place.member("file_data"))
    }
    block.media = MediaType(ofFile: name.of(body))
    if block.media == .unknown { block.media = .pdf }
    try addMedia(.file, payload: data, block, param: place.member("file_data"))
  }
}
