internal import JSONText

/// `POST /v1/moderations`.
extension RequestScan {
  /// - Returns: False for a member that this route does not have.
  func moderation(_ member: FurtherMember, _ cursor: inout JSONCursor) throws(JSONTextError) -> Bool {
    guard member == .input else { return false }
    switch try cursor.peek() {
    case .string:
      inputItems = 1
      addText(try cursor.string())
    case .array:
      var walk = try cursor.enterArray()
      var shared: Int32?
      while try cursor.nextElement(&walk) {
        inputItems += 1
        switch try cursor.peek() {
        case .string:
          // Each is judged by itself.
          shared = nil
          addText(try cursor.string())
        case .object: try moderationPart(&cursor, &shared)
        default: throw wrongType("input[\(inputItems - 1)]", "a string or a part", at: cursor)
        }
      }
      guard inputItems > 0 else {
        throw refuse(.invalidValue, "input", "'input' must not be empty.", at: cursor)
      }
    default: throw wrongType("input", "a string or an array", at: cursor)
    }
    return true
  }

  /// `{"type": "text", "text": …}` or `{"type": "image_url", "image_url": {"url": …}}`.
  private func moderationPart(_ cursor: inout JSONCursor, _ shared: inout Int32?) throws(JSONTextError) {
    let path = "input[\(inputItems - 1)]."
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    var isText = false
    while let key = try cursor.nextMember(&walk) {
      switch try find(Members.part, key, &seen, cursor, in: path) {
      case .type: try structural(.part, &cursor)
      case .text:
        guard try cursor.peek() == .string else { throw wrongType(path + "text", "a string", at: cursor) }
        isText = true
        let group = shared ?? nextGroup()
        shared = group
        addText(try cursor.string(), group: group)
      case .imageURL:
        count(.image)
        try media(&cursor)
      case .file, .inputAudio, .videoURL, .audioURL, .documentURL:
        count(.file)
        try media(&cursor)
      case .refusal, nil: try unknown(key, &cursor)
      }
    }
    if !isText { shared = nil }
  }
}
