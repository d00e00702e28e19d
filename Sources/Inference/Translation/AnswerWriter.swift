internal import JSONText

/// The block that a translated answer is at: a running text, or a tool call.
struct AnswerBlock {
  /// `text`, `thinking`, `refusal` or `tool`.
  let kind: AnswerStep.Kind
  /// The provider's key.
  let key: Int32
  /// Its index counts the blocks of its kind.
  let channel: AnswerChannel
  /// Its provider has ended it; it closes with what comes next.
  var isOver = false
  /// Something was written for it.
  var hasText = false
}

/// Raw string content that a tool call begins with; names of placeholders are restored in it.
struct ToolCallStart {
  /// Without a seal; empty where the provider gave none.
  var id: UnsafeRawBufferPointer
  var name: UnsafeRawBufferPointer
  /// What must come back with the call (Gemini); empty for none.
  var seal: UnsafeRawBufferPointer
}

/// Writes an answer in a client's dialect: as events, whole ones only, or as one plain object.
///
/// Told in this order: ``begin(to:)``, for each block an opening, pieces and ``close(_:isEarly:to:)``, then
/// ``end(_:_:to:)``. All texts are the raw content of JSON strings, restored.
protocol AnswerWriter {
  /// - Parameter isPlain: Nothing goes out before ``appendEnd(to:)``, which then writes the whole answer.
  init(_ options: AnswerOptions, isPlain: Bool)

  mutating func begin(to out: ByteArena)
  /// A running text begins.
  mutating func open(_ block: AnswerBlock, to out: ByteArena)
  mutating func open(_ block: AnswerBlock, call: ToolCallStart, to out: ByteArena)
  mutating func piece(_ block: AnswerBlock, _ text: UnsafeRawBufferPointer, to out: ByteArena)
  /// Whether the dialect has a place for what proves a thinking block, and for one that only its provider can read.
  static var carriesProofs: Bool { get }
  /// What proves the open thinking block.
  mutating func signature(_ text: UnsafeRawBufferPointer, to out: ByteArena)
  /// A whole thinking block that only its provider can read.
  mutating func redacted(_ data: UnsafeRawBufferPointer, to out: ByteArena)
  /// - Parameter isEarly: The block may lack its end.
  /// - Returns: False if what was written can be no whole block.
  mutating func close(_ block: AnswerBlock, isEarly: Bool, to out: ByteArena) -> Bool
  /// All blocks are closed; the dialect's last word stays back.
  mutating func end(_ end: AnswerEnd, _ usage: Usage, to out: ByteArena)
  mutating func appendEnd(to out: ByteArena)
  mutating func appendError(_ refusal: Refusal, requestID: String, to out: ByteArena)
  func appendKeepAlive(to out: ByteArena)
  /// Bytes that are kept until the end.
  var keptBytes: Int { get }
  /// What was left out, where the dialect has no form for it.
  var lost: [String] { get }
}

/// Ids of tool calls, made where the provider has none, sealed where a signature must come back.
enum ToolCallID {
  /// Stands between an id and the signature that a client would else drop (`api.md` section 9); the last one counts.
  static let seal: StaticString = "~ts~"

  /// Appends the id as raw string content.
  static func append(_ call: ToolCallStart, ordinal: Int32, _ options: AnswerOptions, to out: ByteArena) {
    if call.id.isEmpty {
      out.append("call_")
      out.append(options.answerID)
      out.append(0x5F)
      out.append(number: ordinal)
    } else {
      out.append(call.id)
    }
    let began = out.count
    out.append(seal)
    guard !call.seal.isEmpty, appendURLSafe(call.seal, to: out) else { return out.truncate(to: began) }
  }

  /// Appends base64 in the alphabet of RFC 4648, section 5, without padding; the bits stay the same.
  /// - Returns: False if it is no base64.
  private static func appendURLSafe(_ raw: UnsafeRawBufferPointer, to out: ByteArena) -> Bool {
    let began = out.count
    JSONEscape.unescape(raw, to: out)
    var end = out.count
    while end > began, out.bytes[end - 1] == 0x3D { end -= 1 }
    out.truncate(to: end)
    for index in began..<end {
      switch out.bytes[index] {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: break
      case 0x2B: out.base.storeBytes(of: 0x2D, toByteOffset: index, as: UInt8.self)
      case 0x2F: out.base.storeBytes(of: 0x5F, toByteOffset: index, as: UInt8.self)
      default: return false
      }
    }
    return end > began
  }
}

extension ByteArena {
  func append(number: Int32) { append(number: Int64(number)) }
}
