import Inference
import JSONText
import Testing

@Suite struct ResponsesRequestTests {
  private static func body(_ members: String = "", input: String = "\"hi\"") -> String {
    "{\"model\":\"m\",\"input\":\(input)\(members)}"
  }

  private func scanned(_ body: String) throws -> (scan: RequestScan, texts: [String]) {
    let scan = RequestScan()
    let texts = try withBytes(body) { bytes in
      try scan.scan(bytes, route: .responses)
      return scan.segments.map { ByteRange($0.start, $0.end).of(bytes).text }
    }
    return (scan, texts)
  }

  @Test(
    arguments: [
      ("[]", Refusal.Code.invalidType, nil), ("{\"model\":\"m\"}", .missingRequiredParameter, "input"),
      ("{\"input\":\"x\"}", .missingRequiredParameter, "model"),
      ("{\"model\":\"m\",\"messages\":[{\"role\":\"user\"}]}", .missingRequiredParameter, "input"),
      (body(input: "null"), .invalidType, "input"), (body(input: "5"), .invalidType, "input"),
      (body(input: "[]"), .invalidValue, "input"), (body(input: "[\"x\"]"), .invalidType, "input[0]"),
      (body(input: "[{}]"), .missingRequiredParameter, "input[0].type"),
      (body(input: "[{\"type\":null,\"x\":1}]"), .missingRequiredParameter, "input[0].type"),
      (body(input: "[{\"type\":5}]"), .invalidType, "input[0].type"),
      (body(input: "[{\"role\":\"user\"},{\"role\":5}]"), .invalidType, "input[1].role"),
      (body(input: "[{\"role\":\"user\"},{\"role\":\"boss\"}]"), .invalidValue, "input[1].role"),
      (body(input: "[{\"role\":\"user\",\"Content\":\"x\"}]"), .invalidValue, "input[0].content"),
      (body(input: "[{\"role\":\"user\",\"content\":\"x\",\"content\":\"y\"}]"), .invalidValue, "input[0].content"),
      (
        body(input: "[{\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"x\",\"text\":\"y\"}]}]"),
        .invalidValue, "input[0].content[0].text"
      ),
      (body(input: "[{\"type\":\"item_reference\",\"id\":\"msg_1\"}]"), .unsupportedParameter, "input[0]"),
      (body(input: "[{\"id\":\"msg_1\",\"type\":\"item_ref\\u0065rence\"}]"), .unsupportedParameter, "input[0]"),
      (body(input: "[{\"id\":\"msg_1\"}]"), .unsupportedParameter, "input[0]"),
      (body(input: "[{\"id\":\"msg_1\",\"type\":null}]"), .unsupportedParameter, "input[0]"),
      (
        body(input: "[{\"type\":\"additional_tools\",\"tools\":[5]}]"), .invalidType, "input[0].tools[0]"
      ),
      (body(",\"previous_response_id\":\"resp_1\""), .previousResponseNotFound, "previous_response_id"),
      (body(",\"previous_response_id\":\"\""), .previousResponseNotFound, "previous_response_id"),
      (body(",\"Previous_Response_Id\":null"), .invalidValue, "previous_response_id"),
      (body(",\"conversation\":\"conv_1\""), .unsupportedParameter, "conversation"),
      (body(",\"conversation\":{\"id\":\"conv_1\"}"), .unsupportedParameter, "conversation"),
      (body(",\"prompt\":{\"id\":\"pmpt_1\"}"), .unsupportedParameter, "prompt"),
      (body(",\"input\":\"y\""), .invalidValue, "input"), (body(",\"Input\":\"y\""), .invalidValue, "input"),
      (body(",\"model\":\"n\""), .invalidValue, "model"), (body(",\"STORE\":true"), .invalidValue, "store"),
      (body(",\"instructions\":[\"x\"]"), .invalidType, "instructions"),
      (body(",\"stream\":1"), .invalidType, "stream"),
      (body(",\"stream_options\":true"), .invalidType, "stream_options"),
      (body(",\"store\":\"no\""), .invalidType, "store"), (body(",\"background\":1"), .invalidType, "background"),
      (body(",\"max_output_tokens\":0"), .invalidValue, "max_output_tokens"),
      (body(",\"max_output_tokens\":1.5"), .invalidType, "max_output_tokens"),
      (body(",\"max_output_to\u{212A}ens\":5"), .invalidValue, "max_output_tokens"),
      (body(",\"user\":5"), .invalidType, "user"), (body(",\"metadata\":[]"), .invalidType, "metadata"),
      (body(",\"tools\":{}"), .invalidType, "tools"), (body(",\"tools\":[\"x\"]"), .invalidType, "tools[0]"),
      (body(",\"tools\":[{\"type\":5}]"), .invalidType, "tools[0].type"),
      (body(",\"tools\":[{\"type\":\"function\",\"type\":\"mcp\"}]"), .invalidValue, "tools[0].type"),
      (
        body(",\"tools\":[{\"type\":\"namespace\",\"tools\":[{\"type\":\"mcp\",\"Type\":\"function\"}]}]"),
        .invalidValue, "tools[0].tools[0].type"
      ),
      (body(",\"text\":{\"format\":{},\"Format\":{}}"), .invalidValue, "text.format"),
      (body(",\"text\":{\"format\":{\"type\":\"text\",\"type\":\"x\"}}"), .invalidValue, "text.format.type"),
      (body(",\"reasoning\":{\"effort\":\"low\",\"effort\":\"high\"}"), .invalidValue, "reasoning.effort"),
      (body(",\"service_tier\":\"fast lane\""), .invalidValue, "service_tier"),
      (body(",\"x\":\"\\ud800\""), .invalidJSON, nil),
      (body(input: String(repeating: "[", count: 70)), .invalidType, "input[0]"),
    ] as [(String, Refusal.Code, String?)])
  func refusesByTheRulesOfTheBody(body: String, code: Refusal.Code, param: String?) {
    let error = refusal(of: body, route: .responses)
    #expect(error?.code == code, "\(body) \(error?.message ?? "")")
    #expect(error?.param == param)
    #expect(error.map { $0.refusal.code.status } == 400)
  }

