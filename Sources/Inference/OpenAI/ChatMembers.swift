/// The members of OpenAI's requests that policy or structure depends on; every other member is text, whatever it holds.

enum ChatMember: String, CaseIterable, Sendable {
  case model, messages, stream, n, tools, functions, metadata, user, store, stop, prediction, modalities, audio, input
  case streamOptions = "stream_options"
  case maxTokens = "max_tokens"
  case maxCompletionTokens = "max_completion_tokens"
  case bestOf = "best_of"
  case safetyIdentifier = "safety_identifier"
  case serviceTier = "service_tier"
  case webSearchOptions = "web_search_options"
  case toolChoice = "tool_choice"
  case functionCall = "function_call"
  case responseFormat = "response_format"
  case background
  // Enums and numbers: structural.
  case reasoningEffort = "reasoning_effort"
  case verbosity
  case promptCacheRetention = "prompt_cache_retention"
  // Ids of the client's own: texts without brackets.
  case promptCacheKey = "prompt_cache_key"
  case previousResponseID = "previous_response_id"
  case temperature, seed, logprobs
  case topP = "top_p"
  case frequencyPenalty = "frequency_penalty"
  case presencePenalty = "presence_penalty"
  case topLogprobs = "top_logprobs"
  case parallelToolCalls = "parallel_tool_calls"
}

enum CompletionsMember: String, CaseIterable, Sendable {
  case model, prompt, suffix, echo, stream, n, user, metadata, stop, messages, temperature, seed, logprobs
  case streamOptions = "stream_options"
  case maxTokens = "max_tokens"
  case maxCompletionTokens = "max_completion_tokens"
  case bestOf = "best_of"
  case safetyIdentifier = "safety_identifier"
  case serviceTier = "service_tier"
  case topP = "top_p"
  case frequencyPenalty = "frequency_penalty"
  case presencePenalty = "presence_penalty"
}

enum StreamOptionsMember: String, CaseIterable, Sendable {
  case includeUsage = "include_usage"
}

enum MetadataMember: String, CaseIterable, Sendable {
  case userID = "user_id"
}

enum MessageMember: String, CaseIterable, Sendable {
  case role, content, name, audio, refusal
  case toolCalls = "tool_calls"
  case toolCallID = "tool_call_id"
  case functionCall = "function_call"
}

enum PartMember: String, CaseIterable, Sendable {
  case type, text, file, refusal
  case imageURL = "image_url"
  case inputAudio = "input_audio"
  case videoURL = "video_url"
  case audioURL = "audio_url"
  case documentURL = "document_url"
}

enum MediaMember: String, CaseIterable, Sendable {
  case url, detail, data, format, filename
  case fileData = "file_data"
  case fileID = "file_id"
}

enum CallMember: String, CaseIterable, Sendable {
  case id, type, index, function, custom
}

enum FunctionMember: String, CaseIterable, Sendable {
  case name, arguments, input, description, parameters, schema
}

enum ToolMember: String, CaseIterable, Sendable {
  case type, function, custom, name
}

enum FormatMember: String, CaseIterable, Sendable {
  case type
  case jsonSchema = "json_schema"
}

enum EmbeddingsMember: String, CaseIterable, Sendable {
  case model, input, user, dimensions, metadata
  case encodingFormat = "encoding_format"
  case safetyIdentifier = "safety_identifier"
}

/// The tables behind the members, made once.
enum Members {
  static let chat = MemberTable<ChatMember>()
  static let completions = MemberTable<CompletionsMember>()
  static let streamOptions = MemberTable<StreamOptionsMember>()
  static let metadata = MemberTable<MetadataMember>()
  static let message = MemberTable<MessageMember>()
  static let part = MemberTable<PartMember>()
  static let media = MemberTable<MediaMember>()
  static let call = MemberTable<CallMember>()
  static let function = MemberTable<FunctionMember>()
  static let tool = MemberTable<ToolMember>()
  static let format = MemberTable<FormatMember>()
  static let embeddings = MemberTable<EmbeddingsMember>()
}
