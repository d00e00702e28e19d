internal import JSONText

/// `POST /v1/responses` (`api.md` section 7), without anything that the provider would have to remember.
extension ConversationReader {
  mutating func readResponses() throws(JSONTextError) {
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    let body = Place.body
    while let key = try cursor.nextMember(&walk) {
      switch try find(TranslationTables.asked, key, &seen, body) {
      case .model, .maxOutputTokens: try cursor.skipValue()
      case .input: try readInput()
      case .instructions: try readInstructions()
      case .stream: talk.stream = try boolean("stream") ?? false
      case .streamOptions: try readStreamOptions()
      case .temperature: talk.temperature = try number("temperature")
      case .topP: talk.topP = try number("top_p")
      case .tools: try readTools(at: body)
      case .toolChoice: try readToolChoice(at: body.at(.toolChoice))
      case .parallelToolCalls: talk.parallelCalls = try boolean("parallel_tool_calls")
      case .reasoning: try readReasoning()
      case .text: try readTextOptions()
      case .user: try readPerson("user")
      case .safetyIdentifier: try readPerson("safety_identifier")
      case .promptCacheKey, .promptCacheOptions, .promptCacheRetention, .moderation: try carry(key, in: body)
      case .serviceTier: try carry(key, in: body, unless: "\"auto\"", "\"default\"")
      case .truncation: try drop(key, in: body, unless: "\"disabled\"")
      case .store: try drop(key, in: body, unless: "false")
      case .topLogprobs: try drop(key, in: body, unless: "0")
      case .background: if try boolean("background") == true { throw unsupported("background") }
      case .previousResponseID: try refuseStored("previous_response_id")
      case .conversation: try refuseStored("conversation")
      case .prompt: try refuseStored("prompt")
      default: try drop(key, in: body)
      }
    }
  }

  /// What means something that the provider keeps is no part of a stateless request.
  private mutating func refuseStored(_ name: String) throws(JSONTextError) {
    if try !isNull() { throw unsupported(name) }
  }

  /// Keeps a member that chat has under the same name and with the same values.
  private mutating func carry(_ key: JSONString, in place: Place) throws(JSONTextError) {
    guard takes.wire == .chat, try cursor.peek() != .null else { return try drop(key, in: place) }
    talk.carried.append((key.quoted, try extent()))
  }

  private mutating func carry(_ key: JSONString, in place: Place, unless first: StaticString, _ second: StaticString)
    throws(JSONTextError)
  {
    guard takes.wire == .chat else { return try drop(key, in: place, unless: first, second) }
    try carry(key, in: place)
  }

  private mutating func readInstructions() throws(JSONTextError) {
    let text = try optionalString("instructions")
    let earlier = talk.systems
    talk.systems = []
    addSystem(SystemText(text: text, place: Place.body.at(.instructions)))
    talk.systems += earlier
  }

  private mutating func readReasoning() throws(JSONTextError) {
    if try isNull() { return }
    let place = Place.body.at(.reasoning)
    var walk = try object("reasoning")
    var seen: UInt64 = 0
    while let key = try cursor.nextMember(&walk) {
      switch try find(TranslationTables.spec, key, &seen, place) {
      case .effort: try readEffort("reasoning.effort")
      case .summary where takes.wire != .chat, .generateSummary where takes.wire != .chat:
        if try !isNull() {
          _ = try string(place.member("summary"))
          talk.thinking.wantsText = true
        }
      default: try drop(key, in: place)
      }
    }
  }

  private mutating func readTextOptions() throws(JSONTextError) {
    if try isNull() { return }
    let place = Place.body.at(.text)
    var walk = try object("text")
    var seen: UInt64 = 0
    while let key = try cursor.nextMember(&walk) {
      switch try find(TranslationTables.spec, key, &seen, place) {
      case .format: try readFormat(at: place.at(.format))
      case .verbosity: try carry(key, in: place)
      default: try drop(key, in: place)
      }
    }
  }

  // MARK: Items

  private mutating func readInput() throws(JSONTextError) {
    switch try cursor.peek() {
    case .string:
      let place = Place.body.at(.input)
      open(.user, at: place)
      addText(try cursor.string().range, at: place)
      close()
    case .array:
      var walk = try cursor.enterArray()
      var index = 0
      while try cursor.nextElement(&walk) {
        try readItem(at: Place.body.at(.input, index))
        index += 1
      }
    default: throw wrongType("input", "a string or an array of items")
    }
  }