  @Test(arguments: [
    "", ",\"previous_response_id\":null,\"conversation\":null,\"prompt\":null,\"instructions\":null,\"tools\":null",
    ",\"metadata\":null,\"user\":null,\"store\":null,\"stream\":null,\"stream_options\":null,\"text\":null",
    ",\"max_output_tokens\":null,\"reasoning\":null,\"include\":null,\"truncation\":null,\"service_tier\":null",
    ",\"tools\":[]", ",\"messages\":[]", ",\"unknown\":{\"Model\":1,\"a\":1,\"a\":2}",
  ])
  func takesWhatIsAllowed(members: String) {
    let error = refusal(of: Self.body(members), route: .responses)
    #expect(error == nil, "\(String(describing: error))")
  }

  @Test(arguments: [
    "{\"role\":\"user\",\"content\":\"x\"}", "{\"role\":\"user\",\"content\":[]}",
    "{\"role\":\"assistant\",\"content\":null}",
    "{\"type\":\"reasoning\",\"summary\":[]}",
    "{\"type\":\"new_item\",\"content\":5,\"output\":{\"x\":[1]},\"tools\":null}",
    "{\"type\":\"function_call\",\"arguments\":{},\"call_id\":null}",
    "{\"type\":\"message\",\"role\":\"user\",\"id\":null}",
    "{\"type\":\"compaction_trigger\"}",
  ])
  func takesEveryFormOfItem(item: String) {
    let error = refusal(of: Self.body(input: "[\(item)]"), route: .responses)
    #expect(error == nil, "\(String(describing: error))")
  }

  @Test func saysWhereToSendABodyForChat() {
    let error = refusal(of: "{\"model\":\"m\",\"messages\":[]}", route: .responses)
    #expect(error?.message.contains("/v1/chat/completions") == true)
  }

  @Test func readsWhatPolicyNeeds() throws {
    let body = Self.body(
      ",\"stream\":true,\"stream_options\":{\"include_obfuscation\":false},\"max_output_tokens\":50,\"user\":\"u1\","
        + "\"safety_identifier\":\"s1\",\"metadata\":{\"user_id\":\"p1\",\"x\":\"y\"},\"service_tier\":\"priority\","
        + "\"store\":true,\"background\":true")
    let (scan, texts) = try scanned(body)
    withBytes(body) { bytes in
      #expect(scan.modelName(in: bytes) == "m" && scan.maxTokensRange?.of(bytes).text == "50")
      #expect(scan.user?.of(bytes).text == "u1" && scan.safetyIdentifier?.of(bytes).text == "s1")
      #expect(scan.metadataUserID?.of(bytes).text == "p1" && scan.serviceTier?.of(bytes).text == "priority")
    }
    #expect(scan.stream && scan.maxTokens == 50 && scan.messageCount == 1 && scan.n == 1)
    #expect(scan.features == [.store, .background] && scan.tier == .priority && texts == ["hi"])
  }

