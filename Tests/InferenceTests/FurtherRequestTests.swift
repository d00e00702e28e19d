import Inference
import JSONText
import Testing

/// Requests that are no conversation: what is text, what is refused, what changes on the way.
@Suite struct FurtherRequestTests {
  private func scanned(_ body: String, _ route: InferenceRoute) throws -> (scan: RequestScan, texts: [String]) {
    let scan = RequestScan()
    let texts = try withBytes(body) { bytes in
      try scan.scan(bytes, route: route)
      return scan.segments.map { ByteRange($0.start, $0.end).of(bytes).text }
    }
    return (scan, texts)
  }

  @Test(
    arguments: [
      (#""a b""#, 1, ["a b"], 0), (#"["a","b"]"#, 2, ["a", "b"], 0), (#"[{"type":"text","text":"a"}]"#, 1, ["a"], 0),
      (
        #"[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]"#, 2,
        ["a"], 1
      ),
      (#"[{"type":"image_url","image_url":{"url":"https://x.example/a.png"}}]"#, 1, ["https://x.example/a.png"], 1),
      (#"[{"type":"text","text":"a","more":{"b":"c"}}]"#, 1, ["a", "more", "b", "c"], 0),
      (#"[{"type":"Anna","text":"a"}]"#, 1, ["Anna", "a"], 0),
    ] as [(String, Int, [String], Int)])
  func readsEveryFormOfAModeration(input: String, items: Int, texts: [String], images: Int) throws {
    let found = try scanned(#"{"model":"m","input":\#(input)}"#, .moderations)
    #expect(found.scan.inputItems == items && found.texts == texts && found.scan.images == images)
    #expect(found.scan.features.contains(.binary) == input.contains("base64"))
    #expect(found.scan.features.contains(.remoteMedia) == input.contains("https:"))
  }

  @Test func readsARerank() throws {
    let found = try scanned(
      #"{"model":"m","query":"q\n","documents":["a",{"text":"b","title":"c"}],"top_n":1,"return_documents":true,"rank_fields":["text"],"user":"P","max_tokens_per_doc":4096}"#,
      .rerank)
    #expect(found.texts == ["q\\n", "a", "b", "title", "c", "rank_fields", "text", "max_tokens_per_doc"])
    #expect(found.scan.inputItems == 2 && found.scan.queryBytes == 2 && !found.scan.stream)
  }

  @Test func readsWhatIsToBeSpoken() throws {
    let found = try scanned(
      #"{"model":"m","input":"ä\n","voice":"alloy","instructions":"i","speed":1.5,"response_format":"wav","stream_format":"audio"}"#,
      .speech)
    #expect(found.texts == ["ä\\n", "i"] && found.scan.spokenCharacters == 2 && found.scan.soundFormat == .wav)
    let other = try scanned(#"{"model":"m","input":"a","voice":{"id":"voice_Anna"}}"#, .speech)
    #expect(other.texts == ["a", "id", "voice_Anna"] && other.scan.soundFormat == .mp3)
  }

  @Test func readsAnImage() throws {
    let found = try scanned(
      #"{"model":"m","prompt":"p","n":3,"size":"1024x1024","quality":"hoch","style":"vivid","background":"auto","moderation":"low","response_format":"b64_json","output_format":"png","output_compression":100,"stream":false,"partial_images":0,"user":"P"}"#,
      .images)
    // What is none of the known values is text.
    #expect(found.texts == ["p", "hoch", "output_compression"] && found.scan.n == 3)
  }

  @Test(arguments: [
    (InferenceRoute.moderations, #"{"model":"m"}"#, Refusal.Code.missingRequiredParameter, "input"),
    (.moderations, #"{"input":"a"}"#, .missingRequiredParameter, "model"),
    (.moderations, #"{"model":"m","input":[]}"#, .invalidValue, "input"),
    (.moderations, #"{"model":"m","input":5}"#, .invalidType, "input"),
    (.moderations, #"{"model":"m","input":["a",5]}"#, .invalidType, "input[1]"),
    (.moderations, #"{"model":"m","input":[{"text":5}]}"#, .invalidType, "input[0].text"),
    (.moderations, #"{"model":"m","input":[{"text":"a","text":"b"}]}"#, .invalidValue, "input[0].text"),
    (.moderations, #"{"model":"m","Input":"a","input":"b"}"#, .invalidValue, "input"),
    (.moderations, #"{"model":"m","input":"a","stream":true}"#, .unsupportedParameter, "stream"),
    (.speech, #"{"model":"m","voice":"alloy"}"#, .missingRequiredParameter, "input"),
    (.speech, #"{"input":"a"}"#, .missingRequiredParameter, "model"),
    (.speech, #"{"model":"m","input":""}"#, .invalidValue, "input"),
    (.speech, #"{"model":"m","input":["a"]}"#, .invalidType, "input"),
    (.speech, #"{"model":"m","input":"a","response_format":"mp4"}"#, .invalidValue, "response_format"),
    (.speech, #"{"model":"m","input":"a","response_format":1}"#, .invalidType, "response_format"),
    (.speech, #"{"model":"m","input":"a","stream_format":"sse"}"#, .unsupportedParameter, "stream_format"),
    (.speech, #"{"model":"m","input":"a","stream_format":null}"#, .unsupportedParameter, "stream_format"),
    (.speech, #"{"model":"m","input":"a","stream":true}"#, .unsupportedParameter, "stream"),
    (.images, #"{"model":"m"}"#, .missingRequiredParameter, "prompt"),
    (.images, #"{"prompt":"a"}"#, .missingRequiredParameter, "model"),
    (.images, #"{"model":"m","prompt":["a"]}"#, .invalidType, "prompt"),
    (.images, #"{"model":"m","prompt":"a","n":0}"#, .invalidValue, "n"),
    (.images, #"{"model":"m","prompt":"a","n":11}"#, .invalidValue, "n"),
    (.images, #"{"model":"m","prompt":"a","n":1.5}"#, .invalidType, "n"),
    (.images, #"{"model":"m","prompt":"a","stream":true}"#, .unsupportedParameter, "stream"),
    (.images, #"{"model":"m","prompt":"a","partial_images":1}"#, .unsupportedParameter, "partial_images"),
    (.images, #"{"model":"m","prompt":"a","image":"AAAA"}"#, .unsupportedParameter, "image"),
    (.images, #"{"model":"m","prompt":"a","Prompt":"b"}"#, .invalidValue, "prompt"),
    // What goes in beside words and what makes more come out, at whoever calls himself compatible.
    (.images, #"{"model":"m","prompt":"a","image_url":"https://x.example/a.png"}"#, .unsupportedParameter, "image_url"),
    (.images, #"{"model":"m","prompt":"a","reference_images":["AAAA"]}"#, .unsupportedParameter, "reference_images"),
    (.images, #"{"model":"m","prompt":"a","im\u0061ge_url":"AAAA"}"#, .unsupportedParameter, "image_url"),
    (.images, #"{"model":"m","prompt":"a","Init_Image":"AAAA"}"#, .unsupportedParameter, "Init_Image"),
    (.images, #"{"model":"m","prompt":"a","mask_b64":"AAAA"}"#, .unsupportedParameter, "mask_b64"),
    (.images, #"{"model":"m","prompt":"a","file":"AAAA"}"#, .unsupportedParameter, "file"),
    (.images, #"{"model":"m","prompt":"a","num_images":10}"#, .unsupportedParameter, "num_images"),
    (.images, #"{"model":"m","prompt":"a","batch_size":4}"#, .unsupportedParameter, "batch_size"),
    (.rerank, #"{"model":"m","documents":["a"]}"#, .missingRequiredParameter, "query"),
    (.rerank, #"{"model":"m","query":"q"}"#, .missingRequiredParameter, "documents"),
    (.rerank, #"{"query":"q","documents":["a"]}"#, .missingRequiredParameter, "model"),
    (.rerank, #"{"model":"m","query":"q","documents":[]}"#, .invalidValue, "documents"),
    (.rerank, #"{"model":"m","query":["q"],"documents":["a"]}"#, .invalidType, "query"),
    (.rerank, #"{"model":"m","query":"q","documents":"a"}"#, .invalidType, "documents"),
    (.rerank, #"{"model":"m","query":"q","documents":["a",[]]}"#, .invalidType, "documents[1]"),
    (
      .rerank, #"{"model":"m","query":"q","documents":[{"title":"a"}]}"#, .missingRequiredParameter, "documents[0].text"
    ),
    (
      .rerank, #"{"model":"m","query":"q","documents":[{"text":"a","image":"AAAA"}]}"#, .unsupportedParameter,
      "documents[0].image"
    ),
    (.rerank, #"{"model":"m","query":"q","documents":["a"],"top_n":0}"#, .invalidValue, "top_n"),
    (.rerank, #"{"model":"m","query":"q","documents":["a"],"return_documents":1}"#, .invalidType, "return_documents"),
  ])
  func refuses(route: InferenceRoute, body: String, code: Refusal.Code, param: String) throws {
    let error = try #require(refusal(of: body, route: route))
    #expect(error.code == code && error.param == param)
  }

  @Test(arguments: [InferenceRoute.moderations, .rerank]) func onlyWhatMustChangeChanges(route: InferenceRoute) throws {
    let content = route == .rerank ? #""query":"q","documents":["a"]"# : #""input":"a""#
    let body = #"{"user":"P","model":"alias",\#(content),"metadata":{"k":"v"},"x":[1, 2 ]}"#
    try withBytes(body) { bytes in
      let scan = RequestScan()
      try scan.scan(bytes, route: route)
      var edits = EditList()
      let dropped = scan.addEdits(UpstreamEdits(model: "real", userHash: Array("h".utf8)), to: &edits, body: bytes)
      let out = ByteArena()
      let isApplied = edits.apply(to: bytes, into: out)
      #expect(isApplied)
      #expect(out.bytes.text == #"{"user":"h","model":"real",\#(content),"x":[1, 2 ]}"#)
      #expect(dropped == ["metadata"])
    }
  }
}
