/// The members that a translation reads. Whatever is not listed is unknown: named, and left out.

enum AskedMember: String, CaseIterable, Sendable {
  case model, messages, functions, logprobs, metadata, modalities, n, seed, stop, store, stream,
    temperature, tools, user, input, instructions, background, conversation, prompt, reasoning, text,
    truncation, system, thinking, moderation, verbosity
  case frequencyPenalty = "frequency_penalty"
  case functionCall = "function_call"
  case maxTokens = "max_tokens"
  case maxCompletionTokens = "max_completion_tokens"
  case maxOutputTokens = "max_output_tokens"
  case parallelToolCalls = "parallel_tool_calls"
  case presencePenalty = "presence_penalty"
  case promptCacheKey = "prompt_cache_key"
  case promptCacheOptions = "prompt_cache_options"
  case promptCacheRetention = "prompt_cache_retention"
  case reasoningEffort = "reasoning_effort"
  case responseFormat = "response_format"
  case safetyIdentifier = "safety_identifier"
  case serviceTier = "service_tier"
  case streamOptions = "stream_options"
  case toolChoice = "tool_choice"
  case topLogprobs = "top_logprobs"
  case topP = "top_p"
  case topK = "top_k"
  case previousResponseID = "previous_response_id"
  case stopSequences = "stop_sequences"
  case outputConfig = "output_config"
  case outputFormat = "output_format"
}

/// Of a message, an item, a part and a block: one table, because their names do not clash.
enum PieceMember: String, CaseIterable, Sendable {
  case role, content, name, type, text, refusal, file, detail, data, format, filename, url, id, index, function, custom,
    input, arguments, output, source, title, context, thinking, signature, status, tools
  case toolCalls = "tool_calls"
  case toolCallID = "tool_call_id"
  case functionCall = "function_call"
  case imageURL = "image_url"
  case inputAudio = "input_audio"
  case fileData = "file_data"
  case fileID = "file_id"
  case fileURL = "file_url"
  case callID = "call_id"
  case toolUseID = "tool_use_id"
  case isError = "is_error"
  case cacheControl = "cache_control"
  case mediaType = "media_type"
  case extraContent = "extra_content"
}

/// Of tools, of their choice and of the form of the output.
enum SpecMember: String, CaseIterable, Sendable {
  case type, name, description, parameters, strict, function, custom, mode, tools, schema, format, verbosity, effort,
    summary, syntax, definition
  case inputSchema = "input_schema"
  case cacheControl = "cache_control"
  case allowedTools = "allowed_tools"
  case jsonSchema = "json_schema"
  case generateSummary = "generate_summary"
  case budgetTokens = "budget_tokens"
  case display
}

/// The kinds of parts, items and blocks.
enum PieceType: String, CaseIterable, Sendable {
  case text, refusal, file, image, document, thinking, message, reasoning, url, base64, content
  case imageURL = "image_url"
  case inputAudio = "input_audio"
  case inputText = "input_text"
  case outputText = "output_text"
  case inputImage = "input_image"
  case inputFile = "input_file"
  case functionCall = "function_call"
  case functionCallOutput = "function_call_output"
  case customToolCall = "custom_tool_call"
  case customToolCallOutput = "custom_tool_call_output"
  case itemReference = "item_reference"
  case additionalTools = "additional_tools"
  case toolUse = "tool_use"
  case toolResult = "tool_result"
  case redactedThinking = "redacted_thinking"
}

/// The kinds of tools, choices and formats.
enum SpecType: String, CaseIterable, Sendable {
  case function, custom, auto, none, required, any, tool, text, enabled, disabled, adaptive
  case allowedTools = "allowed_tools"
  case jsonObject = "json_object"
  case jsonSchema = "json_schema"
}

enum SpeakerRole: String, CaseIterable, Sendable { case system, developer, user, assistant, tool, function }

/// A member whose place is known, because clients write what an object is, and then what it holds.
struct LeadMember: Sendable {
  let name: StaticString
  /// Of this member in the set of those that were seen.
  let bit: UInt64

  private init<Member>(_ name: StaticString, in table: MemberTable<Member>) {
    self.name = name
    bit = table.bit(of: "\(name)")
  }

  static let role = LeadMember("role", in: TranslationTables.piece)
  static let pieceType = LeadMember("type", in: TranslationTables.piece)
  static let specType = LeadMember("type", in: TranslationTables.spec)
  /// Comes second nearly as often.
  static let content = LeadMember("content", in: TranslationTables.piece)
  static let text = LeadMember("text", in: TranslationTables.piece)
}

/// The tables behind the members, made once.
enum TranslationTables {
  static let asked = MemberTable<AskedMember>()
  static let piece = MemberTable<PieceMember>()
  static let spec = MemberTable<SpecMember>()
  static let pieceType = MemberTable<PieceType>()
  static let specType = MemberTable<SpecType>()
  static let role = MemberTable<SpeakerRole>()
  static let effort = MemberTable<Thinking.Effort>()
}
