import Foundation
import Inference
import JSONText
import Testing

/// Mutated bodies: no trap, and what is accepted is JSON for everybody, before and after the edits.
@Suite struct RequestFuzzTests {
  private static let chat =
    #"{"model":"m","stream":true,"stream_options":{"include_usage":false},"max_tokens":12,"user":"u","metadata":{"user_id":"x"},"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"type":"string"}}}}}],"messages":[{"role":"system","content":"Grüezi \u00e9\ud83d\ude00"},{"role":"user","content":[{"type":"text","text":"a \"b\""},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]},{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\":\"\\u00fc\",\"n\":756921707698}"}}]}]}"#
  private static let embeddings =
    #"{"model":"e","input":["a","b",[1,2]],"user":"u","dimensions":5,"x":{"y":[123456789]}}"#

  private static let completions =
    #"{"model":"m","prompt":["a",[1,2]],"suffix":"s","echo":true,"n":2,"best_of":3,"stream":true,"stream_options":{},"max_tokens":12,"user":"u","metadata":{},"stop":["x"],"logit_bias":{"50256":-100}}"#
  private static let responses =
    #"{"model":"m","instructions":"i \u00e9","stream":true,"max_output_tokens":12,"store":true,"user":"u","metadata":{"user_id":"x"},"text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"}}},"reasoning":{"effort":"low"},"tools":[{"type":"function","name":"f","parameters":{"type":"object"}},{"type":"namespace","tools":[{"type":"custom"}]}],"input":[{"role":"user","content":[{"type":"input_text","text":"a \"b\""},{"type":"input_image","image_url":"data:image/png;base64,AA=="}]},{"type":"reasoning","summary":[{"type":"summary_text","text":"s"}],"encrypted_content":"gAAAAA"},{"type":"function_call","call_id":"c","name":"f","arguments":"{\"a\":\"\\u00fc\",\"n\":756921707698}"},{"type":"function_call_output","call_id":"c","output":"o"}]}"#

  private static let moderations =
    #"{"model":"m","input":[{"type":"text","text":"a \"b\""},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}},"c"],"user":"u","metadata":{},"x":1234567890}"#
  private static let rerank =
    #"{"model":"m","query":"q \u00e9","documents":["a",{"text":"b","title":"c","n":756921707698}],"top_n":2,"return_documents":true,"safety_identifier":"u","metadata":{"user_id":"x"}}"#

  private static let images =
    #"{"model":"m","prompt":"p \u00e9","n":3,"size":"1024x1024","quality":"high","style":"s","response_format":"url","partial_images":0,"user":"u","metadata":{},"x":[1234567890]}"#

  private static let speech =
    #"{"model":"m","input":"p \u00e9\ud83d\ude00","voice":{"id":"v"},"instructions":"i","speed":1.5,"response_format":"wav","user":"u","x":[1234567890]}"#

  private static let bodies: [InferenceRoute: String] = [
    .chat: chat, .embeddings: embeddings, .completions: completions, .responses: responses, .moderations: moderations,
    .rerank: rerank, .images: images, .speech: speech,
  ]

  @Test(
    arguments: [
      (InferenceRoute.chat, UInt64(41)), (.embeddings, 42), (.completions, 43), (.responses, 44), (.moderations, 45),
      (.rerank, 46), (.images, 47), (.speech, 48),
    ] as [(InferenceRoute, UInt64)])
  func acceptedBodiesAreJSONForEverybody(route: InferenceRoute, seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let scan = RequestScan()
    let body = Array((Self.bodies[route] ?? "").utf8)
    var accepted = 0
    for _ in 0..<10_000 {
      let bytes = random.mutate(body, most: 3)
      withBytes(bytes) { raw in
        guard (try? scan.scan(raw, route: route)) != nil else { return }
        accepted += 1
        #expect((try? JSONSerialization.jsonObject(with: Data(bytes))) != nil, "\(raw.text)")
        var previous = 0
        var edits = EditList()
        for segment in scan.segments {
          #expect(segment.start >= previous && segment.end > segment.start && segment.end <= raw.count)
          previous = segment.end
          edits.replace(segment.start, segment.end, with: segment.kind == .number ? "0" : "[P_x]")
        }
        _ = scan.addEdits(UpstreamEdits(model: "b", maxTokens: 5), to: &edits, body: raw)
        let out = ByteArena()
        let isApplied = edits.apply(to: raw, into: out)
        #expect(isApplied, "\(raw.text)")
        let isJSON = (try? JSONSerialization.jsonObject(with: Data(Array(out.bytes)))) != nil
        #expect(isJSON, "\(out.text)")
        if route == .responses {
          let echo = "{" + String(decoding: scan.responsesEcho(of: raw), as: UTF8.self) + "\"id\":1}"
          let isEcho = (try? JSONSerialization.jsonObject(with: Data(echo.utf8))) != nil
          #expect(isEcho && !echo.contains("\n"), "\(echo)")
        }
        let bound = TokenBound.inUpper(textBytes: scan.textBytes, messages: scan.messageCount)
        #expect(bound >= 32)
      }
    }
    #expect(accepted > 1_000)
  }
}
