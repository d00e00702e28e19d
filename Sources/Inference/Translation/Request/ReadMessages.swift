internal import JSONText

/// `POST /v1/messages` (`api.md` section 8).
extension ConversationReader {
  mutating func readMessages() throws(JSONTextError) {
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    let body = Place.body
    while let key = try cursor.nextMember(&walk) {
      switch try find(TranslationTables.asked, key, &seen, body) {
      case .model: try cursor.skipValue()
      case .maxTokens: talk.maxTokens = try integer("max_tokens")
      case .messages: try readMessageList()
      case .system: try readSystem()
      case .stream: talk.stream = try boolean("stream") ?? false
      case .temperature: talk.temperature = try number("temperature")
      case .topP: talk.topP = try number("top_p")
      case .topK where takes.takesTopK: talk.topK = try number("top_k")
      case .stopSequences: try readStops("stop_sequences")
      case .tools: try readTools(at: body)
      case .toolChoice: try readToolChoice(at: body.at(.toolChoice))
      case .thinking: try readThinking()
      case .outputConfig: try readOutputConfig()
      case .outputFormat: try readFormat(at: body.at(.outputFormat))
      case .metadata: try readMetadata()
      case .serviceTier: try drop(key, in: body, unless: "\"auto\"")
      default: try drop(key, in: body)
      }
    }
  }

  private mutating func readSystem() throws(JSONTextError) {
    switch try cursor.peek() {
    case .null: _ = try cursor.literal()
    case .string:
      let earlier = talk.systems
      talk.systems = []
      addSystem(SystemText(text: try cursor.string().range, place: Place.body.at(.system)))
      talk.systems += earlier
    case .array:
      let earlier = talk.systems
      talk.systems.removeAll(keepingCapacity: true)
      var walk = try cursor.enterArray()
      var index = 0
      while try cursor.nextElement(&walk) {
        let place = Place.body.at(.system, index)
        index += 1
        guard try cursor.peek() == .object else { throw unsupported(place.path) }
        var block = try cursor.enterObject()
        var seen: UInt64 = 0
        guard try pieceType(&block, &seen) == .text else { throw unsupported(place.path) }
        var text = SystemText(text: ByteRange(0, 0), place: place)
        try readTextBlock(&text.text, &text.cache, at: place, isInside: false, &block, &seen)
        addSystem(text)
      }
      talk.systems += earlier
    default: throw wrongType("system", "a string or an array of text blocks")
    }
  }

  /// The `type` of a block that was entered.
  private mutating func pieceType(_ walk: inout JSONWalk, _ seen: inout UInt64) throws(JSONTextError) -> PieceType? {
    value(try lead(.pieceType, &walk, &seen), of: TranslationTables.pieceType)
  }

  private mutating func readTextBlock(
    _ text: inout ByteRange, _ cache: inout ByteRange, at place: Place, isInside: Bool, _ walk: inout JSONWalk,
    _ seen: inout UInt64
  ) throws(JSONTextError) {
    if let string = try next(.text, &walk, &seen) { text = string.range }
    while let key = try cursor.nextMember(&walk) {
      switch try find(TranslationTables.piece, key, &seen, place) {
      case .type: try cursor.skipValue()
      case .text: text = try string(place.member("text"))
      case .cacheControl where !isInside: cache = try readCacheControl(key, in: place)
      default: try drop(key, in: place)
      }
    }
  }

  private mutating func readThinking() throws(JSONTextError) {
    let place = Place.body.at(.thinking)
    if try isNull() { return }
    guard try cursor.peek() == .object else { throw wrongType("thinking", "an object") }
    let start = cursor.position
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    switch value(try lead(.specType, &walk, &seen), of: TranslationTables.specType) {
    case .disabled: talk.thinking.mode = .disabled
    case .adaptive: talk.thinking.mode = .adaptive
    case .enabled: talk.thinking.mode = .budget
    default: throw refuse(.invalidValue, "thinking.type", "'thinking.type' is missing or unknown.")
    }
    talk.thinking.wantsText = talk.thinking.mode != .disabled
    while let key = try cursor.nextMember(&walk) {
      switch try find(TranslationTables.spec, key, &seen, place) {
      case .type: try cursor.skipValue()
      case .budgetTokens:
        _ = try cursor.peek()
        let start = cursor.position
        talk.thinking.budget = try integer("thinking.budget_tokens") ?? 0
        talk.thinking.budgetRange = ByteRange(start, cursor.position)
      case .display:
        guard takes.wire != .chat else {
          try drop(key, in: place)
          continue
        }
        if try optionalString("thinking.display").of(body).equals("omitted") { talk.thinking.wantsText = false }
      default: if takes.isClaude { try cursor.skipValue() } else { try drop(key, in: place) }
      }
    }
    talk.thinking.whole = ByteRange(start, cursor.position)
  }

