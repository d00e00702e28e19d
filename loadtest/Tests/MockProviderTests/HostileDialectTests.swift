import NIOCore
import Testing

@testable import MockProvider

/// Mutated requests of every dialect: nothing that a peer sends may trap.
extension HostileBytesTests {
  /// A seed for each reader, whose mutations must still be read now and then: the real readers are strict.
  private static let seeds: [(Operation, Vendor, String)] = [
    (
      .messages, .anthropic,
      #"{"model":"mock-tools;chunk=2","max_tokens":9,"stream":true,"stop_sequences":["b"],"tools":[{"name":"f","input_schema":{"type":"object"}}],"messages":[{"role":"user","content":"[[mock size=3]]a\ud83d\ude00"},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"r"}]}]}"#
    ),
    (
      .generate(model: "mock-tools", isStream: true, isEvents: true), .gemini,
      #"{"contents":[{"role":"user","parts":[{"text":"a\u00e4"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"a":"b"}}}]}],"generationConfig":{"maxOutputTokens":7,"stopSequences":["x"]}}"#
    ),
    (
      .responses, .openAI,
      #"{"model":"mock-thinking;chunk=1","stream":true,"max_output_tokens":16,"input":[{"role":"user","content":[{"type":"input_text","text":"a\u00e4"}]},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"r"}]}"#
    ),
    (
      .completions, .openAI,
      #"{"model":"mock-echo","prompt":["a","b",[1,2]],"n":2,"best_of":3,"echo":true,"max_tokens":3,"stop":["x"]}"#
    ),
    (
      .chat(model: nil), .mistral,
      #"{"model":"mock-tools;calls=9","messages":[{"role":"user","content":[{"type":"text","text":"a"}]}],"max_tokens":5,"stream":true,"tools":[{"type":"function","function":{"name":"f"}}]}"#
    ),
    (
      .converse(model: "mock-thinking", isStream: true), .bedrock,
      #"{"messages":[{"role":"user","content":[{"text":"a\u00e4"}]}],"inferenceConfig":{"maxTokens":4},"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{}}}}]}}"#
    ),
    (
      .moderations, .openAI,
      #"{"model":"mock-refusal","input":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}"#
    ),
    (.images, .openAI, #"{"model":"mock-echo","prompt":"a","n":3}"#),
    (.rerank, .openAI, #"{"model":"mock-echo","query":"a b","documents":["a",{"text":"b"}],"top_n":1}"#),
    (.speech, .openAI, #"{"model":"mock-echo","voice":"v","input":"a"}"#),
  ]

  @Test func requestsOfEveryDialect() throws {
    let head = "POST / HTTP/1.1\r\nanthropic-version: 2023-06-01\r\n\r\n"
    guard case .complete(let parsed, _) = Array(head.utf8).withUnsafeBytes(RequestHead.parse) else { return }
    for (operation, vendor, seed) in Self.seeds {
      var answered = 0
      Self.mutate(seed, count: 600, edits: 1) { bytes in
        let arrival = Arrival(parsed, ByteBuffer(string: head), ByteBuffer(bytes: bytes), number: 1)
        guard let turn = try? DialectTurn.read(arrival, operation, vendor, script: nil, fails: { _, _ in true }) else {
          return
        }
        answered += 1
        _ = turn.plainBody()
        guard case .reply(let form) = turn.content else { return }
        var stream = ReplyStream(form, turn.script, isChunked: true)
        var output = ByteBuffer()
        for _ in 0..<200 where stream.next(into: &output) != .finished {}
      }
      #expect(answered > 8, "\(operation)")
    }
  }

  @Test func multipartForms() {
    let seed =
      "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--b\r\nContent-Disposition: form-data; "
      + "name=\"file\"; filename=\"f\"\r\n\r\n\r\n-\r\n--b--\r\n"
    var read = 0
    Self.mutate(seed, count: 20_000) { bytes in
      guard let form = try? bytes.withUnsafeBytes({ try MultipartForm($0, type: "multipart/form-data; boundary=b") })
      else { return }
      read += 1
      for field in form.fields { _ = bytes[field.content] }
    }
    #expect(read > 2_000)
  }

  @Test func paths() {
    var read = 0
    for seed in [
      "/v1beta/models/mock-echo%3Bchunk=2:streamGenerateContent?alt=sse", "/model/a%3A1/converse-stream",
      "/openai/deployments/m/chat/completions?api-version=2024",
    ] {
      Self.mutate(seed, count: 5_000) {
        if DialectPath.read(String(decoding: $0, as: UTF8.self)) != nil { read += 1 }
      }
    }
    #expect(read > 1_000)
  }
}
