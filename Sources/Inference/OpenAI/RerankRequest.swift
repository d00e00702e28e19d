internal import JSONText

/// `POST /v1/rerank`, as Cohere, Jina and vLLM have it.
extension RequestScan {
  /// Documents of one request, before a body's size narrows it; what providers take is far less.
  private static let mostDocuments = 100_000

  /// - Returns: False for a member that this route does not have.
  func rerank(_ member: FurtherMember, _ cursor: inout JSONCursor) throws(JSONTextError) -> Bool {
    switch member {
    case .query:
      guard try cursor.peek() == .string else { throw wrongType("query", "a string", at: cursor) }
      let before = textBytes
      addText(try cursor.string())
      queryBytes = textBytes &- before
    case .documents: try documents(&cursor)
    case .topN: _ = try count("top_n", upTo: Int64(Self.mostDocuments), &cursor)
    case .returnDocuments: _ = try boolean("return_documents", &cursor)
    default: return false
    }
    return true
  }

  private func documents(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .array else { throw wrongType("documents", "an array", at: cursor) }
    var walk = try cursor.enterArray()
    while try cursor.nextElement(&walk) {
      inputItems += 1
      switch try cursor.peek() {
      case .string: addText(try cursor.string())
      case .object: try document(&cursor)
      default: throw wrongType("documents[\(inputItems - 1)]", "a string or an object with 'text'", at: cursor)
      }
    }
    guard (1...Self.mostDocuments).contains(inputItems) else {
      throw refuse(
        .invalidValue, "documents", "'documents' must have from 1 to \(Self.mostDocuments) elements.", at: cursor)
    }
  }

  /// An object of texts. Media in it would be no text that anybody here could read.
  private func document(_ cursor: inout JSONCursor) throws(JSONTextError) {
    let path = "documents[\(inputItems - 1)]."
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    var hasText = false
    while let key = try cursor.nextMember(&walk) {
      switch try find(Members.document, key, &seen, cursor, in: path) {
      case .text:
        guard try cursor.peek() == .string else { throw wrongType(path + "text", "a string", at: cursor) }
        hasText = true
        addText(try cursor.string())
      case let member?:
        throw refuse(
          .unsupportedParameter, path + member.rawValue, "Only texts are ranked here. Leave '\(member.rawValue)' out.",
          at: cursor)
      case nil: try unknown(key, &cursor)
      }
    }
    guard hasText else {
      throw refuse(.missingRequiredParameter, path + "text", "A document's 'text' is missing.", at: cursor)
    }
  }
}