  private mutating func readOutputConfig() throws(JSONTextError) {
    if try isNull() { return }
    let place = Place.body.at(.outputConfig)
    var walk = try object("output_config")
    var seen: UInt64 = 0
    while let key = try cursor.nextMember(&walk) {
      switch try find(TranslationTables.spec, key, &seen, place) {
      case .effort: try readEffort("output_config.effort")
      case .format: try readFormat(at: place.at(.format))
      default: try drop(key, in: place)
      }
    }
  }

  private mutating func readMetadata() throws(JSONTextError) {
    if try isNull() { return }
    let place = Place.body.at(.metadata)
    var walk = try object("metadata")
    while let key = try cursor.nextMember(&walk) {
      if key.range.of(body).equals("user_id") { try readPerson("metadata.user_id") } else { try drop(key, in: place) }
    }
  }

  // MARK: Messages

  private mutating func readMessageList() throws(JSONTextError) {
    var walk = try array("messages")
    var index = 0
    while try cursor.nextElement(&walk) {
      let place = Place.body.at(.messages, index)
      index += 1
      guard try cursor.peek() == .object else { throw wrongType(place.path, "an object") }
      let turn: Turn.Role
      var members = try cursor.enterObject()
      var seen: UInt64 = 0
      switch value(try lead(.role, &members, &seen), of: TranslationTables.role) {
      case .user: turn = .user
      case .assistant: turn = .assistant
      case .system: turn = .system
      default: throw refuse(.invalidValue, place.member("role"), "'\(place.member("role"))' is missing or unknown.")
      }
      let isLeading = talk.turns.isEmpty
      open(turn, at: place)
      if let text = try next(.content, &members, &seen) { addText(text.range, at: place.at(.content)) }
      while let key = try cursor.nextMember(&members) {
        switch try find(TranslationTables.piece, key, &seen, place) {
        case .role: try cursor.skipValue()
        case .content: try readBlocks(at: place, turn, isInside: false)
        default: try drop(key, in: place)
        }
      }
      turn == .system && isLeading ? closeSystem() : close()
    }
  }

  /// Reads the content of a message, or of a block in it.
  private mutating func readBlocks(at place: Place, _ role: Turn.Role, isInside: Bool) throws(JSONTextError) {
    switch try cursor.peek() {
    case .null: _ = try cursor.literal()
    case .string: addText(try cursor.string().range, at: place.at(.content))
    case .array:
      var walk = try cursor.enterArray()
      var index = 0
      while try cursor.nextElement(&walk) {
        try readBlock(at: place.at(.content, index), role, isInside: isInside)
        index += 1
      }
    default: throw wrongType(place.member("content"), "a string or an array of blocks")
    }
  }

  private mutating func readBlock(at place: Place, _ role: Turn.Role, isInside: Bool) throws(JSONTextError) {
    guard try cursor.peek() == .object else { throw wrongType(place.path, "an object") }
    let start = cursor.mark
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    let type = try pieceType(&walk, &seen)
    switch type {
    case .text:
      var (text, cache) = (ByteRange(0, 0), ByteRange(0, 0))
      try readTextBlock(&text, &cache, at: place, isInside: isInside, &walk, &seen)
      addText(text, cache: cache, at: place)
    case .image where role == .user, .document where role == .user:
      try readMediaBlock(type == .image ? .image : .file, at: place, isInside: isInside, &walk, &seen)
    case .toolUse where role == .assistant: try readToolUse(at: place, &walk, &seen)
    case .toolResult where role == .user && !isInside: try readToolResult(at: place, &walk, &seen)
    case .thinking where role == .assistant && takes.takesThoughts,
      .redactedThinking where role == .assistant && takes.takesThoughts:
      try readThought(at: place, isRedacted: type == .redactedThinking, &walk, &seen)
    default:
      // Of an earlier turn of the model, or a tool's reference: said, and left out. What the user sends must arrive.
      guard role == .assistant || isInside else { throw unsupported(place.path) }
      cursor.rewind(to: start)
      try cursor.skipValue()
      dropped.add(place.path)
    }
  }

  private mutating func readThought(
    at place: Place, isRedacted: Bool, _ walk: inout JSONWalk, _ seen: inout UInt64
  ) throws(JSONTextError) {
    var block = Block(isRedacted ? .redactedThinking : .thinking, at: place)
    while let key = try cursor.nextMember(&walk) {
      switch try find(TranslationTables.piece, key, &seen, place) {
      case .type: try cursor.skipValue()
      case .thinking where !isRedacted: block.text = try string(place.member("thinking"))
      case .signature where !isRedacted: block.signature = try string(place.member("signature"))
      case .data where isRedacted: block.text = try string(place.member("data"))
      default: try drop(key, in: place)
      }
    }
    guard isRedacted ? !block.text.isEmpty : !block.signature.isEmpty else { return dropped.add(place.path) }
    talk.blocks.append(block)
  }

