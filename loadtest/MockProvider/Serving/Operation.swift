/// What is asked of a dialect; ``Vendor`` says whose dialect it is.
enum Operation: Equatable {
  /// With the model of the path, where a deployment stands for it.
  case chat(model: String?), embeddings(model: String?)
  case completions, responses
  case messages, countTokens
  case moderations, transcription, speech, images, rerank
  /// Gemini's; the model is in the path.
  case generate(model: String, isStream: Bool, isEvents: Bool)
  case countContent(model: String)
  /// Bedrock's; the model is in the path.
  case converse(model: String, isStream: Bool)
}
