import Gateway
import Inference

/// One request in each dialect, with an address in it, and one answer on each wire.
enum Dialects {
  static func body(_ route: InferenceRoute, stream: Bool = false) -> String {
    let begin = #"{"model":"chat",\#(stream ? #""stream":true,"# : "")"#
    let text = "Schreibe an \(Specimens.mail), dass die Unterlagen vollständig sind."
    return switch route {
    case .chat: Specimens.chat(stream: stream)
    case .embeddings: Specimens.embeddings()
    case .completions: begin + #""prompt":"\#(text)"}"#
    case .responses: begin + #""input":"\#(text)"}"#
    case .messages: begin + #""max_tokens":100,"messages":[{"role":"user","content":"\#(text)"}]}"#
    case .countTokens: begin + #""messages":[{"role":"user","content":"\#(text)"}]}"#
    case .moderations: begin + #""input":["Guten Tag","\#(text)"]}"#
    case .transcriptions, .translations: form(text)
    case .speech: begin + #""input":"\#(text)","voice":"alloy"}"#
    case .images: begin + #""prompt":"\#(text)","n":1}"#
    case .rerank: begin + #""query":"Unterlagen","documents":["\#(text)",{"text":"Anderes"}],"return_documents":true}"#
    }
  }

  /// With fields, each whole with its CRLF, in front of the end.
  static func form(_ prompt: String, sound: String = "sound", name: String = "Anna.mp3", more: String = "") -> String {
    func field(_ name: String, _ value: String) -> String {
      "--X\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n"
    }
    return field("model", "chat")
      + "--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\(name)\"\r\n\r\n\(sound)\r\n"
      + field("prompt", prompt) + more + "--X--\r\n"
  }

  static func path(_ wire: ProviderWire, stream: Bool) -> String {
    switch wire {
    case .chat: "/chat/completions"
    case .completions: "/completions"
    case .embeddings: "/embeddings"
    case .moderations: "/moderations"
    case .rerank: "/rerank"
    case .images: "/images/generations"
    case .speech: "/audio/speech"
    case .transcriptions: "/audio/transcriptions"
    case .translations: "/audio/translations"
    case .responses: "/responses"
    case .messages: "/messages"
    case .gemini: "/models/first-model:" + (stream ? "streamGenerateContent?alt=sse" : "generateContent")
    case .converse: "/model/first-model/" + (stream ? "converse-stream" : "converse")
    }
  }

  /// 12 tokens in, 5 out.
  static func answer(_ wire: ProviderWire, _ text: String) -> String {
    switch wire {
    case .chat: Specimens.plain(text)
    case .embeddings: Specimens.vector
    case .moderations:
      #"{"id":"modr-1","model":"first-model","results":[{"flagged":false,"categories":{"hate":false},"category_scores":{"hate":0.25}}],"usage":{"prompt_tokens":12,"total_tokens":12}}"#
    case .speech: text
    case .transcriptions, .translations:
      #"{"text":"\#(text)","model":"first-model","usage":{"type":"tokens","input_tokens":12,"output_tokens":5,"total_tokens":17}}"#
    case .images:
      #"{"created":1,"model":"first-model","data":[{"b64_json":"AAAA","revised_prompt":"\#(text)"}],"usage":{"input_tokens":12,"output_tokens":5,"total_tokens":17}}"#
    case .rerank:
      #"{"id":"r-1","model":"first-model","results":[{"index":0,"relevance_score":0.5,"document":{"text":"\#(text)"}}],"usage":{"total_tokens":12}}"#
    case .completions:
      #"{"id":"cmpl-1","object":"text_completion","created":1,"model":"first-model","choices":[{"index":0,"text":"\#(text)","logprobs":null,"finish_reason":"stop"}],\#(Specimens.usage)}"#
    case .responses:
      #"{"id":"resp_1","object":"response","created_at":1,"status":"completed","error":null,"incomplete_details":null,"model":"first-model","output":[{"type":"message","id":"msg_1","status":"completed","role":"assistant","content":[{"type":"output_text","annotations":[],"text":"\#(text)"}]}],"usage":\#(responsesUsage)}"#
    case .messages:
      #"{"id":"msg_1","type":"message","role":"assistant","model":"first-model","content":[{"type":"text","text":"\#(text)"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":12,"output_tokens":5}}"#
    case .gemini:
      #"{"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"\#(text)"}]},"finishReason":"STOP"}],\#(geminiUsage),"modelVersion":"first-model","responseId":"g1"}"#
    case .converse:
      #"{"output":{"message":{"role":"assistant","content":[{"text":"\#(text)"}]}},"stopReason":"end_turn","usage":{"inputTokens":12,"outputTokens":5,"totalTokens":17},"metrics":{"latencyMs":1}}"#
    }
  }

