/// Exact token counts by the mock's rule: a token is four bytes of UTF-8, a rest counts as one.
package struct MockUsage: Equatable, Sendable {
  /// Tokens of all messages' content, or of all embedding inputs.
  package let promptTokens: Int
  /// Tokens of the answer's text, or of a tool call's arguments.
  package let completionTokens: Int

  package init(promptTokens: Int, completionTokens: Int) {
    self.promptTokens = promptTokens
    self.completionTokens = completionTokens
  }

  /// The tokens in `bytes` bytes of UTF-8.
  package static func tokens(inBytes bytes: Int) -> Int { bytes / 4 + (bytes % 4 == 0 ? 0 : 1) }
}
