/// What a request of any dialect comes down to.
struct Prompt {
  var model: String
  /// The text of the last user message; parts follow each other without a separator.
  var userText: [UInt8] = []
  /// The text of the tools' results, if they are what came last.
  var resultText: [UInt8]?
  /// Bytes of UTF-8 that count as prompt.
  var countedBytes = 0
  /// Tokens that came as numbers, which count as themselves.
  var countedTokens = 0
  /// The functions that may be called, in the order they were declared.
  var tools: [[UInt8]] = []
  var isStream = false
  /// Whether a stream's client asked for usage; only chat and completions have to be asked.
  var wantsUsage = false
  var tokenLimit: Int?
  var stops: [[UInt8]] = []
  /// Whether thinking is shown, where the dialect must be asked for it.
  var showsThinking = true
  /// Whether the reasoning comes as an opaque item.
  var wantsOpaqueReasoning = false
  /// What a model that thinks refuses, if this request has it.
  var missingMark: Refused?
  /// Answers to one request, and what each of them echoes, where that differs.
  var choices = 1
  var choiceTexts: [[UInt8]] = []
  /// How many answers were made for how many that are shown (`best_of` and `n`); all of them are counted.
  var made = (all: 1, shown: 1)
  /// Whether an answer begins with its prompt (`echo`), which is not counted.
  var repeatsPrompt = false

  init(model: String) { self.model = model }

  var promptTokens: Int { MockUsage.tokens(inBytes: countedBytes) + countedTokens }
}