  private mutating func readToolUse(
    at place: Place, _ walk: inout JSONWalk, _ seen: inout UInt64
  ) throws(JSONTextError) {
    var call = Block(.call, at: place)
    call.form = .object
    while let key = try cursor.nextMember(&walk) {
      switch try find(TranslationTables.piece, key, &seen, place) {
      case .type: try cursor.skipValue()
      case .id:
        let id = try string(place.member("id"))
        identify(&call, by: id)
      case .name: call.name = try string(place.member("name"))
      case .input:
        guard try cursor.peek() == .object else { throw wrongType(place.member("input"), "an object") }
        call.text = try extent()
      case .cacheControl: call.cache = try readCacheControl(key, in: place)
      default: try drop(key, in: place)
      }
    }
    guard !call.id.isEmpty else {
      throw refuse(.missingRequiredParameter, place.member("id"), "'\(place.member("id"))' is missing.")
    }
    try check(call, nameAt: place)
    addCall(call)
  }

  private mutating func readToolResult(
    at place: Place, _ walk: inout JSONWalk, _ seen: inout UInt64
  ) throws(JSONTextError) {
    let number = openResult(Block(.result, at: place))
    while let key = try cursor.nextMember(&walk) {
      switch try find(TranslationTables.piece, key, &seen, place) {
      case .type: try cursor.skipValue()
      case .toolUseID: identifyResult(number, by: try string(place.member("tool_use_id")))
      case .content: try readBlocks(at: place, .user, isInside: true)
      case .isError: talk.blocks[number].isError = try boolean(place.member("is_error")) ?? false
      case .cacheControl: talk.blocks[number].cache = try readCacheControl(key, in: place)
      default: try drop(key, in: place)
      }
    }
    guard !talk.blocks[number].id.isEmpty else {
      throw refuse(
        .missingRequiredParameter, place.member("tool_use_id"), "'\(place.member("tool_use_id"))' is missing.")
    }
    try closeResult(number, param: place.member("tool_use_id"))
  }

  // MARK: Media

  private mutating func readMediaBlock(
    _ kind: MediaKind, at place: Place, isInside: Bool, _ walk: inout JSONWalk, _ seen: inout UInt64
  ) throws(JSONTextError) {
    var block = Block(kind == .image ? .image : .document, at: place)
    let first = talk.blocks.count
    while let key = try cursor.nextMember(&walk) {
      switch try find(TranslationTables.piece, key, &seen, place) {
      case .type: try cursor.skipValue()
      case .source: try readSource(kind, block, at: place.at(.source))
      case .title where kind == .file && takes.takesFileName: block.name = try optionalString(place.member("title"))
      case .context where kind == .file && takes.takesContext:
        block.context = try optionalString(place.member("context"))
      case .cacheControl where !isInside: block.cache = try readCacheControl(key, in: place)
      default: try drop(key, in: place)
      }
    }
    guard first < talk.blocks.count else {
      throw refuse(.missingRequiredParameter, place.member("source"), "'\(place.member("source"))' is missing.")
    }
    // A document of text has become text: its title and context have no place there.
    if talk.blocks[first].kind == .text {
      if !block.name.isEmpty { dropped.add(place.member("title")) }
      if !block.context.isEmpty { dropped.add(place.member("context")) }
    } else {
      talk.blocks[first].name = block.name
      talk.blocks[first].context = block.context
    }
    talk.blocks[first].cache = block.cache
  }

  private mutating func readSource(_ kind: MediaKind, _ block: Block, at place: Place) throws(JSONTextError) {
    guard try cursor.peek() == .object else { throw wrongType(place.path, "an object") }
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    let type = try pieceType(&walk, &seen)
    var block = block
    var (data, url) = (ByteRange(0, 0), ByteRange(0, 0))
    while let key = try cursor.nextMember(&walk) {
      switch try find(TranslationTables.piece, key, &seen, place) {
      case .type: try cursor.skipValue()
      case .mediaType:
        let name = try string(place.member("media_type"))
        note(name, as: &block)
      case .data: data = try string(place.member("data"))
      case .url: url = try string(place.member("url"))
      case .content where type == .content: try readBlocks(at: place, .user, isInside: true)
      default: try drop(key, in: place)
      }
    }
    switch type {
    case .base64: try addMedia(kind, payload: data, block, param: place.member("data"))
    case .text where kind == .file: addText(data, at: place.at(.text))
    case .content where kind == .file: break
    case .url:
      if kind == .file, block.media == .unknown { block.media = .pdf }
      try addMedia(kind, url: url, block, param: place.member("url"))
    default: throw unsupported(place.path)
    }
  }
}
