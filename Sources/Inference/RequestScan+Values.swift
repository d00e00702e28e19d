internal import JSONText

/// Reading of single values: text by default, structural only where a caller says so.
extension RequestScan {
  /// Looks a member's name up; refuses it if it stands twice or is a known one in other case.
  func find<Member>(
    _ table: MemberTable<Member>, _ key: JSONString, _ seen: inout UInt64, _ cursor: JSONCursor,
    in path: @autoclosure () -> String
  ) throws(JSONTextError) -> Member? {
    switch table.match(key, in: body) {
    case .member(let member, let index):
      let bit: UInt64 = 1 << UInt64(index & 63)
      guard seen & bit == 0 else {
        let param = path() + member.rawValue
        throw refuse(.invalidValue, param, "'\(param)' stands more than once in one object.", at: cursor)
      }
      seen |= bit
      return member
    case .unknown: return nil
    case .twin(let member):
      let param = path() + member.rawValue
      throw refuse(
        .invalidValue, param, "A member equals '\(param)' only when case is ignored; write it exactly so.", at: cursor)
    case .cut:
      throw refuse(.invalidValue, nil, "A member's name holds the character U+0000.", at: cursor)
    }
  }

  /// Counts a string's text and makes it a segment.
  func addText(_ text: JSONString, group shared: Int32? = nil, isIdentifier: Bool = false) {
    guard !text.isEmpty else { return }
    countText(text)
    add(
      TextSegment(
        start: text.start, end: text.end, hasEscapes: text.hasEscapes, isASCII: text.isASCII,
        group: shared ?? nextGroup(), isIdentifier: isIdentifier))
  }

  /// Of a body with too many texts the rest is read without them; ``scan(_:route:boundary:)`` refuses it then.
  private func add(_ segment: TextSegment) {
    guard segments.count < JSONLimits.texts else { return hasTooManyTexts = true }
    segments.append(segment)
  }

  func countText(_ text: JSONString) {
    let bytes = text.hasEscapes ? JSONEscape.unescapedLength(text.range.of(body)) : text.end - text.start
    textBytes &+= bytes
  }

  func nextGroup() -> Int32 {
    group &+= 1
    return group
  }

  /// Reads an enum: a known value is structure, any other string is a text without brackets, any other value is text.
  func structural(_ known: ClosedValues, _ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .string else { return try free(&cursor) }
    structural(known, try cursor.string())
  }

  func structural(_ known: ClosedValues, _ text: JSONString) {
    if known.contains(text, in: body) { countText(text) } else { addText(text, isIdentifier: true) }
  }

  /// Reads a name or an id, which takes no brackets; any other value is text.
  func identifier(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .string else { return try free(&cursor) }
    addText(try cursor.string(), isIdentifier: true)
  }

  /// Reads any value: each string, member name and long number in it is text.
  func free(_ cursor: inout JSONCursor) throws(JSONTextError) {
    switch try cursor.peek() {
    case .string: addText(try cursor.string())
    case .number:
      let number = try cursor.number()
      textBytes &+= number.end - number.start
      addNumber(number)
    case .true, .false, .null:
      _ = try cursor.literal()
      textBytes &+= 5
    case .object:
      var walk = try cursor.enterObject()
      while let key = try cursor.nextMember(&walk) {
        addName(key)
        try free(&cursor)
      }
      textBytes &+= 2
    case .array:
      var walk = try cursor.enterArray()
      while try cursor.nextElement(&walk) {
        try free(&cursor)
        textBytes &+= 1
      }
      textBytes &+= 2
    }
  }

  /// Reads a member that nobody knows: its name is text too.
  func unknown(_ key: JSONString, _ cursor: inout JSONCursor) throws(JSONTextError) {
    addName(key)
    try free(&cursor)
  }

  /// A number of nine or more digits can be an identifier, wherever it stands.
  func addNumber(_ number: JSONNumber) {
    guard number.digits >= 9 else { return }
    add(TextSegment(start: number.start, end: number.end, kind: .number, depth: 0, group: nextGroup()))
  }

  /// A free-form name; a short run of digits (token ids in `logit_bias`) says nothing.
  func addName(_ key: JSONString) {
    guard !key.isEmpty else { return }
    countText(key)
    textBytes &+= 4  // quotes, colon, comma
    let raw = key.range.of(body)
    if raw.count <= 8, raw.allSatisfy({ $0 &- 0x30 < 10 }) { return }
    add(
      TextSegment(
        start: key.start, end: key.end, kind: .name, hasEscapes: key.hasEscapes, isASCII: key.isASCII,
        group: nextGroup()))
  }

