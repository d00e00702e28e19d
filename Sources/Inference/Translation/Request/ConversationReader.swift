internal import JSONText

/// Reads a request into a ``Conversation``, and names what the target has no form for.
///
/// One pass over the body; only an object whose `type` or `role` does not come first is looked through twice.
struct ConversationReader: ~Copyable {
  let body: UnsafeRawBufferPointer
  let takes: TargetAbilities
  var cursor: JSONCursor
  var talk: Conversation
  var dropped = DroppedPaths()
  var refusal: InferenceError?
  /// How many calls without an id were met, and the last one's tool, which their results mean.
  var madeIDs = 0
  var lastMadeName: ByteRange?
  /// Where calls stand among the blocks, by their id's hash (seeded anew in each process): of those that stand so far back
  /// that nobody looks through all blocks for them.
  var calls: [Int: Int] = [:]
  /// Up to which block ``calls`` knows them.
  var indexedBlocks = 0

  init(
    _ body: UnsafeRawBufferPointer, of source: Conversation.Source, for takes: TargetAbilities
  ) throws(InferenceError) {
    guard body.count <= ShortRange.most else { throw RequestTranslation.noForm }
    do throws(JSONTextError) { cursor = try JSONCursor(body) } catch { throw Self.invalid(error) }
    (self.body, self.takes) = (body, takes)
    talk = Conversation(of: source, bytes: body.count)
  }

  mutating func read() throws(InferenceError) {
    do throws(JSONTextError) {
      guard try cursor.peek() == .object else { throw wrongType("", "a JSON object") }
      switch talk.source {
      case .chat: try readChat()
      case .responses: try readResponses()
      case .messages: try readMessages()
      }
      try cursor.finish()
      try settle()
    } catch {
      throw refusal ?? Self.invalid(error)
    }
  }

  private static func invalid(_ error: JSONTextError) -> InferenceError {
    InferenceError(
      .invalidJSON, message: "The body is not acceptable JSON: \(error.explanation) (byte \(error.offset)).",
      detail: error.code.rawValue)
  }

  // MARK: Refusals

  mutating func refuse(_ code: Refusal.Code, _ param: String, _ message: String) -> JSONTextError {
    refusal = InferenceError(code, param: param.isEmpty ? nil : param, message: message)
    return JSONTextError(.stopped, at: cursor.position)
  }

  mutating func wrongType(_ param: String, _ wanted: String) -> JSONTextError {
    refuse(.invalidType, param, param.isEmpty ? "The body must be \(wanted)." : "'\(param)' must be \(wanted).")
  }

  /// What the request cannot do without and the target has no form for.
  mutating func unsupported(_ param: String) -> JSONTextError {
    refuse(
      .unsupportedParameter, param,
      "'\(param)' cannot be carried to the provider behind this model: leave it out, or use another model.")
  }

  // MARK: Members

  /// The known member of this name; one that stands twice is refused, because readers differ in which one counts.
  mutating func find<Member>(
    _ table: MemberTable<Member>, _ key: JSONString, _ seen: inout UInt64, _ place: Place
  ) throws(JSONTextError) -> Member? {
    guard let (member, index) = table.known(key, in: body) else { return nil }
    let bit: UInt64 = 1 << UInt64(index & 63)
    guard seen & bit == 0 else {
      let param = place.member(member.rawValue)
      throw refuse(.invalidValue, param, "'\(param)' stands more than once in one object.")
    }
    seen |= bit
    return member
  }

  /// Skips a value that is not carried; it is named unless it says nothing.
  mutating func drop(_ key: JSONString, in place: Place) throws(JSONTextError) {
    let value = try extent()
    guard !saysNothing(value) else { return }
    dropped.add(place.member(DroppedPaths.plain(key.range.of(body))))
  }

  /// As ``drop(_:in:)``; the member's usual value says nothing either.
  mutating func drop(_ key: JSONString, in place: Place, unless usual: StaticString...) throws(JSONTextError) {
    let value = try extent()
    let raw = value.of(body)
    for text in usual where raw.equals(text) { return }
    guard !saysNothing(value) else { return }
    dropped.add(place.member(DroppedPaths.plain(key.range.of(body))))
  }

  /// Whether a value is null, or an empty string, array or object.
  func saysNothing(_ value: ByteRange) -> Bool {
    let raw = value.of(body)
    if raw.equals("null") || raw.equals("\"\"") { return true }
    guard let first = raw.first, first == 0x5B || first == 0x7B else { return false }
    return raw.dropFirst().dropLast().allSatisfy { $0 <= 0x20 }
  }

  /// Reads a value of any kind.
  /// - Returns: Where it lies, without white space around it.
  mutating func extent() throws(JSONTextError) -> ByteRange {
    _ = try cursor.peek()
    let start = cursor.position
    try cursor.skipValue()
    return ByteRange(start, cursor.position)
  }

  /// Reads null and says so; leaves any other value unread.
  mutating func isNull() throws(JSONTextError) -> Bool {
    guard try cursor.peek() == .null else { return false }
    _ = try cursor.literal()
    return true
  }

  /// Reads a string; its raw content.
  mutating func string(_ param: @autoclosure () -> String) throws(JSONTextError) -> ByteRange {
    guard try cursor.peek() == .string else { throw wrongType(param(), "a string") }
    return try cursor.string().range
  }

  /// Reads a string or null; empty for null.
  mutating func optionalString(_ param: @autoclosure () -> String) throws(JSONTextError) -> ByteRange {
    if try isNull() { return ByteRange(0, 0) }
    return try string(param())
  }

