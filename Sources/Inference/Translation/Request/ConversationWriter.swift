internal import JSONText

/// Writes a ``Conversation`` as the body of a target; what only shows here that it cannot be carried is named.
struct ConversationWriter {
  let body: UnsafeRawBufferPointer
  let talk: Conversation
  let target: RequestTranslation.Target
  let takes: TargetAbilities
  let out: ByteArena
  var dropped: DroppedPaths

  /// Stands in front of a system's text that no role is left for.
  static let systemMarker: StaticString = "[System message]\\n"
  /// Opens a conversation that began with the model's own words, where the target wants a user's first.
  static let opening: StaticString = "[The conversation begins with the assistant.]"

  mutating func write() throws(InferenceError) {
    switch takes.wire {
    case .chat: try writeChat()
    case .messages: try writeMessages()
    case .gemini: try writeGemini()
    case .converse: try writeConverse()
    default: throw RequestTranslation.noForm
    }
  }

  // MARK: JSON

  /// Parts what comes next from what stands in front of it in the same object or array.
  func comma() {
    guard let last = out.bytes.last, last != 0x7B, last != 0x5B, last != 0x3A else { return }
    out.append(0x2C)
  }

  func key(_ name: StaticString) {
    comma()
    out.append(0x22)
    out.append(name)
    out.append("\":")
  }

  /// Begins a member, unless the provider refuses it: then the source's member is named.
  mutating func member(_ name: StaticString, from path: String) -> Bool {
    guard !isDenied(name) else {
      dropped.add(path)
      return false
    }
    key(name)
    return true
  }

  func isDenied(_ name: StaticString) -> Bool {
    !target.deniedFields.isEmpty && target.deniedFields.contains("\(name)")
  }

  func splice(_ range: ByteRange) { out.append(range.of(body)) }

  /// A raw content as a string.
  func quote(_ range: ByteRange) {
    out.append(0x22)
    splice(range)
    out.append(0x22)
  }

  func member(_ name: StaticString, _ text: ByteRange) {
    key(name)
    quote(text)
  }

  func member(_ name: StaticString, constant: StaticString) {
    key(name)
    out.append(0x22)
    out.append(constant)
    out.append(0x22)
  }

  func member(_ name: StaticString, subtree: ByteRange) {
    key(name)
    splice(subtree)
  }

  // MARK: Texts

  /// The leading system texts as one string, a blank line between them.
  func writeJoinedSystems() {
    out.append(0x22)
    for (number, system) in talk.systems.enumerated() {
      if number > 0 { out.append("\\n\\n") }
      splice(system.text)
    }
    out.append(0x22)
  }

  /// A text of a turn; one of a late system message carries the marker.
  func writeText(_ block: Block, of role: Turn.Role) {
    out.append(0x22)
    if role == .system { out.append(Self.systemMarker) }
    splice(block.text)
    out.append(0x22)
  }

  // MARK: Turns

  /// Runs of turns that have one speaker in the target: the system's late words are the user's there.
  func runs() -> [Range<Int>] {
    var runs: [Range<Int>] = []
    var start = 0
    for index in talk.turns.indices.dropFirst() {
      guard (talk.turns[index].role == .assistant) != (talk.turns[start].role == .assistant) else { continue }
      runs.append(start..<index)
      start = index
    }
    if !talk.turns.isEmpty { runs.append(start..<talk.turns.count) }
    return runs
  }

  /// The blocks of a run at its top, results first; each with the role of its turn.
  func blocks(of run: Range<Int>) -> [(place: Int, role: Turn.Role)] {
    var found: [(place: Int, role: Turn.Role)] = []
    found.reserveCapacity(talk.turns[run].reduce(0) { $0 + $1.end - $1.first })
    add(results: true, of: run, to: &found)
    add(results: false, of: run, to: &found)
    return found
  }

  private func add(results: Bool, of run: Range<Int>, to found: inout [(place: Int, role: Turn.Role)]) {
    for turn in talk.turns[run] {
      var place = turn.first
      while place < turn.end {
        if (talk.blocks[place].kind == .result) == results { found.append((place, turn.role)) }
        place += 1 + talk.blocks[place].inner
      }
    }
  }

  /// What stands inside of a result.
  func content(of place: Int) -> ArraySlice<Block> {
    let end = min(place + 1 + talk.blocks[place].inner, talk.blocks.count)
    return talk.blocks[min(place + 1, end)..<end]
  }

  // MARK: Calls

  /// A call's id as the target takes it.
  func writeID(_ block: Block) {
    out.append(0x22)
    defer { out.append(0x22) }
    guard block.madeID == 0 else {
      out.append("call_f")
      return out.append(utf8: String(block.madeID))
    }
    let raw = block.id.of(body)
    switch takes.wire {
    case .messages, .converse:
      let isLong = takes.wire == .converse && raw.count > 64
      guard !isLong else { return writeShortID(raw) }
      for byte in raw { out.append(Self.isPlain(byte, takes.wire == .converse) ? byte : 0x5F) }
    default: out.append(raw)
    }
  }

