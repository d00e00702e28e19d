internal import JSONText

/// Turns and their content blocks: every string but roles, known types and sealed data is text; neighbouring text blocks
/// count as one.
extension RequestScan {
  /// A stretch of base64 shorter than this is no seal of Anthropic's but may be an identifier.

  /// Where a block stands, for the texts of refusals; no string is made of it before.
  private struct Place {
    var isSystem = false
    var index = 0
    var isNested = false
  }

  private func path(_ place: Place) -> String {
    (place.isSystem ? "system" : "messages[\(messageCount)].content") + "[\(place.index)]."
      + (place.isNested ? "content." : "")
  }

  /// What a turn's own blocks hold that the newer version refuses by role.
  private struct TurnSigns {
    var documentIndex: Int?
    var citedTextIndex: Int?
  }

  func turns(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .array else { throw wrongType("messages", "an array", at: cursor) }
    var walk = try cursor.enterArray()
    while try cursor.nextElement(&walk) {
      try turn(&cursor)
      messageCount += 1
    }
    guard messageCount > 0 else {
      throw refuse(.invalidValue, "messages", "'messages' must hold at least one message.", at: cursor)
    }
  }

  private func turn(_ cursor: inout JSONCursor) throws(JSONTextError) {
    let (number, firstSegment) = (messageCount, segments.count)
    guard try cursor.peek() == .object else { throw wrongType("messages[\(number)]", "an object", at: cursor) }
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    var role: Role?
    var hasContent = false
    var signs = TurnSigns()
    while let key = try cursor.nextMember(&walk) {
      switch try find(MessagesMembers.turn, key, &seen, cursor, in: "messages[\(number)].") {
      case .role: role = try self.role(number, &cursor)
      case .content:
        hasContent = true
        switch try cursor.peek() {
        case .string: addText(try cursor.string())
        case .array: signs = try blocks(&cursor, Place())
        default: throw wrongType("messages[\(number)].content", "a string or an array of blocks", at: cursor)
        }
      case nil: try unknown(key, &cursor)
      }
    }
    guard let role, hasContent else {
      let missing = "messages[\(number)]." + (role == nil ? "role" : "content")
      throw refuse(.missingRequiredParameter, missing, "'\(missing)' is missing.", at: cursor)
    }
    if role == .user { noteUserMessage(from: firstSegment) }
    if role == .assistant, let index = signs.documentIndex {
      noteNewerVersionFault(
        "messages[\(number)].content[\(index)]", "documents in turns of the assistant are not supported")
    }
    if role == .user, let index = signs.citedTextIndex {
      noteNewerVersionFault(
        "messages[\(number)].content[\(index)].citations", "citations in texts of the user are not supported")
    }
  }

  private enum Role { case user, assistant, system }

  /// Roles are a closed set: another one is a mistake or carries something.
  private func role(_ number: Int, _ cursor: inout JSONCursor) throws(JSONTextError) -> Role {
    guard try cursor.peek() == .string else { throw wrongType("messages[\(number)].role", "a string", at: cursor) }
    let text = try cursor.string()
    let name = text.range.of(body)
    countText(text)
    if name.equals("user") { return .user }
    if name.equals("assistant") { return .assistant }
    if name.equals("system") { return .system }
    throw refuse(
      .invalidValue, "messages[\(number)].role",
      "'messages[\(number)].role' must be one of 'user', 'assistant' and 'system'.", at: cursor)
  }

  func system(_ cursor: inout JSONCursor) throws(JSONTextError) {
    switch try cursor.peek() {
    case .null: _ = try cursor.literal()
    case .string: addText(try cursor.string())
    case .array: _ = try blocks(&cursor, Place(isSystem: true))
    default: throw wrongType("system", "a string or an array of blocks", at: cursor)
    }
  }

  /// - Parameter outer: The place of the block that holds these; its own index counts only inside of another block.
  private func blocks(_ cursor: inout JSONCursor, _ outer: Place) throws(JSONTextError) -> TurnSigns {
    var signs = TurnSigns()
    var walk = try cursor.enterArray()
    var shared: Int32?
    var index = 0
    var place = outer
    while try cursor.nextElement(&walk) {
      if !outer.isNested { place.index = index }
      if try cursor.peek() == .object {
        let (isDocument, isCitedText) = try block(&cursor, place, &shared)
        if isDocument, signs.documentIndex == nil { signs.documentIndex = index }
        if isCitedText, signs.citedTextIndex == nil { signs.citedTextIndex = index }
      } else {
        shared = nil
        try free(&cursor)
      }
      index += 1
    }
    return signs
  }

