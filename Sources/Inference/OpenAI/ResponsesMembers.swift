/// The members of a Responses request that policy or structure depends on; every other member is text.

enum ResponsesMember: String, CaseIterable, Sendable {
  case model, input, instructions, stream, tools, text, reasoning, store, background, conversation, prompt, metadata
  case user, include, truncation, temperature, messages
  case toolChoice = "tool_choice"
  case maxOutputTokens = "max_output_tokens"
  case streamOptions = "stream_options"
  case previousResponseID = "previous_response_id"
  case safetyIdentifier = "safety_identifier"
  case promptCacheKey = "prompt_cache_key"
  case promptCacheRetention = "prompt_cache_retention"
  case serviceTier = "service_tier"
  case topP = "top_p"
  case topLogprobs = "top_logprobs"
  case parallelToolCalls = "parallel_tool_calls"
  case maxToolCalls = "max_tool_calls"
}

enum ResponsesItemMember: String, CaseIterable, Sendable {
  case type, role, content, id, status, phase, name, namespace, arguments, input, output, summary, tools
  case callID = "call_id"
  case encryptedContent = "encrypted_content"
}

enum ResponsesPartMember: String, CaseIterable, Sendable {
  case type, text, refusal, filename, detail
  case imageURL = "image_url"
  case fileID = "file_id"
  case fileData = "file_data"
  case fileURL = "file_url"
  case inputAudio = "input_audio"
  case encryptedContent = "encrypted_content"
}

enum ResponsesToolMember: String, CaseIterable, Sendable {
  case type, name, description, parameters, format, tools
  // As on the chat route; some clients write it so.
  case function, custom
}

enum ResponsesTextMember: String, CaseIterable, Sendable { case format, verbosity }

enum ResponsesFormatMember: String, CaseIterable, Sendable { case type, name, description, schema, strict }

enum ReasoningMember: String, CaseIterable, Sendable {
  case effort, summary
  case generateSummary = "generate_summary"
}

extension Members {
  static let responses = MemberTable<ResponsesMember>()
  static let responsesItem = MemberTable<ResponsesItemMember>()
  static let responsesPart = MemberTable<ResponsesPartMember>()
  static let responsesTool = MemberTable<ResponsesToolMember>()
  static let responsesText = MemberTable<ResponsesTextMember>()
  static let responsesFormat = MemberTable<ResponsesFormatMember>()
  static let reasoning = MemberTable<ReasoningMember>()
}

extension ClosedValues {
  static let responsesItem = ClosedValues(
    "message", "function_call", "function_call_output", "reasoning", "custom_tool_call", "custom_tool_call_output",
    "additional_tools", "local_shell_call", "local_shell_call_output", "shell_call", "shell_call_output",
    "apply_patch_call", "apply_patch_call_output", "computer_call", "computer_call_output", "compaction",
    "tool_search_call", "tool_search_output", "web_search_call", "file_search_call", "code_interpreter_call",
    "image_generation_call", "mcp_call", "mcp_list_tools", "mcp_approval_request", "mcp_approval_response")
  static let itemReference = ClosedValues("item_reference")
  static let itemStatus = ClosedValues("in_progress", "completed", "incomplete", "failed")
  static let phase = ClosedValues("commentary", "final_answer")
  static let responsesPart = ClosedValues(
    "input_text", "output_text", "input_image", "input_file", "input_audio", "refusal", "summary_text",
    "reasoning_text", "text", "computer_screenshot", "encrypted_content")
  static let include = ClosedValues(
    "reasoning.encrypted_content", "message.output_text.logprobs", "message.input_image.image_url",
    "file_search_call.results", "web_search_call.results", "web_search_call.action.sources",
    "computer_call_output.output.image_url", "code_interpreter_call.outputs")
  static let truncation = ClosedValues("auto", "disabled")
  static let summary = ClosedValues("auto", "concise", "detailed", "none")
  static let responsesTool = ClosedValues(
    "function", "custom", "namespace", "local_shell", "apply_patch", "shell", "tool_search", "web_search",
    "web_search_preview", "file_search", "code_interpreter", "computer", "computer_use_preview", "mcp",
    "image_generation")
  /// Tools that the client runs, whatever the provider calls them.
  static let clientTool = ClosedValues("function", "custom", "namespace", "local_shell", "apply_patch")
}
