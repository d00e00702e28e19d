import NIOCore

/// Embeddings: each input has its own vector, the same on every run.
///
/// Components are multiples of 1/1024 in -1…1, so their decimal text and their float32 bytes say exactly the same.
struct EmbeddingsAnswer {
  static let defaultDimensions = 64
  static let dimensionLimit = 8_192

  private(set) var model: Range<Int>?
  private var isBase64 = false
  private var dimensions = Self.defaultDimensions
  private var seeds: [UInt64] = []
  private var inputBytes = 0
  private var inputTokens = 0

  var usage: MockUsage {
    MockUsage(promptTokens: MockUsage.tokens(inBytes: inputBytes) + inputTokens, completionTokens: 0)
  }

  /// Reads a request; nil if it is no object with `input`, or has a model that is no string.
  init?(_ bytes: UnsafeRawBufferPointer) {
    var cursor = JSONCursor(bytes)
    var answer = EmbeddingsAnswer()
    let isGood = cursor.takeObject { cursor, name in answer.readMember(&cursor, name) }
    guard isGood, cursor.peek() == nil, !answer.seeds.isEmpty else { return nil }
    self = answer
  }

  private init() {}

  private mutating func readMember(_ cursor: inout JSONCursor, _ name: Range<Int>) -> Bool {
    let bytes = cursor.bytes
    if bytes.equals("model", from: name.lowerBound, to: name.upperBound) {
      model = cursor.takeString()
      return model != nil
    }
    if bytes.equals("input", from: name.lowerBound, to: name.upperBound) { return readInput(&cursor) }
    guard let value = cursor.takeValue() else { return false }
    if bytes.equals("encoding_format", from: name.lowerBound, to: name.upperBound) {
      isBase64 = bytes.equals("\"base64\"", from: value.lowerBound, to: value.upperBound)
    } else if bytes.equals("dimensions", from: name.lowerBound, to: name.upperBound),
      let number = bytes.decimal(in: value, limit: Self.dimensionLimit), number > 0
    {
      dimensions = number
    }
    return true
  }

  /// A string, strings, tokens, or arrays of tokens.
  private mutating func readInput(_ cursor: inout JSONCursor) -> Bool {
    if cursor.peek() == 0x22 { return readText(&cursor) }
    var tokens = 0
    let start = cursor.position
    let isGood = cursor.takeArray { cursor in
      switch cursor.peek() {
      case 0x22: return readText(&cursor)
      case 0x5B:
        let inner = cursor.position
        let isArray = cursor.takeArray { cursor in
          inputTokens += 1
          return cursor.takeScalar() != nil
        }
        seeds.append(Self.seed(cursor.bytes, inner..<cursor.position))
        return isArray
      default:
        tokens += 1
        return cursor.takeScalar() != nil
      }
    }
    if tokens > 0 {
      inputTokens += tokens
      seeds.append(Self.seed(cursor.bytes, start..<cursor.position))
    }
    return isGood
  }

  private mutating func readText(_ cursor: inout JSONCursor) -> Bool {
    guard let range = cursor.takeString() else { return false }
    var text: [UInt8] = []
    JSONStringText.decode(cursor.bytes, range, into: &text)
    inputBytes += text.count
    seeds.append(text.withUnsafeBytes { Self.seed($0, 0..<$0.count) })
    return true
  }

  /// FNV-1a, 64 bits.
  private static func seed(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for index in range.clamped(to: 0..<bytes.count) {
      hash = (hash ^ UInt64(bytes[index])) &* 0x0000_0100_0000_01b3
    }
    return hash
  }

  /// Component `index` of the vector for `seed`, by SplitMix64.
  private static func component(_ seed: UInt64, _ index: Int) -> Float {
    var value = seed &+ (UInt64(truncatingIfNeeded: index) &+ 1) &* 0x9e37_79b9_7f4a_7c15
    value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
    value ^= value >> 31
    return (Float(value % 2_049) - 1_024) / 1_024
  }

  func write(rawModel: ByteBuffer, _ script: Script, into body: inout ByteBuffer) {
    body.writeStaticString("{\"object\":\"list\",\"data\":[")
    for (index, seed) in seeds.enumerated() {
      if index > 0 { body.writeStaticString(",") }
      body.writeStaticString("{\"object\":\"embedding\",\"index\":")
      body.writeString(String(index))
      body.writeStaticString(",\"embedding\":")
      if isBase64 { writeBase64(seed, into: &body) } else { writeFloats(seed, into: &body) }
      body.writeStaticString("}")
    }
    body.writeStaticString("],\"model\":\"")
    body.writeImmutableBuffer(rawModel)
    body.writeStaticString("\"")
    if script.reportsUsage {
      let tokens = script.usageLie?.text ?? String(usage.promptTokens)
      body.writeString(",\"usage\":{\"prompt_tokens\":\(tokens),\"total_tokens\":\(tokens)}")
    }
    body.writeStaticString("}")
  }

  private func writeFloats(_ seed: UInt64, into body: inout ByteBuffer) {
    body.writeStaticString("[")
    for index in 0..<dimensions {
      if index > 0 { body.writeStaticString(",") }
      body.writeString(Self.component(seed, index).description)
    }
    body.writeStaticString("]")
  }

  /// Little-endian float32, as openai-python asks for by itself.
  private func writeBase64(_ seed: UInt64, into body: inout ByteBuffer) {
    var raw: [UInt8] = []
    raw.reserveCapacity(dimensions * 4)
    for index in 0..<dimensions {
      let bits = Self.component(seed, index).bitPattern
      for shift in [0, 8, 16, 24] as [UInt32] { raw.append(UInt8(truncatingIfNeeded: bits >> shift)) }
    }
    body.writeStaticString("\"")
    Base64Text.write(raw[...], into: &body)
    body.writeStaticString("\"")
  }
}
