import Routing

/// Bodies that go in and answers that come back.
enum Specimens {
  /// Joined at run time: nobody's address.
  static let mail = ["anna.muster", "example.ch"].joined(separator: "@")

  static func chat(
    _ text: String =
      "Schreibe an \(mail), dass die Unterlagen zum Mandat vollständig sind und bis Freitag geprüft werden.",
    stream: Bool = false, more: String = ""
  ) -> String {
    #"{"model":"chat",\#(stream ? #""stream":true,"# : "")\#(more)"messages":[{"role":"user","content":"\#(text)"}]}"#
  }

  static func embeddings(_ text: String = "Akte von \(mail)") -> String { #"{"model":"chat","input":"\#(text)"}"# }

  static let usage = #""usage":{"prompt_tokens":12,"completion_tokens":5,"total_tokens":17}"#

  static func plain(_ text: String = "Guten Tag, gerne.", usage: String? = Specimens.usage) -> String {
    #"{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"first-model","choices":[{"index":0,"message":{"role":"assistant","content":"\#(text)"},"finish_reason":"stop"}]\#(usage.map { ",\($0)" } ?? "")}"#
  }

  static let vector =
    #"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,-0.25]}],"model":"first-model","usage":{"prompt_tokens":7,"total_tokens":7}}"#

  static func event(_ delta: String, finish: String = "null") -> String {
    #"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"first-model","choices":[{"index":0,"delta":\#(delta),"finish_reason":\#(finish)}]}"#
      + "\n\n"
  }

  static func content(_ text: String) -> String { event(#"{"content":"\#(text)"}"#) }

  static let usageEvent =
    #"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"first-model","choices":[],"usage":{"prompt_tokens":12,"completion_tokens":5,"total_tokens":17}}"#
    + "\n\n"

  static let done = "data: [DONE]\n\n"

  /// A whole stream of these pieces of text.
  static func stream(_ texts: [String], usage: Bool = true) -> String {
    event(#"{"role":"assistant","content":""}"#) + texts.map(content).joined() + event("{}", finish: #""stop""#)
      + (usage ? usageEvent : "") + done
  }

  static let refused = #"{"error":{"message":"no","type":"server_error","param":null,"code":null}}"#
}

/// The requirement that most tests run under: the European Economic Area, an agreement, no training.
enum ComplianceRequirementOfTests {
  static let european = ComplianceRequirement(countries: Country.economicArea, retentionDays: 30)
}
