internal import JSONText

/// `POST /v1/embeddings` (`api.md` sections 4 and 6).
extension RequestScan {
  func scanEmbeddings(_ cursor: inout JSONCursor) throws(JSONTextError) {
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    var hasInput = false
    while let key = try cursor.nextMember(&walk) {
      let member = try find(Members.embeddings, key, &seen, cursor, in: "")
      _ = try cursor.peek()
      let start = cursor.position
      switch member {
      case .model:
        places.model = members.count
        try modelValue(&cursor)
      case .input:
        hasInput = true
        try embeddingsInput(&cursor)
      case .user:
        places.user = members.count
        user = try person("user", &cursor)
      case .safetyIdentifier:
        places.safetyIdentifier = members.count
        safetyIdentifier = try person("safety_identifier", &cursor)
      case .metadata:
        places.metadata = members.count
        try metadataValue(&cursor)
      case .dimensions: _ = try count("dimensions", upTo: 1_000_000, &cursor)
      case .encodingFormat:
        try structural(.encoding, &cursor)
        wantsBase64 = ByteRange(start, cursor.position).of(body).equals("\"base64\"")
      case nil: try unknown(key, &cursor)
      }
      note(key, start, cursor)
    }
    guard hasInput else { throw refuse(.missingRequiredParameter, "input", "'input' is missing.", at: cursor) }
    guard places.model >= 0 else {
      throw refuse(.missingRequiredParameter, "model", "'model' is missing.", at: cursor)
    }
  }

  /// A text, texts, tokens or lists of tokens; a bare list of tokens is one input.
  private func embeddingsInput(_ cursor: inout JSONCursor) throws(JSONTextError) {
    switch try cursor.peek() {
    case .string:
      inputItems = 1
      addText(try cursor.string())
    case .array:
      var walk = try cursor.enterArray()
      while try cursor.nextElement(&walk) {
        switch try cursor.peek() {
        case .string:
          inputItems += 1
          addText(try cursor.string())
        case .number: try token("input", &cursor)
        case .array:
          inputItems += 1
          var inner = try cursor.enterArray()
          while try cursor.nextElement(&inner) { try token("input", &cursor) }
        default:
          throw wrongType("input[\(walk.met - 1)]", "a string, a token or an array of tokens", at: cursor)
        }
      }
      guard walk.met > 0 else { throw refuse(.invalidValue, "input", "'input' must not be empty.", at: cursor) }
      inputItems = max(1, inputItems)
    default: throw wrongType("input", "a string or an array", at: cursor)
    }
  }

  func token(_ param: String, _ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .number else { throw wrongType(param, "tokens without other values", at: cursor) }
    let number = try cursor.number()
    guard let value = number.integer, value >= 0, value <= 0xFFFF_FFFF else {
      throw refuse(.invalidValue, param, "A token in '\(param)' must be a whole number, not negative.", at: cursor)
    }
    addNumber(number)
    features.insert(.tokenArray)
    tokenCount += 1
    textBytes &+= 1
  }
}
