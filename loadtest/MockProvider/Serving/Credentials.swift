/// Whether a request carries a credential in the place where its vendor looks for one; any value will do.
///
/// OpenAI's routes take a request without one, so that a few lines of curl are enough.
enum Credentials {
  static func check(_ arrival: Arrival, _ vendor: Vendor) throws(Refused) {
    switch vendor {
    case .openAI, .mistral, .vllm, .ollama: break
    case .anthropic:
      guard arrival.hasKey("x-api-key") || arrival.bearer != nil else {
        throw Refused(status: 401, message: "x-api-key header is required")
      }
    case .gemini, .geminiChat:
      guard arrival.hasKey("x-goog-api-key") || vendor == .geminiChat && arrival.bearer != nil else {
        throw Refused(
          status: 403,
          message:
            "Method doesn't allow unregistered callers. Please use API Key or other form of API consumer identity.")
      }
    case .azure:
      guard arrival.hasKey("api-key") || arrival.bearer != nil else {
        throw Refused(
          status: 401,
          message:
            "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key.")
      }
      if arrival.target.hasPrefix("/openai/deployments/"), !DialectPath.hasVersion(arrival.target) {
        throw Refused(status: 404, message: "Resource not found")
      }
    case .bedrock:
      guard arrival.hasKey("authorization") else {
        throw Refused(status: 403, message: "Missing Authentication Token")
      }
    }
  }
}
