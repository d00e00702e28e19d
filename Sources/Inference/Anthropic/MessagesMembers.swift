/// The members of Anthropic's requests that policy or structure depends on; every other member is text, whatever it holds.

enum MessagesMember: String, CaseIterable, Sendable {
  case model, messages, system, stream, tools, metadata, thinking, container, speed, fallbacks, temperature
  case maxTokens = "max_tokens"
  case stopSequences = "stop_sequences"
  case serviceTier = "service_tier"
  case toolChoice = "tool_choice"
  case topP = "top_p"
  case topK = "top_k"
  case outputConfig = "output_config"
  case outputFormat = "output_format"
  case mcpServers = "mcp_servers"
  case inferenceGeo = "inference_geo"
  case cacheControl = "cache_control"
}

enum TurnMember: String, CaseIterable, Sendable {
  case role, content
}

enum BlockMember: String, CaseIterable, Sendable {
  case type, text, source, content, input, id, name, citations, thinking, signature, data, title, context, caller
  case toolUseID = "tool_use_id"
  case isError = "is_error"
  case fileID = "file_id"
  case toolName = "tool_name"
  case serverName = "server_name"
  case cacheControl = "cache_control"
  case encryptedContent = "encrypted_content"
  case encryptedStdout = "encrypted_stdout"
}

enum SourceMember: String, CaseIterable, Sendable {
  case type, data, url, content
  case mediaType = "media_type"
  case fileID = "file_id"
}

enum AnthropicToolMember: String, CaseIterable, Sendable {
  case type, name, description, strict
  case inputSchema = "input_schema"
  case cacheControl = "cache_control"
  case deferLoading = "defer_loading"
  case inputExamples = "input_examples"
  case allowedCallers = "allowed_callers"
  case eagerInputStreaming = "eager_input_streaming"
}

enum AnthropicChoiceMember: String, CaseIterable, Sendable {
  case type, name
}

enum OutputConfigMember: String, CaseIterable, Sendable {
  case effort, format
}

enum OutputFormatMember: String, CaseIterable, Sendable {
  case type, schema
}

/// The tables behind the members, made once.
enum MessagesMembers {
  static let body = MemberTable<MessagesMember>()
  static let turn = MemberTable<TurnMember>()
  static let block = MemberTable<BlockMember>()
  static let source = MemberTable<SourceMember>()
  static let tool = MemberTable<AnthropicToolMember>()
  static let choice = MemberTable<AnthropicChoiceMember>()
  static let outputConfig = MemberTable<OutputConfigMember>()
  static let outputFormat = MemberTable<OutputFormatMember>()
}

extension ClosedValues {
  static let block = ClosedValues(
    "text", "image", "document", "tool_use", "tool_result", "thinking", "redacted_thinking", "search_result",
    "server_tool_use", "web_search_tool_result", "web_search_result", "web_search_tool_result_error",
    "web_fetch_tool_result", "web_fetch_result", "web_fetch_tool_result_error", "code_execution_tool_result",
    "code_execution_result", "code_execution_output", "code_execution_tool_result_error",
    "encrypted_code_execution_result", "bash_code_execution_tool_result", "bash_code_execution_result",
    "bash_code_execution_output", "bash_code_execution_tool_result_error", "text_editor_code_execution_tool_result",
    "text_editor_code_execution_view_result", "text_editor_code_execution_create_result",
    "text_editor_code_execution_str_replace_result", "text_editor_code_execution_tool_result_error",
    "tool_search_tool_result", "tool_search_tool_search_result", "tool_search_tool_result_error", "tool_reference",
    "container_upload", "mid_conv_system", "mcp_tool_use", "mcp_tool_result", "compaction")
  static let source = ClosedValues("base64", "text", "url", "content", "file")
  static let mediaType = ClosedValues(
    "image/jpeg", "image/png", "image/gif", "image/webp", "application/pdf", "text/plain")
  static let citation = ClosedValues(
    "char_location", "page_location", "content_block_location", "web_search_result_location",
    "search_result_location")
  static let cacheControl = ClosedValues("ephemeral")
  static let cacheLifetime = ClosedValues("5m", "1h")
  static let thinking = ClosedValues("enabled", "disabled", "adaptive")
  static let thinkingDisplay = ClosedValues("summarized", "omitted")
  static let anthropicChoice = ClosedValues("auto", "any", "tool", "none")
  static let anthropicTier = ClosedValues("auto", "standard_only")
  static let speed = ClosedValues("standard", "fast")
  static let geo = ClosedValues("global", "us", "eu")
  static let caller = ClosedValues(
    "direct", "code_execution_20250825", "code_execution_20260120", "code_execution_20260521")
}
