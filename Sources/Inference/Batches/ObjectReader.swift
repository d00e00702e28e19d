internal import JSONText

/// Walks through the members of one object that is a whole answer.
enum ObjectReader {
  /// - Parameter member: Reads or skips exactly one value.
  /// - Returns: False if the text is no such object.
  static func read(
    _ body: UnsafeRawBufferPointer,
    _ member: (UnsafeRawBufferPointer, inout JSONCursor) throws(JSONTextError) -> Void
  ) -> Bool {
    do throws(JSONTextError) {
      var cursor = try JSONCursor(body, limits: .answer)
      guard try cursor.peek() == .object else { return false }
      try members(&cursor, of: body, member)
      try cursor.finish()
      return true
    } catch { return false }
  }

  /// The members of the object that the cursor stands before.
  static func members(
    _ cursor: inout JSONCursor, of body: UnsafeRawBufferPointer,
    _ member: (UnsafeRawBufferPointer, inout JSONCursor) throws(JSONTextError) -> Void
  ) throws(JSONTextError) {
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) { try member(key.range.of(body), &cursor) }
  }

  /// A count that is not negative; nil for anything else.
  static func count(_ cursor: inout JSONCursor) throws(JSONTextError) -> Int64? {
    guard try cursor.peek() == .number else {
      try cursor.skipValue()
      return nil
    }
    return try cursor.number().integer.flatMap { $0 >= 0 ? $0 : nil }
  }
}
