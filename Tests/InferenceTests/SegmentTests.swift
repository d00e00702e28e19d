import Inference
import JSONText
import Testing

/// Every string of a request is text unless it is structural: in a body with all members, those that begin with `T` are
/// texts (`TI` without brackets), those with `S` are structural.
@Suite struct SegmentTests {
  private static let body = #"""
    {"model":"S-model","reasoning_effort":"high","verbosity":"low","service_tier":"auto",
     "prompt_cache_key":"TI12","flat0":"T01","prompt_cache_retention":"24h","prompt_cache_options":{"TN01":"T02"},
     "modalities":["text","TI13"],"previous_response_id":"TI14","stop":["T03","T04"],"user":"P-user","safety_identifier":"P-safe",
     "metadata":{"P-name":"P-value"},"seed":756921707,"temperature":0.5,"top_p":1,"logit_bias":{"50256":-100},
     "tool_choice":{"type":"function","function":{"name":"TI01"}},
     "response_format":{"type":"json_schema","json_schema":{"name":"TI02","description":"T05","strict":true,
       "schema":{"type":"object","properties":{"TN02":{"type":"string","enum":["T06"],"description":"T07"},
       "TN03":{"type":"T08 odd","default":{"TN04":"T09","type":"T10"}}},"required":["T11"]}}},
     "prediction":{"type":"content","content":[{"type":"text","text":"T12"}]},
     "web_search_options":{"TN05":{"TN06":"T13"}},
     "unknown":{"TN07":["T14",{"TN08":"T15"}],"TN09":756921707,"TN10":12345678},"flat":"T16",
     "tools":[{"type":"function","function":{"name":"TI03","description":"T17","parameters":{"type":"object",
       "properties":{"TN11":{"type":"integer","title":"T18","pattern":"T19"}}},"strict":false},"TN22":1},
       {"type":"custom","custom":{"name":"TI04","description":"T20","format":{"TN12":"T21"}}},
       {"type":"TI15","name":"TI05","TN23":["T22"]}],
     "messages":[
      {"role":"developer","content":"T23","name":"TI06"},
      {"role":"user","content":[{"type":"text","text":"T24","cache":{"TN13":"T25"}},{"type":"text","text":"T26"},
        {"type":"image_url","image_url":{"url":"https://T27","detail":"high"}},{"type":"text","text":"T28"},
        {"type":"file","file":{"file_id":"TI16","filename":"T29.pdf"}},{"type":"TI23","payload":{"TN14":"T30"}}]},
      {"role":"assistant","content":null,"refusal":"T31","reasoning":"T32","reasoning_content":"T33",
        "annotations":[{"TN15":"T34"}],"tool_calls":[{"id":"TI17","type":"function","index":0,"function":{"name":"TI07",
        "arguments":"{\"TN16\":\"T35 \\\"q\\\"\",\"TN17\":{\"TN18\":[\"T36\",756921707,1]}}"}},
        {"id":"TI18","type":"TI19","function":{"name":"TI08","arguments":"T37 no json {"}},
        {"id":"TI20","type":"custom","custom":{"name":"TI09","input":"T38"}},
        {"id":"TI21","x39":"T39","type":"function","function":{"name":"TI10","arguments":{"TN19":"T40"}}}],
        "function_call":{"name":"TI11","arguments":"{\"TN20\":\"T41\"}"}},
      {"role":"tool","tool_call_id":"TI22","content":[{"type":"text","text":"T42"}]},
      {"role":"us\u0065r","x":"T43","content":"T44","extra":{"TN21":"T45"}}]}
    """#

  private struct Found {
    var text: String
    var segment: TextSegment
  }

  private func scan() throws -> [Found] {
    try withBytes(Self.body) { bytes in
      let scan = RequestScan()
      try scan.scan(bytes, route: .chat)
      return scan.segments.map { segment in
        let text = ByteArena()
        JSONEscape.unescape(ByteRange(segment.start, segment.end).of(bytes), depth: segment.depth, to: text)
        return Found(text: text.text, segment: segment)
      }
    }
  }

  @Test func everyTextIsASegmentOnce() throws {
    let found = try scan()
    for number in 1...45 {
      let mark = "T" + (number < 10 ? "0" : "") + String(number)
      let hits = found.filter { $0.text.contains(mark) }
      #expect(hits.count == 1, "\(mark)")
      #expect(hits.allSatisfy { $0.segment.kind == .string && !$0.segment.isIdentifier })
    }
  }

  @Test func freeNamesAreSegments() throws {
    let found = try scan()
    for number in 1...23 {
      let mark = "TN" + (number < 10 ? "0" : "") + String(number)
      let hits = found.filter { $0.text == mark }
      #expect(hits.count == 1 && hits.allSatisfy { $0.segment.kind == .name }, "\(mark)")
    }
    #expect(!found.contains { $0.text == "50256" })
  }

  @Test func namesIdsAndUnknownEnumsTakeNoBrackets() throws {
    let found = try scan()
    for number in 1...23 {
      let mark = "TI" + (number < 10 ? "0" : "") + String(number)
      let hits = found.filter { $0.text == mark }
      #expect(hits.count == 1 && hits.allSatisfy { $0.segment.isIdentifier }, "\(mark)")
    }
  }

  @Test func structuralAndPersonalOnesAreNone() throws {
    let found = try scan()
    for text in found.map(\.text) {
      #expect(!text.hasPrefix("S-") && !text.hasPrefix("P-"), "\(text)")
      #expect(!["user", "function", "text", "object", "string", "auto", "json_schema"].contains(text))
    }
  }

  @Test func longNumbersAreSegmentsWhereverTheyStand() throws {
    let numbers = try scan().filter { $0.segment.kind == .number }
    #expect(numbers.map(\.text) == ["756921707", "756921707", "756921707"])
    #expect(numbers.allSatisfy { $0.segment.depth == 0 })
  }

  /// Where an enum or an id is expected, an identifier is text.
  @Test(arguments: [
    #""reasoning_effort":"*""#, #""verbosity":"*""#, #""prompt_cache_key":"*""#, #""prompt_cache_retention":"*""#,
    #""service_tier":"*""#, #""previous_response_id":"*""#, #""modalities":["*"]"#, #""tool_choice":"*""#,
    #""tool_choice":{"type":"*"}"#, #""tool_choice":{"*":1}"#, #""response_format":{"type":"*"}"#,
    #""prediction":{"type":"*"}"#, #""prediction":{"*":1}"#, #""audio":{"voice":"*"}"#, #""audio":{"*":1}"#,
    #""tools":[{"type":"*"}]"#, #""seed":7569217076985"#, #""top_logprobs":7569217076985"#,
    #""temperature":[7569217076985]"#, #""z":{"y":[7569217076985]}"#,
  ])
  func anIdentifierHidesInNoEnum(member: String) throws {
    let value = member.contains("*") ? "CH9300762011623852957" : "7569217076985"
    let body =
      #"{"model":"m","messages":[{"role":"user","content":"x"}],"#
      + member.split(separator: "*", omittingEmptySubsequences: false).joined(separator: value) + "}"
    try withBytes(body) { bytes in
      let scan = RequestScan()
      try scan.scan(bytes, route: .chat)
      let texts = scan.segments.map { ByteRange($0.start, $0.end).of(bytes).text }
      #expect(texts.filter { $0 == value }.count == 1, "\(member)")
    }
  }

  @Test(arguments: [
    #""role":"CH9300762011623852957""#, #""role":"assistant ""#, #""role":"User""#, #""role":"""#,
    #""role":"us\u0065r\u0000""#,
  ])
  func anotherRoleIsRefused(role: String) {
    let error = refusal(of: #"{"model":"m","messages":[{"role":"user"},{"# + role + "}]}")
    #expect(error?.code == .invalidValue && error?.param == "messages[1].role")
    #expect(error?.message.contains("CH93") == false)
  }

  @Test func argumentsAreTextsOfDepthTwo() throws {
    let found = try scan()
    for mark in ["TN16", "T35 \"q\"", "TN17", "TN18", "T36", "TN20", "T41"] {
      #expect(found.filter { $0.text == mark }.map(\.segment.depth) == [2], "\(mark)")
    }
    for mark in ["T37 no json {", "T38", "T40", "TN19"] {
      #expect(found.filter { $0.text == mark }.map(\.segment.depth) == [1], "\(mark)")
    }
  }

  @Test func neighbouringPartsShareAGroup() throws {
    let found = try scan()
    let group = { (mark: String) in found.first { $0.text == mark }?.segment.group }
    #expect(group("T24") == group("T26"))
    #expect(group("T24") != group("T25"))
    #expect(group("T24") != group("T28"))
    #expect(group("T23") != group("T24"))
    let others = found.filter { $0.text != "T26" }.map(\.segment.group)
    #expect(Set(others).count == others.count)
  }

  @Test func segmentsKeepTheBodysOrderAndDoNotOverlap() throws {
    let segments = try scan().map(\.segment)
    for (left, right) in zip(segments, segments.dropFirst()) { #expect(left.end <= right.start) }
  }

  @Test func textBytesBoundWhatGoesToTheModel() throws {
    let total = try scan().reduce(0) { $0 + $1.text.utf8.count }
    try withBytes(Self.body) { bytes in
      let scan = RequestScan()
      try scan.scan(bytes, route: .chat)
      #expect(scan.textBytes >= total)
      #expect(scan.textBytes <= 3 * bytes.count)
    }
  }
}

@Suite struct TokenBoundTests {
  @Test func addsUpAndSaturates() {
    #expect(TokenBound.inUpper(textBytes: 0, messages: 0) == 32)
    #expect(TokenBound.inUpper(textBytes: 100, growth: 7, messages: 3, mediaTokens: 50, overheadTokens: 5) == 218)
    #expect(TokenBound.inUpper(textBytes: 100, growth: -7, messages: 1) == 140)
    #expect(TokenBound.inUpper(textBytes: 1, messages: 1, mediaTokens: .max) == .max)
    #expect(TokenBound.inUpper(textBytes: .max, messages: .max) == .max)
    #expect(TokenBound.inUpper(textBytes: -5, messages: -5, mediaTokens: -5) == 32)
    #expect(TokenBound.total(inUpper: 10, n: 3, outputLimit: 100) == 310)
    #expect(TokenBound.total(inUpper: 10, n: 0, outputLimit: 100) == 110)
    #expect(TokenBound.total(inUpper: 10, n: .max, outputLimit: .max) == .max)
  }

  /// The worst tokenizer makes one token of each byte: of text, of tool schemas, of names.
  @Test(arguments: ["x", "ü", "\\u00e9", "\\ud83d\\ude00", "\\\"\\n"])
  func isNeverBelowTheBytesOfTheMessages(unit: String) throws {
    for count in [0, 1, 100] {
      let raw = String(repeating: unit, count: count)
      let body =
        "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"\(raw)\"},{\"role\":\"tool\",\"content\":[{\"type\":\"text\",\"text\":\"\(raw)\"}]}]}"
      try withBytes(body) { bytes in
        let scan = RequestScan()
        try scan.scan(bytes, route: .chat)
        let text = ByteArena()
        withBytes(raw) { JSONEscape.unescape($0, to: text) }
        let bound = TokenBound.inUpper(textBytes: scan.textBytes, messages: scan.messageCount)
        #expect(bound >= 2 * text.count + 16 + 32)
        #expect(bound <= 2 * text.count + 16 + 32 + 20)
      }
    }
  }
}
