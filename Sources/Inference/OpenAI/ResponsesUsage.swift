internal import JSONText

extension Usage {
  /// Reads the `usage` object of a Responses answer; the cursor stands before it. Cached input is part of the input.
  static func readResponses(_ cursor: inout JSONCursor, in body: UnsafeRawBufferPointer) throws(JSONTextError) -> Usage
  {
    var usage = Usage()
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let name = key.range.of(body)
      if name.equals("input_tokens") {
        if let value = try usage.figure(&cursor) { (usage.inputTokens, usage.hasInput) = (value, true) }
      } else if name.equals("output_tokens") {
        if let value = try usage.figure(&cursor) { (usage.outputTokens, usage.hasOutput) = (value, true) }
      } else if name.equals("input_tokens_details") || name.equals("output_tokens_details") {
        try usage.details(&cursor, in: body)
      } else {
        try cursor.skipValue()
      }
    }
    usage.check()
    return usage
  }
}
