import Inference
import JSONText
import Testing

@Suite struct RequestScanTests {
  private static let message = "{\"role\":\"user\",\"content\":\"hi\"}"

  /// A chat body with more members.
  private static func chat(_ members: String = "") -> String {
    "{\"model\":\"m\",\"messages\":[\(message)]\(members)}"
  }

  @Test(
    arguments: [
      ("", Refusal.Code.invalidJSON, nil), ("[]", .invalidType, nil), ("\"x\"", .invalidType, nil),
      ("{\"model\":\"m\",\"messages\":[{}]", .missingRequiredParameter, "messages[0].role"),
      ("{\"messages\":[\(message)]}", .missingRequiredParameter, "model"),
      ("{\"model\":\"m\"}", .missingRequiredParameter, "messages"),
      ("{\"model\":\"m\",\"input\":\"hi\"}", .missingRequiredParameter, "messages"),
      ("{\"model\":\"m\",\"messages\":[]}", .invalidValue, "messages"),
      ("{\"model\":\"m\",\"messages\":\"hi\"}", .invalidType, "messages"),
      ("{\"model\":\"m\",\"messages\":[\(message),\"hi\"]}", .invalidType, "messages[1]"),
      ("{\"model\":\"m\",\"messages\":[{\"role\":1}]}", .invalidType, "messages[0].role"),
      ("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":5}]}", .invalidType, "messages[0].content"),
      ("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"role\":\"system\"}]}", .invalidValue, "messages[0].role"),
      (
        "{\"model\":\"m\",\"messages\":[\(message),{\"role\":\"user\",\"Content\":\"x\"}]}", .invalidValue,
        "messages[1].content"
      ),
      ("{\"model\":1,\"messages\":[\(message)]}", .invalidType, "model"),
      ("{\"model\":\"\",\"messages\":[\(message)]}", .invalidValue, "model"),
      ("{\"model\":\"a\\u0062\",\"messages\":[\(message)]}", .invalidValue, "model"),
      (chat(",\"model\":\"n\""), .invalidValue, "model"), (chat(",\"Model\":\"n\""), .invalidValue, "model"),
      (chat(",\"MODEL\":null"), .invalidValue, "model"), (chat(",\"mod\\u0065l\":\"n\""), .invalidValue, "model"),
      (chat(",\"\\u004dodel\":\"n\""), .invalidValue, "model"),
      (chat(",\"me\u{17F}sages\":[]"), .invalidValue, "messages"),
      (chat(",\"me\\u017fsages\":[]"), .invalidValue, "messages"),
      (chat(",\"max_to\u{212A}ens\":5"), .invalidValue, "max_tokens"),
      (chat(",\"model\\u0000\":\"n\""), .invalidValue, nil),
      (chat(",\"stream\":true,\"stream\":false"), .invalidValue, "stream"),
      (chat(",\"Stream\":true"), .invalidValue, "stream"),
      (chat(",\"stream\":1"), .invalidType, "stream"), (chat(",\"stream\":\"true\""), .invalidType, "stream"),
      (chat(",\"stream_options\":true"), .invalidType, "stream_options"),
      (chat(",\"stream_options\":{\"include_usage\":1}"), .invalidType, "stream_options.include_usage"),
      (
        chat(",\"stream_options\":{\"include_usage\":true,\"include_usage\":false}"), .invalidValue,
        "stream_options.include_usage"
      ),
      (chat(",\"max_tokens\":-1"), .invalidValue, "max_tokens"),
      (chat(",\"max_tokens\":0"), .invalidValue, "max_tokens"),
      (chat(",\"max_tokens\":1.5"), .invalidType, "max_tokens"),
      (chat(",\"max_tokens\":1e3"), .invalidType, "max_tokens"),
      (chat(",\"max_tokens\":\"10\""), .invalidType, "max_tokens"),
      (chat(",\"max_tokens\":100000001"), .invalidValue, "max_tokens"),
      (chat(",\"max_tokens\":99999999999999999999"), .invalidValue, "max_tokens"),
      (chat(",\"max_completion_tokens\":-5"), .invalidValue, "max_completion_tokens"),
      (chat(",\"Max_Completion_Tokens\":5"), .invalidValue, "max_completion_tokens"),
      (chat(",\"n\":0"), .invalidValue, "n"), (chat(",\"n\":129"), .invalidValue, "n"),
      (chat(",\"n\":-1"), .invalidValue, "n"),
      (chat(",\"n\":true"), .invalidType, "n"), (chat(",\"best_of\":1000"), .invalidValue, "best_of"),
      (chat(",\"user\":5"), .invalidType, "user"),
      (chat(",\"safety_identifier\":{}"), .invalidType, "safety_identifier"),
      (chat(",\"metadata\":\"x\""), .invalidType, "metadata"), (chat(",\"tools\":{}"), .invalidType, "tools"),
      (chat(",\"tools\":[1]"), .invalidType, "tools[0]"),
      (chat(",\"tools\":[{\"type\":5}]"), .invalidType, "tools[0].type"),
      (chat(",\"service_tier\":\"fast lane\""), .invalidValue, "service_tier"),
      (chat(",\"store\":\"yes\""), .invalidType, "store"), (chat(",\"x\":\"\\ud800\""), .invalidJSON, nil),
      ("\u{FEFF}" + chat(), .invalidJSON, nil), (chat() + "x", .invalidJSON, nil),
      (chat(",\"t\":1e400"), .invalidJSON, nil),
      (chat(",\"x\":" + String(repeating: "[", count: 64) + String(repeating: "]", count: 64)), .invalidJSON, nil),
    ] as [(String, Refusal.Code, String?)])
  func refusesByTheRulesOfTheBody(body: String, code: Refusal.Code, param: String?) {
    let error = refusal(of: body)
    #expect(error?.code == code, "\(body) \(error?.message ?? "")")
    #expect(error?.param == param)
    #expect(error.map { $0.refusal.code.status } == 400)
  }

  @Test(arguments: [
    "", ",\"unknown\":{\"Model\":1,\"a\":1,\"a\":2}", ",\"max_tokens\":null", ",\"max_tokens\":1",
    ",\"max_tokens\":100000000", ",\"stream\":null", ",\"stream_options\":null", ",\"n\":null", ",\"tools\":null",
    ",\"user\":null", ",\"metadata\":null", ",\"Models\":1", ",\"max-tokens\":1", ",\"temperature\":0.7",
    ",\"seed\":123456789012345678901234567890", ",\"logit_bias\":{\"50256\":-100}", ",\"\":0",
  ])
  func takesWhatIsAllowed(members: String) { #expect(refusal(of: Self.chat(members)) == nil) }

  @Test(arguments: [
    "null", "\"\"", "[]", "\"x\"", "[\"a\",\"b\"]", "[{\"type\":\"text\",\"text\":\"x\"}]", "[{}]", "[null]",
  ])
  func takesEveryFormOfContent(content: String) {
    #expect(refusal(of: "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"content\":\(content)}]}") == nil)
  }

  @Test func aBodyForResponsesIsToldSo() {
    #expect(refusal(of: "{\"model\":\"m\",\"input\":\"hi\"}")?.message.contains("/v1/responses") == true)
  }

  @Test func errorsQuoteNoContent() {
    let error = refusal(of: Self.chat(",\"user\":[\"Max Muster\"]"))
    #expect(error?.message.contains("Muster") == false)
  }

  @Test func readsWhatPolicyNeeds() throws {
    let body = Self.chat(
      ",\"stream\":true,\"stream_options\":{\"include_obfuscation\":false,\"include_usage\":true},\"max_tokens\":50,"
        + "\"max_completion_tokens\":40,\"n\":2,\"best_of\":3,\"user\":\"u1\",\"safety_identifier\":\"s1\","
        + "\"metadata\":{\"user_id\":\"p1\",\"x\":\"y\"},\"service_tier\":\"priority\",\"store\":true")
    try withBytes(body) { bytes in
      let scan = RequestScan()
      try scan.scan(bytes, route: .chat)
      #expect(scan.modelName(in: bytes) == "m")
      #expect(scan.stream && scan.includeUsage && scan.n == 3 && scan.messageCount == 1)
      #expect(scan.maxTokens == 40 && scan.maxTokensField == .maxCompletionTokens)
      #expect(scan.maxTokensRange?.of(bytes).text == "40")
      #expect(scan.user?.of(bytes).text == "u1" && scan.safetyIdentifier?.of(bytes).text == "s1")
      #expect(scan.metadataUserID?.of(bytes).text == "p1")
      #expect(scan.metadata?.of(bytes).text == "{\"user_id\":\"p1\",\"x\":\"y\"}")
      #expect(scan.serviceTier?.of(bytes).text == "priority")
      #expect(scan.features == .store && scan.tier == .priority)
      // Persons and metadata never travel, so they are no segments.
      #expect(scan.segments.map { ByteRange($0.start, $0.end).of(bytes).text } == ["hi", "include_obfuscation"])

      try scan.scan(bytes, route: .chat)
      #expect(scan.segments.count == 2 && scan.messageCount == 1)
      try withBytes(Self.chat()) { other in
        try scan.scan(other, route: .chat)
        #expect(!scan.stream && !scan.includeUsage && scan.n == 1 && scan.maxTokens == nil && scan.user == nil)
        #expect(scan.features == [] && scan.metadata == nil && scan.serviceTier == nil)
      }
    }
  }

  @Test(
    arguments: [
      (",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]", RequestFeatures.tools),
      (",\"tools\":[{\"type\":\"custom\",\"custom\":{\"name\":\"f\"}}]", .tools),
      (",\"tools\":[{\"function\":{\"name\":\"f\"}}]", .tools), (",\"functions\":[{\"name\":\"f\"}]", .tools),
      (",\"tools\":[]", []), (",\"tools\":[{\"type\":\"web_search\"}]", [.tools, .hostedTool]),
      (",\"tools\":[{\"type\":\"fun\\u0063tion\",\"function\":{\"name\":\"f\"}}]", [.tools, .hostedTool]),
      (",\"tools\":[{}]", [.tools, .hostedTool]), (",\"web_search_options\":{}", .hostedTool),
      (",\"web_search_options\":null", []), (",\"modalities\":[\"text\"]", []),
      (",\"modalities\":[\"text\",\"audio\"]", .audioOutput),
      (",\"modalities\":[\"\\u0061udio\"]", .audioOutput), (",\"audio\":{\"voice\":\"alloy\"}", .audioOutput),
      (",\"audio\":null", []),
      (",\"service_tier\":\"auto\"", []), (",\"service_tier\":\"default\"", []),
      (",\"service_tier\":\"flex\"", []), (",\"service_tier\":\"batch\"", .pricedTier),
      (",\"reasoning_effort\":\"low\"", .reasoning), (",\"reasoning_effort\":\"none\"", []),
      (",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"s\"}}", .jsonSchema),
      (",\"response_format\":{\"type\":\"json_object\"}", []),
      (",\"store\":false", []), (",\"store\":true", .store), (",\"background\":true", .background),
    ] as [(String, RequestFeatures)])
  func namesWhatIsRefusedUntilPriced(members: String, features: RequestFeatures) throws {
    try withBytes(Self.chat(members)) { bytes in
      let scan = RequestScan()
      try scan.scan(bytes, route: .chat)
      #expect(scan.features == features)
    }
  }

  @Test(
    arguments: [
      (
        "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,iVBORw0KGgo=\"}}",
        RequestFeatures.binary, 1, 0, 0, []
      ),
      (
        "{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://x.example/a.png\"}}", .remoteMedia, 1, 0, 0,
        ["https://x.example/a.png"]
      ),
      ("{\"type\":\"image_url\",\"image_url\":\"data:image/png;base64,AAAA\"}", .binary, 1, 0, 0, []),
      ("{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"UklGRg==\",\"format\":\"wav\"}}", .binary, 0, 1, 0, []),
      (
        "{\"type\":\"file\",\"file\":{\"file_data\":\"data:application/pdf;base64,JVBERi0=\",\"filename\":\"Muster.pdf\"}}",
        .binary, 0, 0, 1, ["Muster.pdf"]
      ),
      ("{\"type\":\"file\",\"file\":{\"file_id\":\"file-abc\"}}", .remoteFile, 0, 0, 1, ["file-abc"]),
      (
        "{\"type\":\"file\",\"file\":{\"file_data\":\"data:text/plain;base64,TWF4\"}}", [], 0, 0, 1,
        ["data:text/plain;base64,TWF4"]
      ),
      (
        "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:Max Muster, AHV\"}}", [], 1, 0, 0,
        ["data:Max Muster, AHV"]
      ),
      ("{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"Max Muster\"}}", [], 0, 1, 0, ["Max Muster"]),
    ] as [(String, RequestFeatures, Int, Int, Int, [String])])
  func mediaIsNoTextUnlessItSaysSo(
    part: String, features: RequestFeatures, images: Int, audios: Int, files: Int, texts: [String]
  ) throws {
    let body = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[\(part)]}]}"
    try withBytes(body) { bytes in
      let scan = RequestScan()
      try scan.scan(bytes, route: .chat)
      #expect(scan.features == features)
      #expect((scan.images, scan.audios, scan.files) == (images, audios, files))
      #expect(scan.segments.map { ByteRange($0.start, $0.end).of(bytes).text } == texts)
      #expect((scan.mediaBytes > 0) == features.contains(.binary))
    }
  }

  @Test func manyMembersAreBound() {
    let members = (0..<10_000).map { ",\"m\($0)\":0" }.joined()
    #expect(refusal(of: Self.chat(members))?.code == .invalidJSON)
  }
}

