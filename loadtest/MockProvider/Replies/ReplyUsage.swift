/// What an answer used, in classes that every dialect's usage is made of.
struct ReplyUsage: Equatable {
  /// All input; what was read from a cache and written to it is part of it.
  var prompt: Int
  var cached = 0
  /// Written for five minutes, and for an hour.
  var cacheWrite = 0
  var cacheWriteLong = 0
  /// All output; reasoning is part of it.
  var output = 0
  var reasoning = 0
  var lie: Script.UsageLie?
  /// Whether the answer says it at all.
  var isReported = true

  init(prompt: Int) { self.prompt = prompt }

  var charge: MockUsage { MockUsage(promptTokens: prompt, completionTokens: output) }

  /// `value` as JSON, or what the script says instead.
  func say(_ value: Int) -> String { lie?.text ?? String(value) }
}
