import Inference
import JSONText
import Testing

@Suite struct CompletionsRequestTests {
  private func scanned(_ body: String) throws -> (scan: RequestScan, texts: [String]) {
    let scan = RequestScan()
    let texts = try withBytes(body) { bytes in
      try scan.scan(bytes, route: .completions)
      return scan.segments.map { ByteRange($0.start, $0.end).of(bytes).text }
    }
    return (scan, texts)
  }

  @Test(
    arguments: [
      ("\"hi\"", 1, ["hi"], false), ("null", 1, [], false), ("[\"a\",\"b\"]", 2, ["a", "b"], false),
      ("[1,2,3]", 1, [], true), ("[[1,2],[3],[]]", 3, [], true), ("[1,123456789]", 1, ["123456789"], true),
    ] as [(String, Int, [String], Bool)])
  func readsEveryFormOfPrompt(prompt: String, prompts: Int, texts: [String], isTokens: Bool) throws {
    let found = try scanned("{\"model\":\"m\",\"prompt\":\(prompt)}")
    #expect(found.scan.inputItems == prompts && found.scan.isTokenArray == isTokens)
    #expect(found.texts == texts && found.scan.n == Int64(prompts))
    #expect(found.scan.textBytes >= texts.reduce(0) { $0 + $1.utf8.count } || isTokens)
  }

  @Test func readsWhatPolicyNeeds() throws {
    let body =
      "{\"model\":\"m\",\"prompt\":[\"aa\",\"bb\\n\"],\"suffix\":\"T1\",\"echo\":true,\"n\":2,\"best_of\":3,\"stop\":[\"T2\"],"
      + "\"logit_bias\":{\"50256\":-100},\"stream\":true,\"stream_options\":{\"include_usage\":true},\"max_tokens\":7,"
      + "\"user\":\"P\",\"temperature\":0.5,\"seed\":756921707,\"T3\":\"T4\"}"
    let found = try scanned(body)
    #expect(found.texts == ["aa", "bb\\n", "T1", "T2", "logit_bias", "756921707", "T3", "T4"])
    #expect(found.scan.n == 6 && found.scan.stream && found.scan.includeUsage)
    #expect(found.scan.maxTokens == 7 && found.scan.maxTokensField == .maxTokens)
    // Two answers of each prompt repeat it.
    #expect(found.scan.echoBytes == 10)
    #expect(try scanned("{\"model\":\"m\",\"prompt\":\"aa\"}").scan.echoBytes == 0)
  }

  @Test(arguments: [
    ("", 16, TokenLimitField.maxTokens), (",\"max_tokens\":null", 16, .maxTokens), (",\"max_tokens\":0", 0, .maxTokens),
    (",\"max_tokens\":500", 500, .maxTokens), (",\"max_completion_tokens\":3", 3, .maxCompletionTokens),
    (",\"max_tokens\":2,\"max_completion_tokens\":3", 2, .maxTokens),
  ])
  func knowsTheLimitThatNobodyNamed(members: String, limit: Int64, field: TokenLimitField) throws {
    let found = try scanned("{\"model\":\"m\",\"prompt\":\"x\"\(members)}")
    #expect(found.scan.maxTokens == limit && found.scan.maxTokensField == field)
  }

  @Test(arguments: [
    ("{\"model\":\"m\"}", Refusal.Code.missingRequiredParameter, "prompt"),
    ("{\"prompt\":\"x\"}", .missingRequiredParameter, "model"),
    ("{\"model\":\"m\",\"messages\":[{\"role\":\"user\"}]}", .missingRequiredParameter, "prompt"),
    ("{\"model\":\"m\",\"prompt\":5}", .invalidType, "prompt"),
    ("{\"model\":\"m\",\"prompt\":{}}", .invalidType, "prompt"),
    ("{\"model\":\"m\",\"prompt\":[]}", .invalidValue, "prompt"),
    ("{\"model\":\"m\",\"prompt\":[\"a\",{}]}", .invalidType, "prompt[1]"),
    ("{\"model\":\"m\",\"prompt\":[-1]}", .invalidValue, "prompt"),
    ("{\"model\":\"m\",\"prompt\":[[\"a\"]]}", .invalidType, "prompt"),
    ("{\"model\":\"m\",\"prompt\":\"x\",\"Prompt\":\"y\"}", .invalidValue, "prompt"),
    ("{\"model\":\"m\",\"prompt\":\"x\",\"prompt\":\"y\"}", .invalidValue, "prompt"),
    ("{\"model\":\"m\",\"prompt\":\"x\",\"best_of\":129}", .invalidValue, "best_of"),
    ("{\"model\":\"m\",\"prompt\":\"x\",\"max_tokens\":-1}", .invalidValue, "max_tokens"),
    ("{\"model\":\"m\",\"prompt\":\"x\",\"echo\":1}", .invalidType, "echo"),
    ("{\"model\":\"m\",\"prompt\":\"x\",\"user\":1}", .invalidType, "user"),
  ])
  func refusesOthers(body: String, code: Refusal.Code, param: String) {
    let error = refusal(of: body, route: .completions)
    #expect(error?.code == code)
    #expect(error?.param == param)
  }

  @Test func aBodyForChatIsToldSo() {
    let error = refusal(of: "{\"model\":\"m\",\"messages\":[]}", route: .completions)
    #expect(error?.message.contains("/v1/chat/completions") == true)
  }

  private static let edits: [(String, UpstreamEdits, String)] = [
    (
      "{\"model\":\"a\",\"prompt\":\"x\"}", UpstreamEdits(model: "b", maxTokens: 100),
      "{\"model\":\"b\",\"prompt\":\"x\",\"max_tokens\":16}"
    ),
    (
      "{\"model\":\"a\", \"prompt\":\"x\" ,\"max_tokens\":50}", UpstreamEdits(model: "b", maxTokens: 100),
      "{\"model\":\"b\", \"prompt\":\"x\" ,\"max_tokens\":50}"
    ),
    (
      "{\"model\":\"a\",\"prompt\":\"x\",\"max_tokens\":500,\"user\":\"Max\",\"stream\":true}",
      UpstreamEdits(model: "b", maxTokens: 100, maxTokensField: .maxCompletionTokens),
      "{\"model\":\"b\",\"prompt\":\"x\",\"max_tokens\":100,\"stream\":true,\"stream_options\":{\"include_usage\":true}}"
    ),
    (
      "{\"model\":\"a\",\"prompt\":\"x\",\"max_completion_tokens\":5,\"metadata\":{}}", UpstreamEdits(model: "b"),
      "{\"model\":\"b\",\"prompt\":\"x\",\"max_tokens\":5}"
    ),
    (
      "{\"model\":\"a\",\"prompt\":\"x\",\"max_tokens\":0,\"echo\":true}", UpstreamEdits(model: "b", maxTokens: 100),
      "{\"model\":\"b\",\"prompt\":\"x\",\"max_tokens\":0,\"echo\":true}"
    ),
  ]

  @Test(arguments: 0..<edits.count)
  func changesOnlyWhatItMust(number: Int) throws {
    let (body, edits, result) = Self.edits[number]
    try withBytes(body) { bytes in
      let scan = RequestScan()
      try scan.scan(bytes, route: .completions)
      var list = EditList()
      _ = scan.addEdits(edits, to: &list, body: bytes)
      let out = ByteArena()
      let isApplied = list.apply(to: bytes, into: out)
      #expect(isApplied && out.text == result)
    }
  }
}