  @Test(
    arguments: [
      ("{\"type\":\"function\",\"name\":\"f\",\"parameters\":{}}", RequestFeatures.tools),
      ("{\"type\":\"custom\",\"name\":\"f\",\"format\":{\"type\":\"text\"}}", .tools),
      ("{\"type\":\"local_shell\"}", .tools), ("{\"type\":\"apply_patch\"}", .tools),
      ("{\"type\":\"namespace\",\"name\":\"n\",\"tools\":[{\"type\":\"function\",\"name\":\"f\"}]}", .tools),
      (
        "{\"type\":\"namespace\",\"name\":\"n\",\"tools\":[{\"type\":\"web_search\"}]}", [.tools, .hostedTool]
      ),
      ("{\"type\":\"web_search\"}", [.tools, .hostedTool]), ("{\"type\":\"mcp\"}", [.tools, .hostedTool]),
      ("{\"type\":\"new_tool\"}", [.tools, .hostedTool]), ("{}", [.tools, .hostedTool]),
      ("{\"type\":\"fun\\u0063tion\",\"name\":\"f\"}", [.tools, .hostedTool]),
    ] as [(String, RequestFeatures)])
  func namesToolsThatTheProviderRuns(tool: String, features: RequestFeatures) throws {
    #expect(try scanned(Self.body(",\"tools\":[\(tool)]")).scan.features == features)
    // An item that brings tools is the same as the tools themselves.
    let item =
      "[{\"type\":\"additional_tools\",\"role\":\"developer\",\"tools\":[\(tool)]},{\"role\":\"user\",\"content\":\"x\"}]"
    #expect(try scanned(Self.body(input: item)).scan.features == features)
  }

  @Test(
    arguments: [
      (
        "{\"type\":\"input_image\",\"image_url\":\"data:image/png;base64,iVBORw0KGgo=\"}", RequestFeatures.binary, 1, 0,
        0, []
      ),
      (
        "{\"type\":\"input_image\",\"image_url\":\"https://x.example/a.png\",\"file_id\":null}", .remoteMedia, 1, 0, 0,
        ["https://x.example/a.png"]
      ),
      ("{\"type\":\"input_image\",\"file_id\":\"file-a\",\"image_url\":null}", .remoteFile, 1, 0, 0, ["file-a"]),
      ("{\"file_id\":\"file-a\",\"type\":\"input_file\"}", .remoteFile, 0, 0, 1, ["file-a"]),
      (
        "{\"type\":\"input_file\",\"file_data\":\"data:application/pdf;base64,JVBERi0=\",\"filename\":\"Muster.pdf\"}",
        .binary, 0, 0, 1, ["Muster.pdf"]
      ),
      ("{\"type\":\"input_file\",\"file_data\":\"JVBERi0=\"}", .binary, 0, 0, 1, []),
      (
        "{\"type\":\"input_file\",\"file_data\":\"data:text/plain;base64,TWF4\"}", [], 0, 0, 1,
        ["data:text/plain;base64,TWF4"]
      ),
      ("{\"type\":\"input_file\",\"file_data\":\"Max Muster\"}", [], 0, 0, 1, ["Max Muster"]),
      ("{\"type\":\"input_file\",\"file_url\":\"https://x\"}", .remoteMedia, 0, 0, 1, ["https://x"]),
      (
        "{\"type\":\"input_image\",\"image_url\":{\"url\":\"data:image/png;base64,AAAA\",\"detail\":\"high\"}}",
        .binary,
        1, 0, 0, []
      ),
      ("{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"UklGRg==\",\"format\":\"wav\"}}", .binary, 0, 1, 0, []),
    ] as [(String, RequestFeatures, Int, Int, Int, [String])])
  func mediaIsNoTextUnlessItSaysSo(
    part: String, features: RequestFeatures, images: Int, audios: Int, files: Int, texts: [String]
  ) throws {
    for item in [
      "{\"role\":\"user\",\"content\":[\(part)]}",
      "{\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":[\(part)]}",
      "{\"type\":\"computer_call_output\",\"call_id\":\"c\",\"output\":\(part)}",
    ] {
      let (scan, found) = try scanned(Self.body(input: "[\(item)]"))
      #expect(scan.features == features, "\(item)")
      #expect((scan.images, scan.audios, scan.files) == (images, audios, files))
      #expect(found.filter { $0 != "c" } == texts)
    }
  }

  /// What is sealed by the provider is no text; what only claims to be so is.
  @Test func onlyACiphertextIsOpaque() throws {
    let sealed = "gAAAAA" + String(repeating: "aB3_-", count: 20) + "=="
    for (value, texts) in [
      (sealed, []), ("0791234567", ["0791234567"]), ("Max Muster " + sealed, ["Max Muster " + sealed]),
    ] {
      let item = "[{\"type\":\"reasoning\",\"summary\":[],\"encrypted_content\":\"\(value)\"}]"
      let (scan, found) = try scanned(Self.body(input: item))
      #expect(found == texts)
      #expect(scan.textBytes >= value.utf8.count)
    }
  }
}