  private static func isPlain(_ byte: UInt8, _ takesMarks: Bool) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x2D: true
    case 0x2E, 0x3A: takesMarks
    default: false
    }
  }

  /// Stands for an id that is longer than the target takes: FNV-1a, so that the result has the same.
  private func writeShortID(_ raw: UnsafeRawBufferPointer) {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in raw { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    out.append("call_")
    out.append(utf8: String(hash, radix: 16))
  }

  /// A call's arguments as an object.
  func writeArgumentsObject(_ call: Block) throws(InferenceError) {
    switch call.form {
    case .object, .url:
      if call.text.isEmpty { out.append("{}") } else { splice(call.text) }
    case .custom:
      out.append("{")
      member("input", call.text)
      out.append("}")
    case .string:
      let began = out.count
      JSONEscape.unescape(call.text.of(body), to: out)
      let written = ByteRange(began, out.count).of(out.bytes)
      if written.allSatisfy({ $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }) {
        out.truncate(to: began)
        return out.append("{}")
      }
      guard Self.isObject(written) else {
        let param = call.place.argumentsPath
        throw InferenceError(.invalidValue, param: param, message: "'\(param)' must hold a JSON object.")
      }
    }
  }

  private static func isObject(_ text: UnsafeRawBufferPointer) -> Bool {
    do throws(JSONTextError) {
      var cursor = try JSONCursor(text)
      guard try cursor.peek() == .object else { return false }
      try cursor.skipValue()
      try cursor.finish()
      return true
    } catch {
      return false
    }
  }

  /// A call's arguments as JSON in a string.
  func writeArgumentsString(_ call: Block) {
    out.append(0x22)
    if call.text.isEmpty {
      out.append("{}")
    } else if call.form == .object {
      JSONEscape.append(call.text.of(body), to: out)
    } else {
      splice(call.text)
    }
    out.append(0x22)
  }

  // MARK: Tools

  /// The tools that the target is told of: where it cannot be told which of them are allowed, only those are left.
  func offeredTools(_ narrows: Bool) -> [Tool] {
    guard case .allowed = talk.choice, narrows else { return talk.tools }
    let allowed = Set(talk.allowed.map(name))
    return talk.tools.filter { allowed.contains(name($0.name)) }
  }

  func name(_ raw: ByteRange) -> String { String(decoding: raw.of(body), as: UTF8.self) }

  /// Names what asked for tools, where none are told of.
  mutating func dropChoice() {
    switch talk.choice {
    case .unset: break
    case .none, .auto: if !talk.tools.isEmpty { dropped.add(talk.choicePath) }
    default: dropped.add(talk.choicePath)
    }
  }

  var isToolForced: Bool {
    switch talk.choice {
    case .required, .tool, .allowed(required: true): true
    default: false
    }
  }

  /// A schema, or one without members where the target wants some.
  func writeSchema(_ tool: Tool) {
    guard !tool.schema.isEmpty else { return out.append("{\"type\":\"object\",\"properties\":{}}") }
    guard !tool.isTyped else { return splice(tool.schema) }
    out.append("{\"type\":\"object\",")
    splice(ByteRange(tool.schema.start + 1, tool.schema.end))
  }

  // MARK: Media

  func writeMediaType(_ block: Block) {
    out.append(0x22)
    if block.media == .unknown, !block.type.isEmpty { splice(block.type) } else { out.append(block.media.name) }
    out.append(0x22)
  }

  // MARK: Numbers

  /// A number, brought into `0 … most`; named where that changes it.
  mutating func writeClamped(_ number: ByteRange, most: Int, path: String) {
    let value = value(number)
    guard value < 0 || value > Double(most) else { return splice(number) }
    out.append(utf8: String(value < 0 ? 0 : most))
    dropped.add(path)
  }

  func value(_ number: ByteRange) -> Double { Double(String(decoding: number.of(body), as: UTF8.self)) ?? 0 }

  func writeStops() {
    out.append("[")
    for stop in talk.stops {
      comma()
      quote(stop.text)
    }
    out.append("]")
  }

  // MARK: Where things stand in the source

  /// Names all that asked how much to think, and to show it.
  mutating func dropThinking() {
    if talk.thinking.effort != nil { dropped.add(talk.thinking.effortPath) }
    if talk.thinking.mode != .unset { dropped.add("thinking") }
    dropSummary()
  }

  mutating func dropSummary() {
    if talk.thinking.wantsText, talk.source == .responses { dropped.add("reasoning.summary") }
  }

  var stopPath: String { talk.source == .messages ? "stop_sequences" : "stop" }
  var parallelPath: String {
    talk.source == .messages ? "tool_choice.disable_parallel_tool_use" : "parallel_tool_calls"
  }
  var formatPath: String {
    switch talk.source {
    case .chat: "response_format"
    case .responses: "text.format"
    case .messages: "output_config.format"
    }
  }
  var systemPath: String {
    switch talk.source {
    case .chat: "messages[0]"
    case .responses: "instructions"
    case .messages: "system"
    }
  }
}
