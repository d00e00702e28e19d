import Inference

/// Makes requests of each dialect, valid and odd, in which every text is unlike all others and its place is known.
struct RequestMaker {
  private(set) var random: SeededGenerator
  /// Each text and where it stands.
  private(set) var texts: [(text: String, path: String)] = []
  private var count = 0

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

  /// A text that needs escapes, as the content of a string.
  private mutating func text(_ path: String) -> String {
    count += 1
    let text = "w\(count)x"
    texts.append((text, path))
    let odd = ["", " \\n", "\\u00e9", "ü", "\\\"", "\\\\", "\\ud83d\\ude00"]
    return text + (odd.randomElement(using: &random) ?? "")
  }

  private mutating func name(_ path: String) -> String {
    count += 1
    texts.append(("w\(count)x", path))
    return "w\(count)x"
  }

  mutating func make(_ route: InferenceRoute) -> String {
    texts = []
    switch route {
    case .responses: return responses()
    case .messages: return messages()
    default: return chat()
    }
  }

  private mutating func object(_ members: [String]) -> String {
    "{" + members.shuffled(using: &random).joined(separator: chance(10) ? " ,\n" : ",") + "}"
  }

  private mutating func shared() -> [String] {
    var members = ["\"model\":\"alias\""]
    if chance(30) { members.append("\"temperature\":\(["0", "0.7", "1.9"].randomElement(using: &random) ?? "1")") }
    if chance(20) { members.append("\"top_p\":0.5") }
    if chance(20) { members.append("\"stream\":true") }
    if chance(20) { members.append("\"unknown\":{\"a\":\"\(text("unknown"))\"}") }
    return members
  }

  // MARK: Chat

  private mutating func chat() -> String {
    var members = shared()
    if chance(20) { members.append("\"stop\":[\"\(text("stop[0]"))\",\"\(text("stop[1]"))\"]") }
    if chance(20) { members.append("\"seed\":5") }
    if chance(20) { members.append("\"reasoning_effort\":\"high\"") }
    if chance(30) {
      members.append(
        "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"\(name("response_format.json_schema.name"))\",\"schema\":{\"type\":\"object\",\"title\":\"\(name("response_format.json_schema.schema"))\"}}}"
      )
    }
    if chance(50) { members.append("\"tools\":[" + (0..<2).map { chatTool($0) }.joined(separator: ",") + "]") }
    members.append("\"messages\":[" + chatMessages().joined(separator: ",") + "]")
    return object(members)
  }

  private mutating func chatTool(_ index: Int) -> String {
    let path = "tools[\(index)].function"
    let function = object([
      "\"name\":\"\(name(path + ".name"))\"", "\"description\":\"\(text(path + ".description"))\"",
      "\"parameters\":{\"type\":\"object\",\"properties\":{\"\(name(path + ".parameters"))\":{}}}",
    ])
    return "{\"type\":\"function\",\"function\":\(function)}"
  }

  private mutating func chatMessages() -> [String] {
    var messages: [String] = []
    for _ in 0..<Int.random(in: 1...6, using: &random) {
      let index = messages.count
      let path = "messages[\(index)]"
      switch Int.random(in: 0..<6, using: &random) {
      case 0: messages.append(object(["\"role\":\"system\"", "\"content\":\"\(text(path + ".content"))\""]))
      case 1:
        messages.append(
          object([
            "\"role\":\"assistant\"", "\"content\":\"\(text(path + ".content"))\"",
            "\"reasoning_content\":\"\(text(path + ".reasoning_content"))\"",
          ]))
      case 2:
        let function = object([
          "\"name\":\"\(name(path + ".tool_calls[0].function.name"))\"",
          "\"arguments\":\"{\\\"\(name(path + ".tool_calls[0].function.arguments"))\\\":1}\"",
        ])
        messages.append(
          object([
            "\"role\":\"assistant\"", "\"content\":null",
            "\"tool_calls\":["
              + object(["\"id\":\"call_\(index)\"", "\"type\":\"function\"", "\"function\":\(function)"]) + "]",
          ]))
        messages.append(
          object([
            "\"role\":\"tool\"", "\"tool_call_id\":\"call_\(index)\"",
            "\"content\":\"\(text("messages[\(index + 1)].content"))\"",
          ]))
      case 3:
        let image = object([
          "\"type\":\"image_url\"",
          "\"image_url\":{\"url\":\"data:image/png;base64,\(name(path + ".content[1].image_url.url"))\"}",
        ])
        messages.append(
          object([
            "\"role\":\"user\"",
            "\"content\":[" + object(["\"type\":\"text\"", "\"text\":\"\(text(path + ".content[0].text"))\""])
              + ",\(image)]",
          ]))
      default:
        messages.append(
          object([
            "\"role\":\"user\"", "\"content\":\"\(text(path + ".content"))\"",
            "\"name\":\"\(name(path + ".name"))\"",
          ]))
      }
    }
    return messages
  }

  // MARK: Responses

