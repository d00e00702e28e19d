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

  private struct Level {
    var step = Step.messages
    var index: Int32 = -1
  }

  private var levels = (Level(), Level(), Level(), Level(), Level(), Level())
  private var count: UInt8 = 0

  /// The body's own object.
  static let body = Place()

  /// One level down; deeper than six levels the path stays where it is.
  func at(_ step: Step, _ index: Int? = nil) -> Place {
    var place = self
    let level = Level(step: step, index: index.map { Int32(clamping: $0) } ?? -1)
    switch count {
    case 0: place.levels.0 = level
    case 1: place.levels.1 = level
    case 2: place.levels.2 = level
    case 3: place.levels.3 = level
    case 4: place.levels.4 = level
    case 5: place.levels.5 = level
    default: return self
    }
    place.count += 1
    return place
  }

  /// `messages[3].content[0]`; empty for the body itself.
  var path: String {
    var text = ""
    let all = [levels.0, levels.1, levels.2, levels.3, levels.4, levels.5]
    for level in all.prefix(Int(count)) {
      if !text.isEmpty { text += "." }
      text += "\(level.step.name)"
      if level.index >= 0 { text += "[\(level.index)]" }
    }
    return text
  }

  /// Where this says whose words they are: the `role` of a message; a system text of the body's own has none.
  var rolePath: String {
    let isMessage = levels.0.step == .messages || levels.0.step == .input
    return isMessage && levels.0.index >= 0 ? member("role") : path
  }

  /// Where a call's arguments stand.
  var argumentsPath: String {
    levels.1.step == .toolCalls && count > 1 ? at(.function).member("arguments") : member("arguments")
  }

  /// The path of a member of this object.
  func member(_ name: String) -> String { count == 0 ? name : path + "." + name }
}
