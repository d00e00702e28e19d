internal import JSONText

/// `messages`: every string but role and known types is text; the text parts of one message count as one.
extension RequestScan {
  func messages(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .array else { throw wrongType("messages", "an array", at: cursor) }
    var walk = try cursor.enterArray()
    while try cursor.nextElement(&walk) {
      try message(&cursor)
      messageCount += 1
    }
    guard messageCount > 0 else {
      throw refuse(.invalidValue, "messages", "'messages' must hold at least one message.", at: cursor)
    }
  }

  private var messagePath: String { "messages[\(messageCount)]" }

  private func message(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .object else { throw wrongType(messagePath, "an object", at: cursor) }
    let (number, firstSegment) = (messageCount, segments.count)
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    var hasRole = false
    var isUser = false
    while let key = try cursor.nextMember(&walk) {
      switch try find(Members.message, key, &seen, cursor, in: "messages[\(number)].") {
      case .role:
        hasRole = true
        guard try cursor.peek() == .string else { throw wrongType(messagePath + ".role", "a string", at: cursor) }
        isUser = try role(number, &cursor)
      case .content: try content(&cursor)
      case .name, .toolCallID: try identifier(&cursor)
      case .toolCalls: try toolCalls(&cursor)
      case .functionCall: try function(&cursor)
      case .audio: try audioReference(&cursor)
      case .refusal: try free(&cursor)
      case nil:
        // What an answer carried comes back in the next turn: reasoning, annotations and the like.
        try unknown(key, &cursor)
      }
    }
    guard hasRole else {
      throw refuse(
        .missingRequiredParameter, messagePath + ".role", "'\(messagePath).role' is missing.", at: cursor)
    }
    if isUser { noteUserMessage(from: firstSegment) }
  }

  /// Roles are a closed set at every provider: another one is a mistake or carries something.
  /// - Returns: Whether it is the user's.
  private func role(_ number: Int, _ cursor: inout JSONCursor) throws(JSONTextError) -> Bool {
    let text = try cursor.string()
    guard ClosedValues.role.contains(text, in: body) else {
      throw refuse(
        .invalidValue, "messages[\(number)].role",
        "'messages[\(number)].role' must be one of 'developer', 'system', 'user', 'assistant', 'tool' and 'function'.",
        at: cursor)
    }
    countText(text)
    return text.range.of(body).equals("user")
  }

  private func content(_ cursor: inout JSONCursor) throws(JSONTextError) {
    switch try cursor.peek() {
    case .null: _ = try cursor.literal()
    case .string: addText(try cursor.string())
    case .array: try parts(&cursor)
    default: throw wrongType(messagePath + ".content", "a string, an array of parts or null", at: cursor)
    }
  }

  func parts(_ cursor: inout JSONCursor) throws(JSONTextError) {
    var walk = try cursor.enterArray()
    var shared: Int32?
    var index = 0
    while try cursor.nextElement(&walk) {
      switch try cursor.peek() {
      case .object: try part(&cursor, index, &shared)
      case .string:
        let group = shared ?? nextGroup()
        shared = group
        addText(try cursor.string(), group: group)
      default:
        shared = nil
        try free(&cursor)
      }
      index += 1
    }
  }

  private func part(_ cursor: inout JSONCursor, _ index: Int, _ shared: inout Int32?) throws(JSONTextError) {
    let number = messageCount
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    var isText = false
    while let key = try cursor.nextMember(&walk) {
      switch try find(Members.part, key, &seen, cursor, in: "messages[\(number)].content[\(index)].") {
      case .type: try structural(.part, &cursor)
      case .text:
        guard try cursor.peek() == .string else {
          try free(&cursor)
          continue
        }
        isText = true
        let group = shared ?? nextGroup()
        shared = group
        addText(try cursor.string(), group: group)
      case .imageURL: try media(&cursor, .image)
      case .videoURL, .documentURL: try media(&cursor, .file)
      case .audioURL, .inputAudio: try media(&cursor, .audio)
      case .file: try media(&cursor, .file)
      case .refusal: try free(&cursor)
      case nil: try unknown(key, &cursor)
      }
    }
    if !isText { shared = nil }
  }

  private func audioReference(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .object else { return try free(&cursor) }
    features.insert(.remoteFile)
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      if key.range.of(body).equals("id") { try identifier(&cursor) } else { try unknown(key, &cursor) }
    }
  }

  // MARK: Media

  enum Media { case image, audio, file }

  private func media(_ cursor: inout JSONCursor, _ kind: Media) throws(JSONTextError) {
    count(kind)
    try media(&cursor)
  }

  /// Reads where media lies, or the media itself.
  func media(_ cursor: inout JSONCursor) throws(JSONTextError) {
    switch try cursor.peek() {
    case .string: mediaAddress(try cursor.string())
    case .object:
      var walk = try cursor.enterObject()
      var seen: UInt64 = 0
      while let key = try cursor.nextMember(&walk) {
        let member = try find(Members.media, key, &seen, cursor, in: mediaPath)
        guard member != nil else {
          try unknown(key, &cursor)
          continue
        }
        guard try cursor.peek() == .string else {
          try free(&cursor)
          continue
        }
        switch member {
        case .url: mediaAddress(try cursor.string())
        case .data, .fileData: mediaPayload(try cursor.string())
        case .fileID:
          features.insert(.remoteFile)
          try identifier(&cursor)
        case .detail: try structural(.detail, &cursor)
        case .format: try structural(.mediaFormat, &cursor)
        case .filename, nil: addText(try cursor.string())
        }
      }
    default: try free(&cursor)
    }
  }

  private var mediaPath: String { "\(route.contentMember)[\(messageCount)].content." }

  func count(_ kind: Media) {
    switch kind {
    case .image: images += 1
    case .audio: audios += 1
    case .file: files += 1
    }
  }

  /// A `data:` URL is a payload; any other is text, and the provider would fetch it.
  func mediaAddress(_ url: JSONString) {
    let raw = url.range.of(body)
    if raw.begins(withLowercase: "data:") {
      mediaPayload(url)
    } else {
      features.insert(.remoteMedia)
      addText(url)
    }
  }

  /// Base64 of media; what says that it is text stays text, so that it is decoded and scanned, and so does anything that
  /// is not base64.
  func mediaPayload(_ data: JSONString) {
    let raw = data.range.of(body)
    guard !raw.begins(withLowercase: "data:text/"), Self.isBase64(raw) else { return addText(data) }
    features.insert(.binary)
    mediaBytes += raw.count
  }

  static func isBase64(_ raw: UnsafeRawBufferPointer) -> Bool {
    var start = 0
    if raw.begins(withLowercase: "data:") {
      guard let comma = raw.prefix(256).firstIndex(of: 0x2C) else { return false }
      let marker = ByteRange(max(0, comma - 7), comma).of(raw)
      let head = ByteRange(0, comma).of(raw)
      guard marker.begins(withLowercase: ";base64"), head.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x5C })
      else { return false }
      start = comma + 1
    }
    for index in start..<raw.count {
      switch raw[index] {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2B, 0x2F, 0x3D, 0x2D, 0x5F: continue
      // Any other escape could write any text.
      case 0x5C where index + 1 < raw.count && raw[index + 1] == 0x2F: continue
      default: return false
      }
    }
    return true
  }
}
