internal import JSONText

/// `input` of a Responses request: a text, or items. Items that nobody knows are kept whole, and all their strings are
/// text.
extension RequestScan {
  private var itemPath: String { "input[\(messageCount)]" }

  func responsesInput(_ cursor: inout JSONCursor) throws(JSONTextError) {
    switch try cursor.peek() {
    case .string:
      let firstSegment = segments.count
      addText(try cursor.string())
      messageCount = 1
      noteUserMessage(from: firstSegment)
    case .array:
      var walk = try cursor.enterArray()
      while try cursor.nextElement(&walk) {
        guard try cursor.peek() == .object else { throw wrongType(itemPath, "an object", at: cursor) }
        try item(&cursor)
        messageCount += 1
      }
      guard messageCount > 0 else {
        throw refuse(.invalidValue, "input", "'input' must hold at least one item.", at: cursor)
      }
    default: throw wrongType("input", "a string or an array of items", at: cursor)
    }
  }

  private func item(_ cursor: inout JSONCursor) throws(JSONTextError) {
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    var (hasType, hasRole, hasID) = (false, false, false)
    let firstSegment = segments.count
    var isUser = false
    textBytes &+= 16  // what a provider writes around an item
    while let key = try cursor.nextMember(&walk) {
      switch try find(Members.responsesItem, key, &seen, cursor, in: itemPath + ".") {
      case .type:
        hasType = try itemType(&cursor)
      case .role:
        hasRole = true
        guard try cursor.peek() == .string else { throw wrongType(itemPath + ".role", "a string", at: cursor) }
        let text = try cursor.string()
        guard ClosedValues.role.contains(text, in: body) else {
          throw refuse(
            .invalidValue, itemPath + ".role",
            "'\(itemPath).role' must be one of 'developer', 'system', 'user' and 'assistant'.", at: cursor)
        }
        countText(text)
        isUser = text.range.of(body).equals("user")
      case .content, .summary, .output: try content(&cursor)
      case .id:
        hasID = true
        try identifier(&cursor)
      case .callID, .name, .namespace: try identifier(&cursor)
      case .status: try structural(.itemStatus, &cursor)
      case .phase: try structural(.phase, &cursor)
      case .arguments: try arguments(&cursor)
      case .input: try free(&cursor)
      case .tools: try responsesTools(itemPath + ".tools", &cursor)
      case .encryptedContent: try opaque(&cursor)
      case nil: try unknown(key, &cursor)
      }
    }
    guard hasType || hasRole else {
      // OpenAI reads an id alone as a reference.
      if hasID { throw reference(at: cursor) }
      throw refuse(.missingRequiredParameter, itemPath + ".type", "'\(itemPath).type' is missing.", at: cursor)
    }
    if isUser { noteUserMessage(from: firstSegment) }
  }

  private func reference(at cursor: JSONCursor) -> JSONTextError {
    refuse(
      .unsupportedParameter, itemPath,
      "'\(itemPath)' refers to an item that is stored elsewhere; nothing is stored here: send the item itself.",
      at: cursor)
  }

  /// - Returns: Whether there is one; null is none.
  private func itemType(_ cursor: inout JSONCursor) throws(JSONTextError) -> Bool {
    switch try cursor.peek() {
    case .null:
      _ = try cursor.literal()
      return false
    case .string:
      let text = try cursor.string()
      guard !ClosedValues.itemReference.contains(text, in: body) else { throw reference(at: cursor) }
      structural(.responsesItem, text)
      return true
    default: throw wrongType(itemPath + ".type", "a string", at: cursor)
    }
  }

  /// A text, parts, or a part alone (a screenshot).
  private func content(_ cursor: inout JSONCursor) throws(JSONTextError) {
    switch try cursor.peek() {
    case .string: addText(try cursor.string())
    case .array:
      var walk = try cursor.enterArray()
      var shared: Int32?
      while try cursor.nextElement(&walk) {
        if try cursor.peek() == .object {
          try responsesPart(&cursor, walk.met - 1, &shared)
        } else {
          shared = nil
          try free(&cursor)
        }
      }
    case .object:
      var shared: Int32?
      try responsesPart(&cursor, 0, &shared)
    default: try free(&cursor)
    }
  }

  private func responsesPart(
    _ cursor: inout JSONCursor, _ index: Int, _ shared: inout Int32?
  ) throws(JSONTextError) {
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    var isText = false
    var media: Media?
    while let key = try cursor.nextMember(&walk) {
      let member = try find(Members.responsesPart, key, &seen, cursor, in: "\(itemPath).content[\(index)].")
      guard try cursor.peek() == .string else {
        switch member {
        case .imageURL where try cursor.peek() == .object:
          media = .image
          try self.media(&cursor)
        case .inputAudio where try cursor.peek() == .object:
          media = .audio
          try self.media(&cursor)
        case nil: try unknown(key, &cursor)
        default: try free(&cursor)
        }
        continue
      }
      let text = try cursor.string()
      switch member {
      case .type:
        structural(.responsesPart, text)
        let name = text.range.of(body)
        if name.equals("input_image") || name.equals("computer_screenshot") { media = .image }
      case .text:
        isText = true
        let group = shared ?? nextGroup()
        shared = group
        addText(text, group: group)
      case .imageURL:
        media = .image
        mediaAddress(text)
      case .fileURL:
        media = media ?? .file
        mediaAddress(text)
      case .fileData:
        media = media ?? .file
        mediaPayload(text)
      case .fileID:
        media = media ?? .file
        features.insert(.remoteFile)
        addText(text, isIdentifier: true)
      case .inputAudio:
        media = .audio
        mediaPayload(text)
      case .detail: structural(.detail, text)
      case .encryptedContent: opaque(text)
      case .refusal, .filename: addText(text)
      case nil:
        addName(key)
        addText(text)
      }
    }
    if let media { count(media) }
    if !isText { shared = nil }
  }

  private func opaque(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .string else { return try free(&cursor) }
    opaque(try cursor.string())
  }

  /// What only the provider can read goes back to it as it came; a ciphertext is long and looks like one.
  private func opaque(_ text: JSONString) {
    if Seal.isOne(text.range.of(body)) { countText(text) } else { addText(text) }
  }
}
