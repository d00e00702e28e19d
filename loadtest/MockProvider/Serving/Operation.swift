/// What is asked of a dialect; ``Vendor`` says whose dialect it is.
enum Operation: Equatable {
  case chat, responses, completions
  case messages, countTokens
  /// Gemini's; the model is in the path.
  case generate(model: String, isStream: Bool, isEvents: Bool)
  case countContent(model: String)
}
