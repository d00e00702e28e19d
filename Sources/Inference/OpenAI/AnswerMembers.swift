internal import JSONText

/// The members of answers and of stream events that are read; a string in any other member is text.
enum AnswerMember: String, CaseIterable, Sendable {
  case id, object, created, model, choices, usage, error, data, message
  case systemFingerprint = "system_fingerprint"
  case serviceTier = "service_tier"
  case obfuscation
  case promptFilterResults = "prompt_filter_results"
}

enum ChoiceMember: String, CaseIterable, Sendable {
  case index, delta, message, logprobs
  /// Of completions; in a chat's choice it is a member like any other.
  case text
  case finishReason = "finish_reason"
  case contentFilterResults = "content_filter_results"
}

enum DeltaMember: String, CaseIterable, Sendable {
  case role, content, refusal, reasoning, audio
  case reasoningContent = "reasoning_content"
  case toolCalls = "tool_calls"
  case functionCall = "function_call"
}

/// Looks names of answers up; unlike in requests, case and repetition are the provider's business.
enum AnswerMembers {
  static let answer = MemberTable<AnswerMember>()
  static let choice = MemberTable<ChoiceMember>()
  static let delta = MemberTable<DeltaMember>()
  static let call = MemberTable<CallMember>()
  static let function = MemberTable<FunctionMember>()
}

extension MemberTable {
  /// The member of exactly this name.
  func exact(_ key: JSONString, in body: UnsafeRawBufferPointer) -> Member? { exact(key.range.of(body)) }
}
