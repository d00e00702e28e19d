/// Where in a source's body something stands; a small value, whose path is only written when somebody asks.
struct Place {
  enum Step: UInt8, Sendable {
    case messages, input, instructions, system, tools, content, toolCalls, functionCall, function, functions, custom,
      toolChoice, functionChoice, responseFormat, jsonSchema, text, format, outputConfig, outputFormat, reasoning,
      thinking, metadata, streamOptions, imageURL, inputAudio, file, source, output, extraContent, google, allowedTools

    var name: StaticString {
      switch self {
      case .messages: "messages"
      case .input: "input"
      case .instructions: "instructions"
      case .system: "system"
      case .tools: "tools"
      case .content: "content"
      case .toolCalls: "tool_calls"
      case .functionCall, .functionChoice: "function_call"
      case .function: "function"
      case .functions: "functions"
      case .custom: "custom"
      case .toolChoice: "tool_choice"
      case .responseFormat: "response_format"
      case .jsonSchema: "json_schema"
      case .text: "text"
      case .format: "format"
      case .outputConfig: "output_config"
      case .outputFormat: "output_format"
      case .reasoning: "reasoning"
      case .thinking: "thinking"
      case .metadata: "metadata"
      case .streamOptions: "stream_options"
      case .imageURL: "image_url"
      case .inputAudio: "input_audio"
      case .file: "file"
      case .source: "source"
      case .output: "output"
      case .extraContent: "extra_content"
      case .google: "google"
      case .allowedTools: "allowed_tools"
      }
    }
  }

  /// The count of levels in the lowest byte, their steps in those above.
  private var steps: UInt64 = 0
  /// Two levels a word: the index and one, or 0 where there is none. Four words travel in registers.
  private var indexes: (UInt64, UInt64, UInt64) = (0, 0, 0)

  private static var mostLevels: Int { 6 }
  private var count: Int { Int(steps & 0xFF) }

  /// The body's own object.
  static let body = Place()

  /// One level down; deeper than six levels the path stays where it is.
  @inline(__always)
  func at(_ step: Step) -> Place {
    guard count < Self.mostLevels else { return self }
    var place = self
    place.steps = (steps | UInt64(step.rawValue) &<< UInt64(8 * (count + 1))) &+ 1
    return place
  }

  @inline(__always)
  func at(_ step: Step, _ index: Int) -> Place {
    guard count < Self.mostLevels else { return self }
    var place = at(step)
    let mark = (UInt64(UInt32(clamping: index)) & 0x7FFF_FFFF &+ 1) &<< UInt64(32 * (count & 1))
    switch count >> 1 {
    case 0: place.indexes.0 |= mark
    case 1: place.indexes.1 |= mark
    default: place.indexes.2 |= mark
    }
    return place
  }

  private func step(_ level: Int) -> Step? {
    Step(rawValue: UInt8(truncatingIfNeeded: steps >> UInt64(8 * (level + 1))))
  }

  /// -1 where the level is no element of an array.
  private func index(_ level: Int) -> Int {
    let word = level < 2 ? indexes.0 : level < 4 ? indexes.1 : indexes.2
    return Int(UInt32(truncatingIfNeeded: word >> UInt64(32 * (level & 1)))) - 1
  }

  /// `messages[3].content[0]`; empty for the body itself.
  var path: String {
    var text = ""
    for level in 0..<count {
      guard let step = step(level) else { break }
      if !text.isEmpty { text += "." }
      text += "\(step.name)"
      if index(level) >= 0 { text += "[\(index(level))]" }
    }
    return text
  }

  /// Where this says whose words they are: the `role` of a message; a system text of the body's own has none.
  var rolePath: String {
    let isMessage = count > 0 && (step(0) == .messages || step(0) == .input)
    return isMessage && index(0) >= 0 ? member("role") : path
  }

  /// Where a call's arguments stand.
  var argumentsPath: String {
    count > 1 && step(1) == .toolCalls ? at(.function).member("arguments") : member("arguments")
  }

  /// The path of a member of this object.
  func member(_ name: String) -> String { count == 0 ? name : path + "." + name }
}
