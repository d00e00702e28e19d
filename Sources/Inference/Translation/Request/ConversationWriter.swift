internal import JSONText

/// Writes a ``Conversation`` as the body of a target; what only shows here that it cannot be carried is named.
struct ConversationWriter: ~Copyable {
  let body: UnsafeRawBufferPointer
  let talk: Conversation
  let target: RequestTranslation.Target
  let takes: TargetAbilities
  let out: ByteArena
  var dropped: DroppedPaths
  /// Runs of turns that have one speaker in the target: the system's late words are the user's there.
  let runs: [Run]
  /// Where the blocks of all runs stand at the top of their turns, results first in each run.
  let spots: [Spot]

  struct Run {
    var isAssistant: Bool
    var turns: Range<Int>
    /// In ``spots``.
    var blocks: Range<Int>
    /// How many of them are results.
    var results: Int
  }

  struct Spot {
    var place: Int
    var role: Turn.Role
  }

  init(_ reader: consuming ConversationReader, to target: RequestTranslation.Target, into out: ByteArena) {
    (runs, spots) = Self.arrange(reader.talk)
    (body, takes) = (reader.body, reader.takes)
    (self.target, self.out) = (target, out)
    dropped = reader.dropped
    talk = reader.talk
  }

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

  /// The content of a turn's text; one of a late system message carries the marker.
  func appendText(of spot: Spot) {
    if spot.role == .system { out.append(Self.systemMarker) }
    splice(talk.blocks[spot.place].text)
  }

  // MARK: Turns

  private static func arrange(_ talk: borrowing Conversation) -> ([Run], [Spot]) {
    var runs: [Run] = []
    var spots: [Spot] = []
    runs.reserveCapacity(talk.turns.count)
    spots.reserveCapacity(talk.blocks.count)
    var start = 0
    while start < talk.turns.count {
      let isAssistant = talk.turns[start].role == .assistant
      var end = start + 1
      while end < talk.turns.count, (talk.turns[end].role == .assistant) == isAssistant { end += 1 }
      let first = spots.count
      // Only who is asked can bring results.
      if talk.hasResults, !isAssistant { add(results: true, of: start..<end, talk, to: &spots) }
      let results = spots.count - first
      add(results: false, of: start..<end, talk, to: &spots)
      runs.append(
        Run(isAssistant: isAssistant, turns: start..<end, blocks: first..<spots.count, results: results))
      start = end
    }
    return (runs, spots)
  }

  private static func add(results: Bool, of turns: Range<Int>, _ talk: borrowing Conversation, to spots: inout [Spot]) {
    for turn in turns {
      var place = talk.turns[turn].first
      let end = min(talk.turns[turn].end, talk.blocks.count)
      while place < end {
        if (talk.blocks[place].kind == .result) == results {
          spots.append(Spot(place: place, role: talk.turns[turn].role))
        }
        place += 1 + talk.blocks[place].inner
      }
    }
  }

  /// Where stands what a result holds.
  func inside(_ place: Int) -> Range<Int> {
    let end = min(place + 1 + talk.blocks[place].inner, talk.blocks.count)
    return min(place + 1, end)..<end
  }

  func isPlainText(_ place: Int) -> Bool {
    talk.blocks[place].kind == .text && talk.blocks[place].cache.isEmpty
  }

  /// Whether a run's first block is a text without mark.
  func isPlainText(_ run: Run) -> Bool { !run.blocks.isEmpty && isPlainText(spots[run.blocks.lowerBound].place) }

  // MARK: Calls

  /// A call's id as the target takes it.
  func writeID(_ block: Block) {
    out.append(0x22)
    defer { out.append(0x22) }
    guard block.madeID == 0 else {
      out.append("call_f")
      return out.append(number: Int64(block.madeID))
    }
    let raw = block.id.of(body)
    switch takes.wire {
    case .messages, .converse:
      let isLong = takes.wire == .converse && raw.count > 64
      guard !isLong else { return writeShortID(raw) }
      let takesMarks = takes.wire == .converse
      guard !raw.allSatisfy({ Self.isPlain($0, takesMarks) }) else { return out.append(raw) }
      for byte in raw { out.append(Self.isPlain(byte, takesMarks) ? byte : 0x5F) }
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
    let allowed = Set(talk.allowed.map { name($0) })
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
    let isNegative = isNegative(number)
    guard isNegative || exceeds(number, most) else { return splice(number) }
    out.append(number: Int64(isNegative ? 0 : most))
    dropped.add(path)
  }

  /// A number without exponent: what stands in front of its point, and whether there is more behind it; nil for another.
  private func plain(_ number: ByteRange) -> (whole: Int, hasFraction: Bool)? {
    let raw = number.of(body)
    guard raw.count <= 16 else { return nil }
    var (whole, isBehindPoint, hasFraction) = (0, false, false)
    for byte in raw {
      switch byte {
      case 0x30...0x39 where isBehindPoint: if byte != 0x30 { hasFraction = true }
      case 0x30...0x39: whole = whole * 10 + Int(byte - 0x30)
      case 0x2E: isBehindPoint = true
      default: return nil
      }
    }
    return (whole, hasFraction)
  }

  private func isNegative(_ number: ByteRange) -> Bool { number.of(body).first == 0x2D && value(number) < 0 }

  private func exceeds(_ number: ByteRange, _ most: Int) -> Bool {
    guard let plain = plain(number) else { return value(number) > Double(most) }
    return plain.whole > most || plain.whole == most && plain.hasFraction
  }

  func isOne(_ number: ByteRange) -> Bool {
    guard let plain = plain(number) else { return value(number) == 1 }
    return plain.whole == 1 && !plain.hasFraction
  }

  private func value(_ number: ByteRange) -> Double { Double(String(decoding: number.of(body), as: UTF8.self)) ?? 0 }

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