  private enum BlockKind { case none, text, image, document, thinking, redactedThinking, containerUpload, other }

  private func blockKind(_ cursor: inout JSONCursor) throws(JSONTextError) -> BlockKind {
    guard try cursor.peek() == .string else {
      try free(&cursor)
      return .other
    }
    let text = try cursor.string()
    structural(.block, text)
    let name = text.range.of(body)
    if name.equals("text") { return .text }
    if name.equals("image") { return .image }
    if name.equals("document") { return .document }
    if name.equals("thinking") { return .thinking }
    if name.equals("redacted_thinking") { return .redactedThinking }
    return name.equals("container_upload") ? .containerUpload : .other
  }

  private func block(
    _ cursor: inout JSONCursor, _ place: Place, _ shared: inout Int32?
  ) throws(JSONTextError) -> (isDocument: Bool, isCitedText: Bool) {
    textBytes &+= 16
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    var kind = BlockKind.none
    var isText = false
    var isCited = false
    var isSigned = false
    // Where sealed data was taken for text, because the type follows behind it.
    var early: (signature: Int?, data: Int?) = (nil, nil)
    while let key = try cursor.nextMember(&walk) {
      let member = try find(MessagesMembers.block, key, &seen, cursor, in: path(place))
      switch member {
      case .type: kind = try blockKind(&cursor)
      case .text:
        guard try cursor.peek() == .string else {
          try free(&cursor)
          continue
        }
        isText = true
        let group = shared ?? nextGroup()
        shared = group
        addText(try cursor.string(), group: group)
      case .source: try source(&cursor, place)
      case .content:
        var inside = place
        inside.isNested = true
        try blockContent(&cursor, inside)
      case .input, .thinking, .title, .context: try free(&cursor)
      case .id, .name, .toolUseID, .toolName, .serverName: try identifier(&cursor)
      case .fileID:
        features.insert(.remoteFile)
        try identifier(&cursor)
      case .citations: isCited = try citations(&cursor)
      case .signature:
        isSigned = try cursor.peek() == .string
        let start = cursor.position
        early.signature = try sealed(&cursor, isSeal: kind == .thinking)
        if cursor.position - start <= 2 { isSigned = false }
      case .data: early.data = try sealed(&cursor, isSeal: kind == .redactedThinking)
      case .encryptedContent, .encryptedStdout: _ = try sealed(&cursor, isSeal: true)
      case .caller: try caller(&cursor)
      case .cacheControl: try cacheControl(&cursor)
      case .isError: try scalar(&cursor)
      case nil: try unknown(key, &cursor)
      }
    }
    switch kind {
    case .thinking:
      if let place = early.signature { removeSegment(at: place) }
      if !isSigned { hasUnsignedThoughts = true }
    case .redactedThinking: if let place = early.data { removeSegment(at: place) }
    case .image: images += 1
    case .document: files += 1
    case .containerUpload: features.insert(.remoteFile)
    default: break
    }
    if !isText { shared = nil }
    return (kind == .document, isText && isCited)
  }

  /// The content of a block: a text, blocks, one block (a result or an error), or anything.
  private func blockContent(_ cursor: inout JSONCursor, _ place: Place) throws(JSONTextError) {
    switch try cursor.peek() {
    case .array: _ = try blocks(&cursor, place)
    case .object:
      var shared: Int32?
      _ = try block(&cursor, place, &shared)
    default: try free(&cursor)
    }
  }

  /// Reads data that only the provider can read, if it looks so; else it is text.
  /// - Returns: The index of its segment, if it would be sealed data in a block of another type.
  private func sealed(_ cursor: inout JSONCursor, isSeal: Bool) throws(JSONTextError) -> Int? {
    guard try cursor.peek() == .string else {
      try free(&cursor)
      return nil
    }
    let text = try cursor.string()
    let raw = text.range.of(body)
    let looksSealed = Seal.isOne(raw)
    if isSeal, looksSealed {
      countText(text)
      return nil
    }
    let place = segments.count
    addText(text)
    return looksSealed ? place : nil
  }

