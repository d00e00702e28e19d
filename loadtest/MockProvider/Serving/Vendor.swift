/// Whose API is spoken; it decides the shape of errors, the headers and the oddities.
enum Vendor: Equatable {
  case openAI, azure, mistral, vllm, ollama
  /// Gemini's own dialect, and its OpenAI-compatible routes.
  case gemini, geminiChat
  case anthropic
  case bedrock
}

extension Vendor {
  /// The header that carries the request's id, up to where the number follows.
  var requestIDField: StaticString {
    switch self {
    case .openAI, .mistral, .vllm, .ollama, .geminiChat: "\r\nx-request-id: req_mock"
    case .azure: "\r\napim-request-id: req_mock"
    case .gemini: "\r\nx-goog-request-id: req_mock"
    case .anthropic: "\r\nrequest-id: req_mock"
    case .bedrock: "\r\nx-amzn-requestid: req_mock"
    }
  }

  /// Headers that name the provider's account and its limits.
  var furtherFields: StaticString {
    switch self {
    case .openAI: "\r\nopenai-organization: org-mock\r\nx-ratelimit-remaining-requests: 4999"
    case .azure:
      "\r\nazureml-model-session: mock\r\nx-ms-region: Germany West Central\r\nx-ratelimit-remaining-requests: 4999"
    case .mistral: "\r\nx-ratelimit-remaining-req-minute: 4999\r\nserver: mock"
    case .vllm, .ollama: "\r\nserver: mock"
    case .gemini, .geminiChat: "\r\nserver: mock\r\nvary: X-Origin"
    case .anthropic: "\r\nanthropic-organization-id: org-mock\r\nanthropic-ratelimit-requests-remaining: 4999"
    case .bedrock: "\r\nx-amzn-bedrock-invocation-latency: 1"
    }
  }
}
