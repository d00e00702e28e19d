internal import JSONText

/// `POST /v1/audio/speech`.
extension RequestScan {
  /// - Returns: False for a member that this route does not have.
  func speech(_ member: FurtherMember, _ cursor: inout JSONCursor) throws(JSONTextError) -> Bool {
    switch member {
    case .input:
      guard try cursor.peek() == .string else { throw wrongType("input", "a string", at: cursor) }
      let text = try cursor.string()
      guard !text.isEmpty else { throw refuse(.invalidValue, "input", "'input' must not be empty.", at: cursor) }
      addText(text)
      spokenCharacters = Self.characters(text.range.of(body))
    case .voice: try structural(.voice, &cursor)
    case .speed: try scalar(&cursor)
    case .instructions: try free(&cursor)
    case .responseFormat: try readSoundFormat(&cursor)
    case .streamFormat:
      guard try cursor.peek() == .string, try cursor.string().range.of(body).equals("audio") else {
        throw refuse(
          .unsupportedParameter, "stream_format", "Sound comes as it is, not as events. Leave 'stream_format' out.",
          at: cursor)
      }
    default: return false
    }
    return true
  }

  private func readSoundFormat(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .string else { throw wrongType("response_format", "a string", at: cursor) }
    let name = try cursor.string()
    let raw = name.range.of(body)
    guard let format = SoundFormat.allCases.first(where: { raw.elementsEqual($0.rawValue.utf8) }) else {
      let known = SoundFormat.allCases.map(\.rawValue).joined(separator: ", ")
      throw refuse(.invalidValue, "response_format", "'response_format' must be one of \(known).", at: cursor)
    }
    countText(name)
    soundFormat = format
  }

  /// Code points of a string's content, which is valid: an escape is one, and so are the two of a pair.
  private static func characters(_ raw: UnsafeRawBufferPointer) -> Int {
    var count = 0
    var index = 0
    while index < raw.count {
      let byte = raw[index]
      if byte != 0x5C {
        if byte & 0xC0 != 0x80 { count &+= 1 }
        index &+= 1
        continue
      }
      let isUnicode = index &+ 1 < raw.count && raw[index &+ 1] == 0x75
      // The second of a pair, `\uDC00` to `\uDFFF`, belongs to the first.
      let isSecond =
        isUnicode && index &+ 3 < raw.count && raw[index &+ 2] | 0x20 == 0x64
        && (0x63...0x66).contains(raw[index &+ 3] | 0x20)
      if !isSecond { count &+= 1 }
      index &+= isUnicode ? 6 : 2
    }
    return count
  }
}