  /// Reads a JSON schema: as ``free(_:)``, without segments for its own vocabulary.
  func schema(_ cursor: inout JSONCursor) throws(JSONTextError) {
    switch try cursor.peek() {
    case .object:
      var walk = try cursor.enterObject()
      while let key = try cursor.nextMember(&walk) {
        let name = key.range.of(body)
        if SchemaVocabulary.isKeyword(name) {
          countText(key)
          textBytes &+= 4
        } else {
          addName(key)
        }
        if name.equals("type"), try cursor.peek() == .string {
          let text = try cursor.string()
          if SchemaVocabulary.isType(text.range.of(body)) { countText(text) } else { addText(text) }
        } else if name.equals("default") || name.equals("const") || name.equals("enum") || name.equals("examples") {
          try free(&cursor)
        } else {
          try schema(&cursor)
        }
      }
      textBytes &+= 2
    case .array:
      var walk = try cursor.enterArray()
      while try cursor.nextElement(&walk) {
        try schema(&cursor)
        textBytes &+= 1
      }
      textBytes &+= 2
    default: try free(&cursor)
    }
  }

  /// Reads a number or literal; a long number, a string or a container there is text.
  func scalar(_ cursor: inout JSONCursor) throws(JSONTextError) {
    switch try cursor.peek() {
    case .number: addNumber(try cursor.number())
    case .true, .false, .null: _ = try cursor.literal()
    default: try free(&cursor)
    }
  }

  /// Reads `true`, `false` or `null` (as false).
  func boolean(_ param: @autoclosure () -> String, _ cursor: inout JSONCursor) throws(JSONTextError) -> Bool {
    switch try cursor.peek() {
    case .true, .false, .null: return try cursor.literal() == .true
    default: throw wrongType(param(), "true or false", at: cursor)
    }
  }

  /// Reads an integer from `least` to `bound`, or null.
  func count(
    _ param: String, from least: Int64 = 1, upTo bound: Int64, _ cursor: inout JSONCursor
  ) throws(JSONTextError) -> Int64? {
    switch try cursor.peek() {
    case .null:
      _ = try cursor.literal()
      return nil
    case .number:
      let number = try cursor.number()
      guard number.isInteger else { throw wrongType(param, "an integer, without fraction or exponent", at: cursor) }
      guard let value = number.integer, value >= least, value <= bound else {
        throw refuse(.invalidValue, param, "'\(param)' must be from \(least) to \(bound).", at: cursor)
      }
      return value
    default: throw wrongType(param, "an integer", at: cursor)
    }
  }

  /// Reads a string whose content is noted and which never travels, or null.
  func person(_ param: String, _ cursor: inout JSONCursor) throws(JSONTextError) -> ByteRange? {
    switch try cursor.peek() {
    case .null:
      _ = try cursor.literal()
      return nil
    case .string: return try cursor.string().range
    default: throw wrongType(param, "a string", at: cursor)
    }
  }

  /// Reads `model`.
  func modelValue(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .string else { throw wrongType("model", "a string", at: cursor) }
    let text = try cursor.string()
    guard !text.isEmpty, text.range.count <= 256, !text.hasEscapes else {
      throw refuse(
        .invalidValue, "model", "'model' must be a name of 1 to 256 bytes without escapes.", at: cursor)
    }
    model = text.range
  }

  /// Reads OpenAI's `metadata`, which never travels; notes its `user_id`.
  func metadataValue(_ cursor: inout JSONCursor) throws(JSONTextError) {
    switch try cursor.peek() {
    case .null: _ = try cursor.literal()
    case .object:
      let start = cursor.position
      var walk = try cursor.enterObject()
      var seen: UInt64 = 0
      while let key = try cursor.nextMember(&walk) {
        if try find(Members.metadata, key, &seen, cursor, in: "metadata.") == .userID {
          metadataUserID = try person("metadata.user_id", &cursor)
        } else {
          try cursor.skipValue()
        }
      }
      metadata = ByteRange(start, cursor.position)
    default: throw wrongType("metadata", "an object", at: cursor)
    }
  }

  /// Notes where a member of the body's object lies; the value was just read.
  func note(_ key: JSONString, _ valueStart: Int, _ cursor: JSONCursor) {
    members.append(MemberExtent(nameStart: key.start - 1, valueStart: valueStart, valueEnd: cursor.position))
    insertionPoint = cursor.position
  }
}

enum SchemaVocabulary {
  private static let keywords: [StaticString] = [
    "type", "properties", "description", "required", "items", "enum", "title", "default", "const", "format", "pattern",
    "anyOf", "oneOf", "allOf", "not", "$ref", "$defs", "$schema", "$id", "definitions", "additionalProperties",
    "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "examples", "strict",
    "nullable", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "prefixItems", "propertyNames",
    "patternProperties", "if", "then", "else",
  ]
  private static let types: [StaticString] = ["string", "number", "integer", "boolean", "object", "array", "null"]

  static func isKeyword(_ name: UnsafeRawBufferPointer) -> Bool {
    guard name.count <= 20 else { return false }
    for keyword in keywords where name.equals(keyword) { return true }
    return false
  }

  static func isType(_ name: UnsafeRawBufferPointer) -> Bool {
    for type in types where name.equals(type) { return true }
    return false
  }
}