  private mutating func readItem(at place: Place) throws(JSONTextError) {
    guard try cursor.peek() == .object else { throw wrongType(place.path, "an object") }
    let start = cursor.mark
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    // Most messages have no type: that they are none of another type shows at their end.
    if let role = speaker(try next(.role, &walk, &seen)) {
      let before = (blocks: talk.blocks.count, turns: talk.turns.count, dropped: dropped.all.count)
      open(role, at: place)
      if try readMessageMembers(at: place, role, &walk, &seen) { return closeMessage(role, before.turns == 0) }
      talk.blocks.removeLast(talk.blocks.count - before.blocks)
      talk.turns.removeLast(talk.turns.count - before.turns)
      dropped.truncate(to: before.dropped)
    }
    cursor.rewind(to: start)
    walk = try cursor.enterObject()
    seen = 0
    let type = try lead(.pieceType, &walk, &seen)
    switch value(type, of: TranslationTables.pieceType) {
    case .message: try readMessageItem(at: place, &walk, &seen)
    case .functionCall, .customToolCall: try readCallItem(at: place, &walk, &seen)
    case .functionCallOutput, .customToolCallOutput: try readOutputItem(at: place, &walk, &seen)
    case .additionalTools: try readAdditionalTools(at: place, &walk, &seen)
    case .itemReference: throw unsupported(place.path)
    default:
      if type == nil { return try readMessageItem(at: place, &walk, &seen) }
      // Thoughts, hosted tools and what nobody knows: said, and left out.
      cursor.rewind(to: start)
      try cursor.skipValue()
      dropped.add(place.path)
    }
  }

  private mutating func readMessageItem(
    at place: Place, _ walk: inout JSONWalk, _ seen: inout UInt64
  ) throws(JSONTextError) {
    guard let role = speaker(try lead(.role, &walk, &seen)) else {
      throw refuse(.invalidValue, place.member("role"), "'\(place.member("role"))' is missing or unknown.")
    }
    let isLeading = talk.turns.isEmpty
    open(role, at: place)
    _ = try readMessageMembers(at: place, role, &walk, &seen)
    closeMessage(role, isLeading)
  }

  private mutating func speaker(_ text: JSONString?) -> Turn.Role? {
    switch value(text, of: TranslationTables.role) {
    case .system, .developer: .system
    case .user: .user
    case .assistant: .assistant
    default: nil
    }
  }

  /// - Returns: False if the item says that it is no message.
  private mutating func readMessageMembers(
    at place: Place, _ role: Turn.Role, _ walk: inout JSONWalk, _ seen: inout UInt64
  ) throws(JSONTextError) -> Bool {
    if let text = try next(.content, &walk, &seen) { addText(text.range, at: place.at(.content)) }
    while let key = try cursor.nextMember(&walk) {
      switch try find(TranslationTables.piece, key, &seen, place) {
      case .type:
        guard try cursor.peek() == .string else { try cursor.skipValue(); continue }
        guard value(try cursor.string(), of: TranslationTables.pieceType) == .message else { return false }
      case .role, .id, .status: try cursor.skipValue()
      case .content: try readItemContent(at: place, .content, takesMedia: role == .user)
      default: try drop(key, in: place)
      }
    }
    return true
  }

  private mutating func closeMessage(_ role: Turn.Role, _ isLeading: Bool) {
    role == .system && isLeading ? closeSystem() : close()
  }

  private mutating func readItemContent(
    at place: Place, _ step: Place.Step, takesMedia: Bool
  ) throws(JSONTextError) {
    switch try cursor.peek() {
    case .null: _ = try cursor.literal()
    case .string: addText(try cursor.string().range, at: place.at(step))
    case .array:
      var walk = try cursor.enterArray()
      var index = 0
      while try cursor.nextElement(&walk) {
        try readItemPart(at: place.at(step, index), takesMedia: takesMedia)
        index += 1
      }
    default: throw wrongType(place.at(step).path, "a string or an array of parts")
    }
  }