  /// Who called a tool: the model itself, or code that the provider ran.
  private func caller(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .object else { return try free(&cursor) }
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let name = key.range.of(body)
      if name.equals("type") {
        try structural(.caller, &cursor)
      } else if name.equals("tool_id") {
        try identifier(&cursor)
      } else {
        try unknown(key, &cursor)
      }
    }
  }

  // MARK: Citations

  /// - Returns: Whether there is at least one.
  private func citations(_ cursor: inout JSONCursor) throws(JSONTextError) -> Bool {
    guard try cursor.peek() == .array else {
      try citation(&cursor)
      return false
    }
    var walk = try cursor.enterArray()
    var hasAny = false
    while try cursor.nextElement(&walk) {
      hasAny = true
      try citation(&cursor)
    }
    return hasAny
  }

  private func citation(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .object else { return try free(&cursor) }
    textBytes &+= 64  // positions and syntax
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let name = key.range.of(body)
      if name.equals("type") {
        try structural(.citation, &cursor)
      } else if name.equals("encrypted_index") {
        _ = try sealed(&cursor, isSeal: true)
      } else if name.equals("enabled") || Self.isPosition(name) {
        try scalar(&cursor)
      } else if Self.isCitedText(name) {
        try free(&cursor)
      } else {
        try unknown(key, &cursor)
      }
    }
  }

  private static func isPosition(_ name: UnsafeRawBufferPointer) -> Bool {
    name.equals("document_index") || name.equals("start_char_index") || name.equals("end_char_index")
      || name.equals("start_page_number") || name.equals("end_page_number") || name.equals("start_block_index")
      || name.equals("end_block_index") || name.equals("search_result_index")
  }

  private static func isCitedText(_ name: UnsafeRawBufferPointer) -> Bool {
    name.equals("cited_text") || name.equals("document_title") || name.equals("title") || name.equals("url")
      || name.equals("source")
  }

  // MARK: Media

  private func source(_ cursor: inout JSONCursor, _ place: Place) throws(JSONTextError) {
    guard try cursor.peek() == .object else { return try free(&cursor) }
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    var isBase64 = false
    // Nil until the type of the media is known.
    var isTextMedia: Bool?
    // Data that was taken for text, because what it is follows behind it.
    var early: (text: JSONString, place: Int, textBytes: Int)?
    while let key = try cursor.nextMember(&walk) {
      let member = try find(MessagesMembers.source, key, &seen, cursor, in: path(place) + "source.")
      if member == .content {
        var inside = place
        inside.isNested = true
        try blockContent(&cursor, inside)
        continue
      }
      guard let member else {
        try unknown(key, &cursor)
        continue
      }
      guard try cursor.peek() == .string else {
        try free(&cursor)
        continue
      }
      let text = try cursor.string()
      switch member {
      case .type:
        structural(.source, text)
        isBase64 = text.range.of(body).equals("base64")
      case .mediaType:
        structural(.mediaType, text)
        isTextMedia = text.hasEscapes || text.range.of(body).begins(withLowercase: "text/")
      case .data:
        if isBase64, isTextMedia == false, Self.isBase64(text.range.of(body)) {
          payload(text)
        } else {
          let place = segments.count
          let before = textBytes
          addText(text)
          early = (text, place, textBytes - before)
        }
      case .url:
        features.insert(.remoteMedia)
        addText(text)
      case .fileID:
        features.insert(.remoteFile)
        addText(text, isIdentifier: true)
      case .content: break
      }
    }
    guard let early, isBase64, isTextMedia != true, Self.isBase64(early.text.range.of(body)) else { return }
    payload(early.text)
    textBytes &-= early.textBytes
    if !early.text.isEmpty { removeSegment(at: early.place) }
  }

  private func payload(_ data: JSONString) {
    features.insert(.binary)
    mediaBytes += data.range.count
  }

  /// Takes back a segment that turned out to be none; far from the end it stays one, because moving many costs more than
  /// to look through it.
  private func removeSegment(at place: Int) {
    guard place < segments.count, segments.count - place <= 4096 else { return }
    segments.remove(at: place)
  }
}