  private static let responsesUsage =
    #"{"input_tokens":12,"input_tokens_details":{"cached_tokens":0},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":17}"#
  private static let geminiUsage =
    #""usageMetadata":{"promptTokenCount":12,"candidatesTokenCount":5,"totalTokenCount":17}"#

  /// The same as a stream of these pieces; nil where this test house has none (Bedrock's are binary).
  static func stream(_ wire: ProviderWire, _ texts: [String]) -> String? {
    switch wire {
    case .chat: Specimens.stream(texts)
    case .embeddings, .converse, .moderations, .rerank, .images, .speech, .transcriptions, .translations: nil
    case .completions:
      texts.map { completion($0, finish: "null") }.joined() + completion("", finish: #""stop""#)
        + #"data: {"id":"cmpl-1","object":"text_completion","created":1,"model":"first-model","choices":[],\#(Specimens.usage)}"#
        + "\n\n" + Specimens.done
    case .responses: responsesStream(texts)
    case .messages: messagesStream(texts)
    case .gemini:
      texts.enumerated().map { index, text in
        let isLast = index == texts.count - 1
        return
          #"data: {"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"\#(text)"}]}\#(isLast ? #","finishReason":"STOP""# : "")}],\#(geminiUsage),"modelVersion":"first-model","responseId":"g1"}"#
          + "\n\n"
      }.joined()
    }
  }

  private static func completion(_ text: String, finish: String) -> String {
    #"data: {"id":"cmpl-1","object":"text_completion","created":1,"model":"first-model","choices":[{"index":0,"text":"\#(text)","logprobs":null,"finish_reason":\#(finish)}]}"#
      + "\n\n"
  }

  private static func named(_ name: String, _ rest: String) -> String {
    "event: \(name)\ndata: {\"type\":\"\(name)\",\(rest)}\n\n"
  }

  private static func messagesStream(_ texts: [String]) -> String {
    named(
      "message_start",
      #""message":{"id":"msg_1","type":"message","role":"assistant","model":"first-model","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":12,"output_tokens":1}}"#
    ) + named("content_block_start", #""index":0,"content_block":{"type":"text","text":""}"#)
      + texts.map { named("content_block_delta", #""index":0,"delta":{"type":"text_delta","text":"\#($0)"}"#) }.joined()
      + named("content_block_stop", #""index":0"#)
      + named(
        "message_delta",
        #""delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":5}"#)
      + "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
  }

  private static func responsesStream(_ texts: [String]) -> String {
    var number = 0
    func event(_ name: String, _ rest: String) -> String {
      defer { number += 1 }
      return named("response.\(name)", "\"sequence_number\":\(number),\(rest)")
    }
    func response(_ status: String, _ rest: String) -> String {
      #""response":{"id":"resp_1","object":"response","created_at":1,"status":"\#(status)","error":null,"incomplete_details":null,"model":"first-model",\#(rest)}"#
    }
    let whole = texts.joined()
    let part = #"{"type":"output_text","annotations":[],"logprobs":[],"text":"\#(whole)"}"#
    let empty = #"{"type":"output_text","annotations":[],"logprobs":[],"text":""}"#
    func item(_ status: String, _ content: String) -> String {
      #"{"type":"message","id":"msg_1","status":"\#(status)","role":"assistant","content":[\#(content)]}"#
    }
    let at = #""item_id":"msg_1","output_index":0,"content_index":0"#
    var out = event("created", response("in_progress", #""output":[],"usage":null"#))
    out += event("in_progress", response("in_progress", #""output":[],"usage":null"#))
    out += event("output_item.added", #""output_index":0,"item":\#(item("in_progress", ""))"#)
    out += event("content_part.added", #"\#(at),"part":\#(empty)"#)
    for text in texts { out += event("output_text.delta", #"\#(at),"delta":"\#(text)","logprobs":[]"#) }
    out += event("output_text.done", #"\#(at),"text":"\#(whole)","logprobs":[]"#)
    out += event("content_part.done", #"\#(at),"part":\#(part)"#)
    out += event("output_item.done", #""output_index":0,"item":\#(item("completed", part))"#)
    out += event(
      "completed", response("completed", #""output":[\#(item("completed", part))],"usage":\#(responsesUsage)"#))
    return out
  }
}
