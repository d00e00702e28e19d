import NIOCore

/// An answer that has no streamed form.
struct WholeAnswer {
  let body: ByteBuffer
  var type: StaticString = "application/json"
  let vendor: Vendor
  /// What it costs; nil for what providers do not charge by tokens.
  var charge: MockUsage?

  /// The number of a prompt's tokens, in Anthropic's shape or in Google's; counting costs nothing.
  static func tokenCount(_ prompt: Prompt, _ vendor: Vendor) -> WholeAnswer {
    let name = vendor == .anthropic ? "input_tokens" : "totalTokens"
    return WholeAnswer(body: ByteBuffer(string: "{\"\(name)\":\(prompt.promptTokens)}"), vendor: vendor)
  }
}