  private mutating func readItemPart(at place: Place, takesMedia: Bool) throws(JSONTextError) {
    guard try cursor.peek() == .object else { throw wrongType(place.path, "an object") }
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    let type = value(
      try lead(.pieceType, &walk, &seen), of: TranslationTables.pieceType)
    switch type {
    case .inputText, .outputText, .text, .refusal: break
    case .inputImage, .inputFile, .inputAudio: if !takesMedia { throw unsupported(place.path) }
    default: throw unsupported(place.path)
    }
    var block = Block(type == .inputImage ? .image : .document, at: place)
    var (text, url, data, address) = (ByteRange(0, 0), ByteRange(0, 0), ByteRange(0, 0), ByteRange(0, 0))
    var cache = ByteRange(0, 0)
    let first = talk.blocks.count
    if type != .refusal, let string = try next(.text, &walk, &seen) { text = string.range }
    while let key = try cursor.nextMember(&walk) {
      switch try find(TranslationTables.piece, key, &seen, place) {
      case .type: try cursor.skipValue()
      case .text where type != .refusal: text = try string(place.member("text"))
      case .refusal where type == .refusal: text = try string(place.member("refusal"))
      case .imageURL where type == .inputImage: url = try optionalString(place.member("image_url"))
      case .detail where type == .inputImage: block.detail = try readDetail(key, in: place)
      case .fileID: if try !isNull() { throw unsupported(place.member("file_id")) }
      case .fileData where type == .inputFile: data = try optionalString(place.member("file_data"))
      case .fileURL where type == .inputFile: address = try optionalString(place.member("file_url"))
      case .filename where type == .inputFile: block.name = try optionalString(place.member("filename"))
      case .inputAudio where type == .inputAudio: try readAudio(at: place.at(.inputAudio))
      case .cacheControl: cache = try readCacheControl(key, in: place)
      default: try drop(key, in: place)
      }
    }
    switch type {
    case .inputImage:
      guard !url.isEmpty else {
        throw refuse(
          .missingRequiredParameter, place.member("image_url"), "'\(place.member("image_url"))' is missing.")
      }
      try addMedia(.image, url: url, block, param: place.member("image_url"))
    case .inputFile:
      if address.isEmpty {
        try addFile(data, block, at: place)
      } else {
        if !block.name.isEmpty, !takes.takesFileName { dropped.add(place.member("filename")) }
        try addMedia(.file, url: address, block, param: place.member("file_url"))
      }
    case .inputAudio: break
    default: addText(text, cache: cache, at: place)
    }
    if first < talk.blocks.count { talk.blocks[first].cache = cache }
  }

  // MARK: Calls and outputs

  private mutating func readCallItem(
    at place: Place, _ walk: inout JSONWalk, _ seen: inout UInt64
  ) throws(JSONTextError) {
    var call = Block(.call, at: place)
    while let key = try cursor.nextMember(&walk) {
      switch try find(TranslationTables.piece, key, &seen, place) {
      case .type, .id, .status: try cursor.skipValue()
      case .callID:
        let id = try string(place.member("call_id"))
        identify(&call, by: id)
      case .name: call.name = try string(place.member("name"))
      case .arguments: try readArguments(&call, place.member("arguments"))
      case .input:
        call.text = try optionalString(place.member("input"))
        call.form = .custom
      case .extraContent: try readExtraContent(&call, at: place.at(.extraContent))
      default: try drop(key, in: place)
      }
    }
    guard !call.id.isEmpty else {
      throw refuse(.missingRequiredParameter, place.member("call_id"), "'\(place.member("call_id"))' is missing.")
    }
    try check(call, nameAt: place)
    open(.assistant, at: place)
    addCall(call)
    close()
  }

  private mutating func readOutputItem(
    at place: Place, _ walk: inout JSONWalk, _ seen: inout UInt64
  ) throws(JSONTextError) {
    open(.user, at: place)
    let number = openResult(Block(.result, at: place))
    while let key = try cursor.nextMember(&walk) {
      switch try find(TranslationTables.piece, key, &seen, place) {
      case .type, .id, .status: try cursor.skipValue()
      case .callID: identifyResult(number, by: try string(place.member("call_id")))
      case .output: try readItemContent(at: place, .output, takesMedia: true)
      default: try drop(key, in: place)
      }
    }
    guard !talk.blocks[number].id.isEmpty else {
      throw refuse(.missingRequiredParameter, place.member("call_id"), "'\(place.member("call_id"))' is missing.")
    }
    try closeResult(number, param: place.member("call_id"))
    close()
  }

  /// Codex sends tools in an item of their own.
  private mutating func readAdditionalTools(
    at place: Place, _ walk: inout JSONWalk, _ seen: inout UInt64
  ) throws(JSONTextError) {
    while let key = try cursor.nextMember(&walk) {
      switch try find(TranslationTables.piece, key, &seen, place) {
      case .type, .id, .status, .role: try cursor.skipValue()
      case .tools: try readTools(at: place)
      default: try drop(key, in: place)
      }
    }
  }
}