@Suite struct EmbeddingsRequestTests {
  @Test(arguments: [
    ("{\"model\":\"e\",\"input\":\"hi\"}", 1, ["hi"], false),
    ("{\"model\":\"e\",\"input\":[\"a\",\"b\"]}", 2, ["a", "b"], false),
    ("{\"model\":\"e\",\"input\":[1,2,3]}", 1, [], true), ("{\"model\":\"e\",\"input\":[[1,2],[3]]}", 2, [], true),
    (
      "{\"model\":\"e\",\"input\":\"x\",\"encoding_format\":\"base64\",\"dimensions\":256,\"user\":\"u\",\"note\":\"n\"}",
      1, ["x", "note", "n"], false
    ),
  ])
  func readsEveryFormOfInput(body: String, items: Int, texts: [String], isTokens: Bool) throws {
    try withBytes(body) { bytes in
      let scan = RequestScan()
      try scan.scan(bytes, route: .embeddings)
      #expect(scan.inputItems == items)
      #expect(scan.isTokenArray == isTokens)
      #expect(scan.segments.map { ByteRange($0.start, $0.end).of(bytes).text } == texts)
      #expect(scan.textBytes >= texts.reduce(0) { $0 + $1.utf8.count } + scan.tokenCount)
    }
  }

  @Test(arguments: [
    ("{\"model\":\"e\"}", Refusal.Code.missingRequiredParameter, "input"),
    ("{\"input\":\"x\"}", .missingRequiredParameter, "model"), ("{\"model\":\"e\",\"input\":5}", .invalidType, "input"),
    ("{\"model\":\"e\",\"input\":null}", .invalidType, "input"),
    ("{\"model\":\"e\",\"input\":[]}", .invalidValue, "input"),
    ("{\"model\":\"e\",\"input\":[{}]}", .invalidType, "input[0]"),
    ("{\"model\":\"e\",\"input\":[-1]}", .invalidValue, "input"),
    ("{\"model\":\"e\",\"input\":[1.5]}", .invalidValue, "input"),
    ("{\"model\":\"e\",\"input\":[[\"a\"]]}", .invalidType, "input"),
    ("{\"model\":\"e\",\"input\":\"x\",\"Input\":\"y\"}", .invalidValue, "input"),
    ("{\"model\":\"e\",\"input\":\"x\",\"dimensions\":-1}", .invalidValue, "dimensions"),
  ])
  func refusesOthers(body: String, code: Refusal.Code, param: String) {
    let error = refusal(of: body, route: .embeddings)
    #expect(error?.code == code)
    #expect(error?.param == param)
  }
}