/// As for chat: those that begin with `T` are texts (`TI` without brackets, `TN` names), those with `S` are structural.
@Suite struct ResponsesSegmentTests {
  private static let body = #"""
    {"model":"S-model","instructions":"T01","prompt_cache_key":"TI01","user":"P-user","safety_identifier":"P-safe",
     "metadata":{"P-name":"P-value"},"temperature":0.5,"top_p":1,"top_logprobs":2,"parallel_tool_calls":true,
     "max_tool_calls":3,"truncation":"auto","include":["reasoning.encrypted_content","TI02"],"store":false,
     "reasoning":{"effort":"high","summary":"TI03","TN01":"T02"},
     "text":{"verbosity":"low","format":{"type":"json_schema","name":"TI04","description":"T03","strict":true,
       "schema":{"type":"object","properties":{"TN02":{"type":"string","enum":["T04"],"description":"T05"}}}},"TN03":1},
     "tool_choice":{"type":"function","name":"TI05"},
     "tools":[{"type":"function","name":"TI06","description":"T06","strict":true,"parameters":{"type":"object",
       "properties":{"TN04":{"type":"integer","title":"T07"}}}},
       {"type":"custom","name":"TI07","description":"T08","format":{"TN05":"T09"}},
       {"type":"namespace","name":"TI08","description":"T10","tools":[{"type":"function","name":"TI09","TN06":"T11"}]},
       {"type":"TI10","TN07":["T12"]}],
     "input":[
      {"role":"user","content":"T13"},
      {"type":"message","role":"user","content":[{"type":"input_text","text":"T14","TN08":{"TN09":"T15"}},
        {"type":"input_text","text":"T16"},{"type":"input_image","image_url":"https://T17","detail":"high"},
        {"type":"input_text","text":"T18"},{"type":"input_file","file_id":"TI11","filename":"T19.pdf"},
        {"type":"TI12","TN10":{"TN11":"T20"}}]},
      {"type":"message","id":"TI13","role":"assistant","status":"completed","phase":"commentary","content":[
        {"type":"output_text","text":"T21","annotations":[{"TN12":"T22"}],"logprobs":[]},{"type":"refusal","refusal":"T23"}]},
      {"type":"function_call","id":"TI14","call_id":"TI15","name":"TI16","status":"TI17","arguments":"{\"TN13\":\"T24 \\\"q\\\"\",\"TN14\":[756921707]}"},
      {"type":"function_call","call_id":"TI18","name":"TI19","arguments":"T25 no json {"},
      {"type":"function_call_output","call_id":"TI20","output":"T26"},
      {"type":"function_call_output","call_id":"TI21","output":[{"type":"input_text","text":"T27"}]},
      {"type":"reasoning","id":"TI22","summary":[{"type":"summary_text","text":"T28"}],"content":[{"type":"reasoning_text","text":"T29"}],"encrypted_content":null},
      {"type":"custom_tool_call","call_id":"TI23","name":"TI24","input":"T30"},
      {"type":"custom_tool_call_output","call_id":"TI25","output":"T31"},
      {"type":"local_shell_call","call_id":"TI26","TN15":{"TN16":["T32"]}},
      {"type":"additional_tools","role":"developer","tools":[{"type":"function","name":"TI27","description":"T33"}],"TN17":"T34"},
      {"type":"TI28","TN18":{"TN19":"T35"}}],
     "moderati0n":"T36","x":{"y":756921707}}
    """#

  private struct Found {
    var text: String
    var segment: TextSegment
  }

  private func scan() throws -> (found: [Found], scan: RequestScan) {
    let scan = RequestScan()
    let found = try withBytes(Self.body) { bytes in
      try scan.scan(bytes, route: .responses)
      return scan.segments.map { segment in
        let text = ByteArena()
        JSONEscape.unescape(ByteRange(segment.start, segment.end).of(bytes), depth: segment.depth, to: text)
        return Found(text: text.text, segment: segment)
      }
    }
    return (found, scan)
  }

  private static func marks(_ prefix: String, _ count: Int) -> [String] {
    (1...count).map { prefix + ($0 < 10 ? "0" : "") + String($0) }
  }

  @Test func everyTextIsASegmentOnce() throws {
    let found = try scan().found
    for mark in Self.marks("T", 36) {
      let hits = found.filter { $0.text.contains(mark) }
      #expect(hits.count == 1, "\(mark)")
      #expect(hits.allSatisfy { $0.segment.kind == .string && !$0.segment.isIdentifier }, "\(mark)")
    }
    for mark in Self.marks("TN", 19) {
      let hits = found.filter { $0.text == mark }
      #expect(hits.count == 1 && hits.allSatisfy { $0.segment.kind == .name }, "\(mark)")
    }
    for mark in Self.marks("TI", 28) {
      let hits = found.filter { $0.text == mark }
      #expect(hits.count == 1 && hits.allSatisfy { $0.segment.isIdentifier }, "\(mark)")
    }
    #expect(found.filter { $0.segment.kind == .number }.map(\.text) == ["756921707", "756921707"])
  }

  @Test func structuralAndPersonalOnesAreNone() throws {
    for text in try scan().found.map(\.text) {
      #expect(!text.hasPrefix("S-") && !text.hasPrefix("P-"), "\(text)")
      #expect(!["user", "function", "message", "input_text", "completed", "high", "auto"].contains(text), "\(text)")
    }
  }

  @Test func argumentsAreTextsOfDepthTwo() throws {
    let found = try scan().found
    for mark in ["TN13", "T24 \"q\"", "TN14"] {
      #expect(found.filter { $0.text == mark }.map(\.segment.depth) == [2], "\(mark)")
    }
    #expect(found.filter { $0.text == "T25 no json {" }.map(\.segment.depth) == [1])
  }

  @Test func neighbouringPartsShareAGroup() throws {
    let found = try scan().found
    let group = { (mark: String) in found.first { $0.text == mark }?.segment.group }
    #expect(group("T14") == group("T16") && group("T14") != group("T15") && group("T14") != group("T18"))
    let others = found.filter { $0.text != "T16" }.map(\.segment.group)
    #expect(Set(others).count == others.count)
    for (left, right) in zip(found, found.dropFirst()) { #expect(left.segment.end <= right.segment.start) }
  }

  @Test func textBytesBoundWhatGoesToTheModel() throws {
    let (found, scan) = try scan()
    #expect(scan.textBytes >= found.reduce(0) { $0 + $1.text.utf8.count })
    #expect(scan.textBytes <= 3 * Self.body.utf8.count && scan.messageCount == 13)
  }

  /// Where an enum or an id is expected, an identifier is text.
  @Test(arguments: [
    #""truncation":"*""#, #""include":["*"]"#, #""prompt_cache_key":"*""#, #""prompt_cache_retention":"*""#,
    #""service_tier":"*""#, #""tool_choice":"*""#, #""tool_choice":{"*":1}"#, #""tools":[{"type":"*"}]"#,
    #""text":{"verbosity":"*"}"#, #""text":{"format":{"type":"*"}}"#, #""text":{"*":1}"#,
    #""reasoning":{"effort":"*"}"#,
    #""reasoning":{"summary":"*"}"#, #""stream_options":{"*":true}"#, #""x":"*""#, #""messages":"*""#,
    #""truncation":["*"]"#, #""y":[{"type":"*"}]"#,
  ])
  func anIdentifierHidesInNoEnum(member: String) throws {
    let value = "CH9300762011623852957"
    let body = #"{"model":"m","input":"x","# + member.replacing("*", with: value) + "}"
    #expect(try texts(body).filter { $0 == value }.count == 1, "\(member)")
  }

  @Test(arguments: [
    #"{"type":"*"}"#, #"{"type":"message","role":"user","status":"*"}"#, #"{"role":"user","id":"*"}"#,
    #"{"role":"user","phase":"*"}"#, #"{"role":"user","content":[{"type":"*"}]}"#,
    #"{"role":"user","content":[{"type":"input_image","detail":"*"}]}"#, #"{"role":"user","content":{"text":"*"}}"#,
    #"{"type":"reasoning","encrypted_content":"*"}"#, #"{"type":"x","encrypted_content":["*"]}"#,
    #"{"type":"x","summary":"*"}"#, #"{"type":"x","output":{"*":1}}"#, #"{"type":"x","*":1}"#,
  ])
  func anIdentifierHidesInNoItem(item: String) throws {
    let value = "CH9300762011623852957"
    let body = #"{"model":"m","input":["# + item.replacing("*", with: value) + "]}"
    #expect(try texts(body).filter { $0 == value }.count == 1, "\(item)")
  }

  private func texts(_ body: String) throws -> [String] {
    try withBytes(body) { bytes in
      let scan = RequestScan()
      try scan.scan(bytes, route: .responses)
      return scan.segments.map { ByteRange($0.start, $0.end).of(bytes).text }
    }
  }
}
