import Foundation
import Inference
import Testing

/// Each field of the published request schemas is carried, translated, named or refused: none vanishes in silence.
@Suite struct TranslationFieldTests {
  struct Field: Sendable, CustomTestStringConvertible {
    /// Its path in the request.
    var path: String
    var with: String
    var without: String
    /// Targets where it may leave no trace, because the target says the same without it.
    var silent: [ProviderWire] = []
    var testDescription: String { path }
  }

  /// Must be found in the target's body where a field of text is not named.
  private static let mark = "zq9"
  private static let every = ProviderWire.allCases

  // MARK: Chat

  private static func chat(_ path: String, _ value: String, silent: [ProviderWire] = []) -> Field {
    let base = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]"
    return Field(path: path, with: base + ",\"\(path)\":\(value)}", without: base + "}", silent: silent)
  }

  private static let tool = "{\"type\":\"function\",\"function\":{\"name\":\"f\"}}"
  private static let call = "{\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}"

  /// A member of an object inside of the request: `open` and `close` stand around it.
  private static func inside(
    _ path: String, _ open: String, _ member: String, _ close: String, silent: [ProviderWire] = []
  ) -> Field {
    Field(path: path, with: open + "," + member + close, without: open + close, silent: silent)
  }

  private static func chatMessage(_ name: String, _ value: String, role: String = "user", silent: [ProviderWire] = [])
    -> Field
  {
    let first = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"A\"},"
    return inside(
      "messages[1].\(name)", first + "{\"role\":\"\(role)\",\"content\":\"B\"", "\"\(name)\":\(value)", "}]}",
      silent: silent)
  }

  private static func chatPart(_ path: String, _ type: String, _ member: String, silent: [ProviderWire] = []) -> Field {
    inside(
      "messages[0].content[0].\(path)",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"\(type)\"", member,
      ",\"text\":\"A\"}]}]}", silent: silent)
  }

  static let chatFields: [Field] = [
    chat("audio", "{\"voice\":\"alloy\",\"format\":\"zq9\"}"), chat("frequency_penalty", "0.5"),
    chat("function_call", "{\"name\":\"zq9\"}"), chat("functions", "[{\"name\":\"zq9\"}]"),
    chat("logit_bias", "{\"5\":1}"), chat("logprobs", "true"), chat("max_completion_tokens", "5", silent: every),
    chat("max_tokens", "5", silent: every), chat("metadata", "{\"a\":\"zq9\"}"),
    chat("modalities", "[\"text\",\"audio\"]"), chat("modalities", "[\"text\"]", silent: every),
    chat("moderation", "{\"model\":\"zq9\"}"), chat("n", "2"), chat("n", "1", silent: every),
    chat("parallel_tool_calls", "false"), chat("parallel_tool_calls", "true", silent: every),
    chat("prediction", "{\"type\":\"content\",\"content\":\"zq9\"}"), chat("presence_penalty", "0.5"),
    chat("prompt_cache_key", "\"zq9\""), chat("prompt_cache_options", "{\"x\":\"zq9\"}"),
    chat("prompt_cache_retention", "\"24h\""), chat("reasoning_effort", "\"low\""),
    chat("response_format", "{\"type\":\"json_object\"}"),
    chat("response_format", "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\",\"schema\":{\"a\":\"zq9\"}}}"),
    chat("response_format", "{\"type\":\"text\"}", silent: every),
    chat("safety_identifier", "\"x\"", silent: [.messages]),
    chat("seed", "7"), chat("service_tier", "\"flex\""), chat("service_tier", "\"auto\"", silent: every),
    chat("stop", "\"zq9\""), chat("stop", "[\"zq9\"]"), chat("store", "true"), chat("store", "false", silent: every),
    chat("stream", "true", silent: [.gemini, .converse]),
    chat("stream_options", "{\"include_usage\":true}", silent: every),
    chat("stream_options", "{\"include_obfuscation\":true}"), chat("temperature", "0.5"),
    chat("tool_choice", "\"required\""), chat("tools", "[{\"type\":\"function\",\"function\":{\"name\":\"zq9\"}}]"),
    chat("tools", "[{\"type\":\"custom\",\"custom\":{\"name\":\"zq9\"}}]"), chat("top_logprobs", "3"),
    chat("top_p", "0.5"), chat("user", "\"x\"", silent: [.messages]), chat("verbosity", "\"low\""),
    chat("web_search_options", "{\"search_context_size\":\"low\"}"), chat("top_k", "4"), chat("zq9", "1"),
    // Messages and their parts
    chatMessage("name", "\"zq9\""), chatMessage("name", "\"zq9\"", role: "assistant"),
    chatMessage("refusal", "\"zq9\"", role: "assistant"), chatMessage("audio", "{\"id\":\"zq9\"}", role: "assistant"),
    chatMessage(
      "tool_calls", "[{\"id\":\"c1\",\"function\":{\"name\":\"zq9\",\"arguments\":\"{}\"}}]", role: "assistant"),
    chatMessage("function_call", "{\"name\":\"zq9\",\"arguments\":\"{}\"}", role: "assistant"),
    chatMessage("reasoning_content", "\"zq9\"", role: "assistant"),
    chatMessage("reasoning", "\"zq9\"", role: "assistant"),
    chatMessage("annotations", "[{\"a\":1}]", role: "assistant"),
    chatMessage("tool_calls", "[{}]"), chatMessage("zq9", "[1]"),
    chatPart("cache_control", "text", "\"cache_control\":{\"type\":\"ephemeral\"}"),
    chatPart("zq9", "text", "\"zq9\":1"),
    chatPart("image_url", "image_url", "\"image_url\":{\"url\":\"data:image/png;base64,zq9A\"}"),
    chatPart(
      "image_url.detail", "image_url", "\"image_url\":{\"url\":\"data:image/png;base64,AAAA\",\"detail\":\"low\"}"),
    chatPart("input_audio", "input_audio", "\"input_audio\":{\"data\":\"zq9A\",\"format\":\"wav\"}"),
    chatPart("file", "file", "\"file\":{\"file_data\":\"zq9A\"}"),
    chatPart("file.filename", "file", "\"file\":{\"file_data\":\"AAAA\",\"filename\":\"zq9.pdf\"}"),
    // Tools
    inside(
      "tools[0].function.description",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"A\"}],"
        + "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"", "\"description\":\"zq9\"", "}}]}"),
    inside(
      "tools[0].function.parameters",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"A\"}],"
        + "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"", "\"parameters\":{\"zq9\":1}", "}}]}"),
    inside(
      "tools[0].function.strict",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"A\"}],"
        + "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"", "\"strict\":true", "}}]}"),
    inside(
      "tool_choice", "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"A\"}],\"tools\":[\(tool)]",
      "\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}}", "}"),
    inside(
      "messages[2].name",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"A\"},"
        + "{\"role\":\"assistant\",\"tool_calls\":[\(call)]},{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"r\"",
      "\"name\":\"zq9\"", "}]}"),
    inside(
      "messages[1].tool_calls[0].extra_content",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"A\"},"
        + "{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c1\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}",
      "\"extra_content\":{\"google\":{\"thought_signature\":\"zq9A\"}}", "}]}]}"),
  ]

  // MARK: Responses

  private static func responses(_ path: String, _ value: String, silent: [ProviderWire] = []) -> Field {
    let base = "{\"model\":\"m\",\"input\":\"Hi\""
    return Field(path: path, with: base + ",\"\(path)\":\(value)}", without: base + "}", silent: silent)
  }

  private static func item(_ path: String, _ value: String, silent: [ProviderWire] = []) -> Field {
    inside(
      path, "{\"model\":\"m\",\"input\":[{\"role\":\"user\",\"content\":\"A\"}", value, "]}", silent: silent)
  }

  static let responsesFields: [Field] = [
    responses("background", "true"), responses("background", "false", silent: every),
    responses("context_management", "[{\"type\":\"zq9\"}]"), responses("conversation", "\"zq9\""),
    responses("include", "[\"reasoning.encrypted_content\"]"), responses("instructions", "\"zq9\""),
    responses("max_output_tokens", "5", silent: every), responses("max_tool_calls", "5"),
    responses("metadata", "{\"a\":\"zq9\"}"), responses("moderation", "{\"a\":\"zq9\"}"),
    responses("parallel_tool_calls", "false"), responses("previous_response_id", "\"zq9\""),
    responses("prompt", "{\"id\":\"zq9\"}"), responses("prompt_cache_key", "\"zq9\""),
    responses("prompt_cache_options", "{\"a\":\"zq9\"}"), responses("prompt_cache_retention", "\"zq9\""),
    responses("reasoning", "{\"effort\":\"low\"}"), responses("reasoning", "{\"summary\":\"auto\"}"),
    responses("reasoning", "{\"generate_summary\":\"auto\"}"), responses("reasoning", "{\"context\":\"zq9\"}"),
    responses("safety_identifier", "\"x\"", silent: [.chat, .messages]),
    responses("service_tier", "\"flex\""), responses("store", "true"), responses("store", "false", silent: every),
    responses("stream", "true", silent: [.gemini, .converse]),
    responses("stream_options", "{\"include_obfuscation\":false}", silent: [.chat]),
    responses("temperature", "0.5"), responses("text", "{\"format\":{\"type\":\"json_object\"}}"),
    responses("text", "{\"format\":{\"type\":\"json_schema\",\"name\":\"n\",\"schema\":{\"a\":\"zq9\"}}}"),
    responses("text", "{\"verbosity\":\"low\"}"), responses("tool_choice", "\"required\""),
    responses("tools", "[{\"type\":\"function\",\"name\":\"zq9\"}]"),
    responses("tools", "[{\"type\":\"web_search\"}]"),
    responses("tools", "[{\"type\":\"mcp\",\"server_label\":\"zq9\"}]"),
    responses("tools", "[{\"type\":\"custom\",\"name\":\"zq9\"}]"), responses("top_logprobs", "3"),
    responses("top_p", "0.5"), responses("truncation", "\"auto\""),
    responses("truncation", "\"disabled\"", silent: every), responses("user", "\"x\"", silent: [.chat, .messages]),
    responses("zq9", "1"),
    item(
      "input[1]",
      "{\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"zq9\"}]}"),
    item("input[1]", "{\"type\":\"function_call\",\"call_id\":\"c\",\"name\":\"zq9\",\"arguments\":\"{}\"}"),
    item("input[1]", "{\"type\":\"custom_tool_call\",\"call_id\":\"c\",\"name\":\"zq9\",\"input\":\"x\"}"),
    item("input[1]", "{\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":\"zq9\"}"),
    item("input[1]", "{\"type\":\"reasoning\",\"summary\":[{\"type\":\"summary_text\",\"text\":\"zq9\"}]}"),
    item("input[1]", "{\"type\":\"item_reference\",\"id\":\"zq9\"}"),
    item("input[1]", "{\"type\":\"file_search_call\",\"queries\":[\"zq9\"]}"),
    item("input[1]", "{\"type\":\"computer_call\",\"call_id\":\"zq9\"}"),
    item("input[1]", "{\"type\":\"local_shell_call\",\"call_id\":\"zq9\"}"),
    item("input[1]", "{\"type\":\"mcp_call\",\"arguments\":\"zq9\"}"),
    item("input[1]", "{\"type\":\"image_generation_call\",\"result\":\"zq9\"}"),
    item("input[1]", "{\"type\":\"additional_tools\",\"tools\":[{\"type\":\"function\",\"name\":\"zq9\"}]}"),
    item(
      "input[1]", "{\"role\":\"user\",\"content\":[{\"type\":\"input_image\",\"image_url\":\"https://zq9.example/a\"}]}"
    ),
    item("input[1]", "{\"role\":\"user\",\"content\":[{\"type\":\"input_file\",\"file_data\":\"zq9A\"}]}"),
    item("input[1].phase", "{\"role\":\"assistant\",\"content\":\"B\",\"phase\":\"zq9\"}"),
  ]

  // MARK: Messages

  private static func messages(_ path: String, _ value: String, silent: [ProviderWire] = []) -> Field {
    let base = "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]"
    return Field(path: path, with: base + ",\"\(path)\":\(value)}", without: base + "}", silent: silent)
  }

  private static func block(_ path: String, _ value: String, role: String = "user", silent: [ProviderWire] = [])
    -> Field
  {
    let base =
      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"A\"},{\"role\":\"\(role)\",\"content\":["
    return inside(path, base + "{\"type\":\"text\",\"text\":\"B\"}", value, "]}]}", silent: silent)
  }

  static let messagesFields: [Field] = [
    messages("cache_control", "{\"type\":\"ephemeral\"}"), messages("container", "\"zq9\""),
    messages("context_management", "{\"edits\":[1]}"), messages("inference_geo", "\"eu\""),
    messages("mcp_servers", "[{\"name\":\"zq9\"}]"), messages("metadata", "{\"user_id\":\"x\"}", silent: [.chat]),
    messages("metadata", "{\"other\":\"zq9\"}"), messages("output_config", "{\"effort\":\"low\"}"),
    messages("output_config", "{\"format\":{\"type\":\"json_schema\",\"schema\":{\"a\":\"zq9\"}}}"),
    messages("output_config", "{\"task_budget\":{\"total\":5}}"),
    messages("output_format", "{\"type\":\"json_schema\",\"schema\":{\"a\":\"zq9\"}}"),
    messages("service_tier", "\"standard_only\""), messages("service_tier", "\"auto\"", silent: every),
    messages("speed", "\"fast\""), messages("stop_sequences", "[\"zq9\"]"),
    messages("stream", "true", silent: [.gemini, .converse]), messages("system", "\"zq9\""),
    messages("system", "[{\"type\":\"text\",\"text\":\"zq9\"}]"), messages("temperature", "0.5"),
    messages("thinking", "{\"type\":\"disabled\"}"),
    messages("thinking", "{\"type\":\"enabled\",\"budget_tokens\":2000}"),
    messages("thinking", "{\"type\":\"adaptive\"}"),
    messages("tool_choice", "{\"type\":\"any\"}"), messages("tools", "[{\"name\":\"zq9\",\"input_schema\":{}}]"),
    messages("tools", "[{\"type\":\"bash_20250124\",\"name\":\"bash\"}]"),
    messages("tools", "[{\"name\":\"zq9\",\"input_schema\":{},\"cache_control\":{\"type\":\"ephemeral\"}}]"),
    messages("top_k", "5"), messages("top_p", "0.5"), messages("zq9", "1"),
    block("messages[1].content[1]", "{\"type\":\"text\",\"text\":\"zq9\"}"),
    block("messages[1].content[1].citations", "{\"type\":\"text\",\"text\":\"C\",\"citations\":[{\"a\":\"zq9\"}]}"),
    block(
      "messages[1].content[1].cache_control",
      "{\"type\":\"text\",\"text\":\"C\",\"cache_control\":{\"type\":\"ephemeral\"}}"),
    block(
      "messages[1].content[1]",
      "{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":\"image/png\",\"data\":\"zq9A\"}}"),
    block(
      "messages[1].content[1]", "{\"type\":\"image\",\"source\":{\"type\":\"url\",\"url\":\"https://zq9.example\"}}"),
    block(
      "messages[1].content[1]",
      "{\"type\":\"document\",\"source\":{\"type\":\"base64\",\"media_type\":\"application/pdf\",\"data\":\"zq9A\"}}"),
    block(
      "messages[1].content[1].title",
      "{\"type\":\"document\",\"title\":\"zq9\",\"source\":{\"type\":\"base64\",\"media_type\":\"application/pdf\",\"data\":\"AAAA\"}}"
    ),
    block(
      "messages[1].content[1].context",
      "{\"type\":\"document\",\"context\":\"zq9\",\"source\":{\"type\":\"base64\",\"media_type\":\"application/pdf\",\"data\":\"AAAA\"}}"
    ),
    block("messages[1].content[1]", "{\"type\":\"document\",\"source\":{\"type\":\"text\",\"data\":\"zq9\"}}"),
    block("messages[1].content[1]", "{\"type\":\"search_result\",\"title\":\"zq9\"}"),
    block("messages[1].content[1]", "{\"type\":\"tool_result\",\"tool_use_id\":\"t\",\"content\":\"zq9\"}"),
    block(
      "messages[1].content[1]", "{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"zq9\",\"input\":{}}", role: "assistant"),
    block(
      "messages[1].content[1]", "{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{\"zq9\":1}}",
      role: "assistant"),
    block(
      "messages[1].content[1].caller",
      "{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{},\"caller\":{\"type\":\"zq9\"}}",
      role: "assistant"),
    block(
      "messages[1].content[1]", "{\"type\":\"thinking\",\"thinking\":\"zq9\",\"signature\":\"s\"}", role: "assistant"),
    block("messages[1].content[1]", "{\"type\":\"redacted_thinking\",\"data\":\"zq9\"}", role: "assistant"),
    block(
      "messages[1].content[1]", "{\"type\":\"server_tool_use\",\"id\":\"s\",\"name\":\"zq9\",\"input\":{}}",
      role: "assistant"),
  ]

  @Test(arguments: chatFields)
  func nothingOfChatVanishes(field: Field) { check(field, .chat, [.messages, .gemini, .converse]) }

  @Test(arguments: responsesFields)
  func nothingOfResponsesVanishes(field: Field) { check(field, .responses, [.chat, .messages, .gemini, .converse]) }

  @Test(arguments: messagesFields)
  func nothingOfMessagesVanishes(field: Field) { check(field, .messages, [.chat, .gemini, .converse]) }

  /// The lists above are the schemas': whoever takes a field off them must do it here, too.
  @Test func theListsAreWhole() {
    let openAI = Set(
      """
      audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens metadata
      modalities moderation n parallel_tool_calls prediction presence_penalty prompt_cache_key prompt_cache_options
      prompt_cache_retention reasoning_effort response_format safety_identifier seed service_tier stop store stream
      stream_options temperature tool_choice tools top_logprobs top_p user verbosity web_search_options
      """.split(whereSeparator: \.isWhitespace).map(String.init))
    #expect(openAI.subtracting(Self.chatFields.map(\.path)).isEmpty)
    let responses = Set(
      """
      background context_management conversation include instructions max_output_tokens max_tool_calls metadata
      moderation parallel_tool_calls previous_response_id prompt prompt_cache_key prompt_cache_options
      prompt_cache_retention reasoning safety_identifier service_tier store stream stream_options temperature text
      tool_choice tools top_logprobs top_p truncation user
      """.split(whereSeparator: \.isWhitespace).map(String.init))
    #expect(responses.subtracting(Self.responsesFields.map(\.path)).isEmpty)
    let anthropic = Set(
      """
      cache_control container context_management inference_geo mcp_servers metadata output_config output_format
      service_tier speed stop_sequences stream system temperature thinking tool_choice tools top_k top_p
      """.split(whereSeparator: \.isWhitespace).map(String.init))
    #expect(anthropic.subtracting(Self.messagesFields.map(\.path)).isEmpty)
  }

  private func check(_ field: Field, _ route: InferenceRoute, _ wires: [ProviderWire]) {
    for wire in wires {
      for model in ["m", "eu.anthropic.claude-x", "gemini-2.5-pro"] {
        let target = RequestTranslation.Target(wire: wire, model: model, maxTokens: 100)
        let with = translated(field.with, of: route, to: target)
        guard with.error == nil else {
          #expect(
            with.error?.code == .unsupportedParameter || with.error?.code == .invalidValue
              || with.error?.code == .missingRequiredParameter || with.error?.code == .invalidType,
            "\(field.path) to \(wire): \(String(describing: with.error))")
          continue
        }
        let isNamed = with.dropped.contains {
          $0 == field.path || $0.hasPrefix(field.path + ".") || $0.hasPrefix(field.path + "[")
        }
        let without = translated(field.without, of: route, to: target)
        let hasMark = field.with.contains(Self.mark)
        let isCarried = with.body != without.body && (!hasMark || with.body.contains(Self.mark))
        #expect(
          isNamed || isCarried || field.silent.contains(wire), "\(field.path) vanished on the way to \(wire) (\(model))"
        )
      }
    }
  }
}