  mutating func boolean(_ param: @autoclosure () -> String) throws(JSONTextError) -> Bool? {
    switch try cursor.peek() {
    case .null, .true, .false:
      let kind = try cursor.literal()
      return kind == .null ? nil : kind == .true
    default: throw wrongType(param(), "true or false")
    }
  }

  /// Reads a number or null; where it lies.
  mutating func number(_ param: @autoclosure () -> String) throws(JSONTextError) -> ByteRange? {
    if try isNull() { return nil }
    guard try cursor.peek() == .number else { throw wrongType(param(), "a number") }
    return try cursor.number().range
  }

  mutating func integer(_ param: @autoclosure () -> String) throws(JSONTextError) -> Int64? {
    if try isNull() { return nil }
    guard try cursor.peek() == .number, let value = try cursor.number().integer else {
      throw wrongType(param(), "an integer")
    }
    return value
  }

  /// Enters an object or says what should have been one.
  mutating func object(_ param: @autoclosure () -> String) throws(JSONTextError) -> JSONWalk {
    guard try cursor.peek() == .object else { throw wrongType(param(), "an object") }
    return try cursor.enterObject()
  }

  mutating func array(_ param: @autoclosure () -> String) throws(JSONTextError) -> JSONWalk {
    guard try cursor.peek() == .array else { throw wrongType(param(), "an array") }
    return try cursor.enterArray()
  }

  // MARK: Values of enums

  /// Reads the member that says what an object is, where that comes next, as nearly always; else looks through the object
  /// for it and leaves it unread.
  mutating func lead(
    _ lead: LeadMember, _ walk: inout JSONWalk, _ seen: inout UInt64
  ) throws(JSONTextError) -> JSONString? {
    if let value = try next(lead, &walk, &seen) { return value }
    var scout = cursor
    var rest = walk
    while let key = try scout.nextMember(&rest) {
      if equals(key, lead.name) { return try scout.peek() == .string ? try scout.string() : nil }
      try scout.skipValue()
    }
    return nil
  }

  /// Reads a member with a string, if it comes next.
  mutating func next(
    _ lead: LeadMember, _ walk: inout JSONWalk, _ seen: inout UInt64
  ) throws(JSONTextError) -> JSONString? {
    guard let value = try cursor.nextString(named: lead.name, &walk) else { return nil }
    seen |= lead.bit
    return value
  }

  /// The value of an enum, as a reader of the JSON would see it. It changes nothing, but says so that a text that is read in
  /// the same expression needs no copy of the whole reader.
  mutating func value<Value>(_ text: JSONString?, of table: MemberTable<Value>) -> Value? {
    guard let text else { return nil }
    return table.known(text, in: body)?.member
  }

  /// Whether a name reads so once it is unescaped.
  private func equals(_ key: JSONString, _ name: StaticString) -> Bool {
    let raw = key.range.of(body)
    guard key.hasEscapes, raw.count <= 256 else { return raw.equals(name) }
    let plain = ByteArena(capacity: 256)
    JSONEscape.unescape(raw, to: plain)
    return withExtendedLifetime(plain) { plain.bytes.equals(name) }
  }

  // MARK: Turns

  /// Opens a turn whose blocks are those that are added until ``close(_:)``.
  mutating func open(_ role: Turn.Role, at place: Place) {
    talk.turns.append(Turn(role: role, first: talk.blocks.count, end: talk.blocks.count, place: place))
  }

  /// Closes the last turn; without blocks it goes, because most targets refuse an empty one.
  mutating func close() {
    guard let last = talk.turns.indices.last else { return }
    talk.turns[last].end = talk.blocks.count
    if talk.turns[last].first == talk.blocks.count { talk.turns.removeLast() }
  }

  mutating func addText(_ text: ByteRange, cache: ByteRange = ByteRange(0, 0), at place: Place) {
    guard !text.isEmpty else { return }
    if takes.refusesBlankText, isBlank(text) { return dropped.add(place.path) }
    talk.blocks.append(Block(.text, text, cache: cache, at: place))
  }

  /// Adds a text that leads the conversation.
  mutating func addSystem(_ text: SystemText) {
    guard !text.text.isEmpty else { return }
    if takes.refusesBlankText, isBlank(text.text) { return dropped.add(text.place.path) }
    talk.systems.append(text)
  }

  /// Whether a raw text is white space only.
  func isBlank(_ text: ByteRange) -> Bool {
    var isBehindBackslash = false
    for byte in text.of(body) {
      if isBehindBackslash {
        guard byte == 0x6E || byte == 0x74 || byte == 0x72 || byte == 0x66 else { return false }
        isBehindBackslash = false
      } else if byte == 0x5C {
        isBehindBackslash = true
      } else if byte != 0x20 {
        return false
      }
    }
    return true
  }

  /// Takes the place of what the target has no role for.
  private mutating func settle() throws(JSONTextError) {
    if talk.turns.isEmpty, !takes.takesSystemAnywhere, let last = talk.systems.popLast() {
      open(.system, at: last.place)
      talk.blocks.append(Block(.text, last.text, cache: last.cache, at: last.place))
      close()
    }
    guard !talk.turns.isEmpty || takes.takesSystemAnywhere && !talk.systems.isEmpty else {
      let param = talk.source == .responses ? "input" : "messages"
      throw refuse(.invalidValue, param, "'\(param)' holds no content.")
    }
    guard !takes.takesSystemAnywhere else { return }
    for turn in talk.turns where turn.role == .system { dropped.add(turn.place.rolePath) }
  }
}