  private mutating func responses() -> String {
    var members = shared()
    if chance(40) { members.append("\"instructions\":\"\(text("instructions"))\"") }
    if chance(40) {
      members.append(
        "\"tools\":["
          + object([
            "\"type\":\"function\"", "\"name\":\"\(name("tools[0].name"))\"",
            "\"description\":\"\(text("tools[0].description"))\"",
          ]) + ",{\"type\":\"\(name("tools[1]"))\"}]")
    }
    if chance(20) { members.append("\"prompt_cache_key\":\"\(text("prompt_cache_key"))\"") }
    if chance(20) { members.append("\"reasoning\":{\"effort\":\"low\",\"summary\":\"auto\"}") }
    var items: [String] = []
    for _ in 0..<Int.random(in: 1...6, using: &random) {
      let path = "input[\(items.count)]"
      switch Int.random(in: 0..<6, using: &random) {
      case 0: items.append(object(["\"role\":\"developer\"", "\"content\":\"\(text(path + ".content"))\""]))
      case 1:
        let part = object([
          "\"type\":\"output_text\"", "\"text\":\"\(text(path + ".content[0].text"))\"", "\"annotations\":[]",
        ])
        items.append(
          object(["\"type\":\"message\"", "\"id\":\"msg_1\"", "\"role\":\"assistant\"", "\"content\":[\(part)]"]))
      case 2:
        items.append(
          object([
            "\"type\":\"function_call\"", "\"call_id\":\"call_\(items.count)\"", "\"name\":\"\(name(path + ".name"))\"",
            "\"arguments\":\"{\\\"a\\\":\\\"\(name(path + ".arguments"))\\\"}\"",
          ]))
        let output = "input[\(items.count)].output"
        items.append(
          object([
            "\"type\":\"function_call_output\"", "\"call_id\":\"call_\(items.count - 1)\"",
            "\"output\":\"\(text(output))\"",
          ]))
      case 3: items.append(object(["\"type\":\"reasoning\"", "\"encrypted_content\":\"\(text(path))\""]))
      default:
        items.append(
          object([
            "\"role\":\"user\"",
            "\"content\":[{\"type\":\"input_text\",\"text\":\"\(text(path + ".content[0].text"))\"}]",
          ]))
      }
    }
    // At least one item that says something.
    items.append(object(["\"role\":\"user\"", "\"content\":\"\(text("input[\(items.count)].content"))\""]))
    members.append("\"input\":[" + items.joined(separator: ",") + "]")
    return object(members)
  }

  // MARK: Messages

  private mutating func messages() -> String {
    var members = shared() + ["\"max_tokens\":5"]
    if chance(50) { members.append("\"system\":[" + block("system[0]") + "]") }
    if chance(30) { members.append("\"stop_sequences\":[\"\(text("stop_sequences[0]"))\"]") }
    if chance(40) {
      members.append(
        "\"tools\":["
          + object([
            "\"name\":\"\(name("tools[0].name"))\"", "\"description\":\"\(text("tools[0].description"))\"",
            "\"input_schema\":{\"type\":\"object\",\"title\":\"\(name("tools[0].input_schema"))\"}",
            "\"input_examples\":[\"\(text("tools[0].input_examples"))\"]",
          ]) + "]")
    }
    var turns: [String] = []
    for _ in 0..<Int.random(in: 1...5, using: &random) {
      let path = "messages[\(turns.count)]"
      switch Int.random(in: 0..<4, using: &random) {
      case 0:
        let thought = object([
          "\"type\":\"thinking\"", "\"thinking\":\"\(text(path + ".content[0]"))\"", "\"signature\":\"s\"",
        ])
        let id = "toolu_\(turns.count)"
        let call = object([
          "\"type\":\"tool_use\"", "\"id\":\"\(id)\"", "\"name\":\"\(name(path + ".content[1].name"))\"",
          "\"input\":{\"\(name(path + ".content[1].input"))\": [1, \"\(text(path + ".content[1].input"))\"]}",
        ])
        turns.append(object(["\"role\":\"assistant\"", "\"content\":[\(thought),\(call)]"]))
        let result = "messages[\(turns.count)].content[0]"
        turns.append(
          object([
            "\"role\":\"user\"",
            "\"content\":["
              + object([
                "\"type\":\"tool_result\"", "\"tool_use_id\":\"\(id)\"", "\"is_error\":\(chance(50))",
                "\"content\":[" + block(result + ".content[0]") + "]",
              ]) + "," + block("messages[\(turns.count)].content[1]") + "]",
          ]))
      case 1: turns.append(object(["\"role\":\"assistant\"", "\"content\":\"\(text(path + ".content"))\""]))
      default: turns.append(object(["\"role\":\"user\"", "\"content\":[" + block(path + ".content[0]") + "]"]))
      }
    }
    members.append("\"messages\":[" + turns.joined(separator: ",") + "]")
    return object(members)
  }

  private mutating func block(_ path: String) -> String {
    object(["\"type\":\"text\"", "\"text\":\"\(text(path + ".text"))\"", "\"cache_control\":{\"type\":\"ephemeral\"}"])
  }
}
