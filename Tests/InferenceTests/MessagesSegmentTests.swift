import Inference
import JSONText
import Testing

/// Every string of a Messages request is text unless it is structural: in a body with all members, those that begin with
/// `T` are texts (`TI` without brackets, `TN` names), those with `S`, `P` or of the seals are none.
@Suite struct MessagesSegmentTests {
  static let seal = String(repeating: "EqQBCkgIARAB", count: 8) + "=="

  static let body = #"""
    {"model":"S-model","max_tokens":1024,"stream":true,"temperature":0.5,"top_p":1,"top_k":5,
     "service_tier":"standard_only","stop_sequences":["T01","T02"],"cache_control":{"type":"ephemeral","ttl":"1h"},
     "metadata":{"user_id":"P-user","P-name":"P-value"},"thinking":{"type":"enabled","budget_tokens":1024,"display":"omitted"},
     "output_config":{"effort":"high","format":{"type":"json_schema","schema":{"type":"object","properties":{"TN01":{
       "type":"string","description":"T03","enum":["T04"]}}}},"TN02":"T05"},
     "output_format":{"type":"json_schema","schema":{"title":"T06"}},
     "context_management":{"TN03":[{"TN04":"T07"}]},"unknown":{"TN05":756921707},"flat":"T08",
     "tool_choice":{"type":"tool","name":"TI01","disable_parallel_tool_use":true},
     "system":[{"type":"text","text":"T09","cache_control":{"type":"ephemeral"}},{"text":"T10","type":"text"}],
     "tools":[{"name":"TI02","description":"T11","input_schema":{"type":"object","properties":{"TN06":{"type":"integer",
        "title":"T12"}}},"input_examples":[{"TN07":"T13"}],"strict":true,"allowed_callers":["direct","TI03"]},
       {"type":"custom","name":"TI04","input_schema":{"type":"object"}},{"type":"bash_20250124","name":"TI05"},
       {"type":"text_editor_20250728","name":"TI06","max_characters":5,"TN08":"T14"}],
     "messages":[
      {"role":"user","content":"T15","TN09":"T16"},
      {"role":"user","content":[{"type":"text","text":"T17","TN10":"T18"},{"type":"text","text":"T19"},
        {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}},{"type":"text","text":"T20"},
        {"type":"document","title":"T21","context":"T22","citations":{"enabled":true},
          "source":{"type":"text","media_type":"text/plain","data":"T23"}},
        {"type":"document","source":{"data":"VDI0","media_type":"text/plain","type":"base64"}},
        {"type":"document","source":{"type":"content","content":[{"type":"text","text":"T24"},{"type":"TI07","text":"T25"}]}},
        {"type":"search_result","source":"T26","title":"T27","content":[{"type":"text","text":"T28"}]}]},
      {"role":"assistant","content":[{"type":"thinking","thinking":"T29","signature":"SEAL"},
        {"signature":"SEAL","thinking":"T30","type":"thinking"},{"type":"redacted_thinking","data":"SEAL"},
        {"data":"SEAL","type":"redacted_thinking"},
        {"type":"text","text":"T31","citations":[{"type":"char_location","cited_text":"T32","document_index":0,
          "document_title":"T33","start_char_index":0,"end_char_index":5},{"type":"web_search_result_location",
          "cited_text":"T34","encrypted_index":"SEAL","title":"T35","url":"T36"}]},
        {"type":"tool_use","id":"TI08","name":"TI09","input":{"TN11":"T37","TN12":{"TN13":["T38",756921707,1]}},
          "caller":{"type":"code_execution_20250825","tool_id":"TI10"}},
        {"type":"server_tool_use","id":"TI11","name":"TI12","input":{"TN14":"T39"}},
        {"type":"web_search_tool_result","tool_use_id":"TI13","content":[{"type":"web_search_result","url":"T40",
          "title":"T41","encrypted_content":"SEAL","TN15":"T42"}]},
        {"type":"web_fetch_tool_result","tool_use_id":"TI14","content":{"type":"web_fetch_result","TN16":"T43",
          "content":{"type":"document","source":{"type":"text","data":"T44"}}}}]},
      {"role":"user","content":[{"type":"tool_result","tool_use_id":"TI15","is_error":false,"content":"T45"},
        {"type":"tool_result","tool_use_id":"TI16","content":[{"type":"text","text":"T46"},{"type":"tool_reference",
          "tool_name":"TI17"}]},{"type":"new","TN17":{"TN18":"T47"},"data":"T48","signature":"T49"}]},
      {"role":"system","content":[{"type":"mid_conv_system","content":[{"type":"text","text":"T50"}]}]}]}
    """#.replacing("SEAL", with: seal)

  private struct Found {
    var text: String
    var segment: TextSegment
  }

  private func scan(_ body: String = body) throws -> [Found] {
    try withBytes(body) { bytes in
      let scan = RequestScan()
      try scan.scan(bytes, route: .messages)
      return scan.segments.map { segment in
        let text = ByteArena()
        JSONEscape.unescape(ByteRange(segment.start, segment.end).of(bytes), depth: segment.depth, to: text)
        return Found(text: text.text, segment: segment)
      }
    }
  }

  private static func mark(_ stem: String, _ number: Int) -> String {
    stem + (number < 10 ? "0" : "") + String(number)
  }

  @Test func everyTextIsASegmentOnce() throws {
    let found = try scan()
    for number in 1...50 {
      let hits = found.filter { $0.text == Self.mark("T", number) }
      #expect(hits.count == 1, "\(Self.mark("T", number))")
      #expect(hits.allSatisfy { $0.segment.kind == .string && !$0.segment.isIdentifier && $0.segment.depth == 1 })
    }
    // Text that was written as base64: the redactor looks inside.
    #expect(found.filter { $0.text == "VDI0" }.count == 1)
  }

  @Test func freeNamesAreSegments() throws {
    let found = try scan()
    for number in 1...18 {
      let mark = Self.mark("TN", number)
      #expect(found.filter { $0.text == mark && $0.segment.kind == .name }.count == 1, "\(mark)")
    }
  }

  @Test func namesIdsAndUnknownEnumsTakeNoBrackets() throws {
    let found = try scan()
    for number in 1...17 {
      let mark = Self.mark("TI", number)
      #expect(found.filter { $0.text == mark && $0.segment.isIdentifier }.count == 1, "\(mark)")
    }
  }

  @Test func nothingElseIsASegment() throws {
    let extra = ["VDI0", "unknown", "flat", "context_management", "TI07", "new", "max_characters", "url"]
    for found in try scan() where found.segment.kind != .number {
      #expect(found.text.hasPrefix("T") || extra.contains(found.text), "\(found.text)")
    }
  }

  @Test func longNumbersAreSegments() throws {
    let numbers = try scan().filter { $0.segment.kind == .number }
    #expect(numbers.map(\.text) == ["756921707", "756921707"])
  }

  @Test func segmentsKeepTheBodysOrder() throws {
    let segments = try scan().map(\.segment)
    for (left, right) in zip(segments, segments.dropFirst()) { #expect(left.end <= right.start) }
  }

  @Test func neighbouringTextBlocksShareAGroup() throws {
    let found = try scan()
    let group = { (mark: String) in found.first { $0.text == mark }?.segment.group }
    #expect(group("T17") == group("T19") && group("T09") == group("T10"))
    #expect(group("T17") != group("T18") && group("T17") != group("T20") && group("T24") == group("T25"))
    let shared = ["T19", "T10", "T25"]
    let others = found.filter { !shared.contains($0.text) }.map(\.segment.group)
    #expect(Set(others).count == others.count)
  }

  @Test func whatIsAskedForIsKnown() throws {
    try withBytes(Self.body) { bytes in
      let scan = RequestScan()
      try scan.scan(bytes, route: .messages)
      #expect(scan.modelName(in: bytes) == "S-model" && scan.stream && scan.maxTokens == 1024 && scan.n == 1)
      #expect(scan.maxTokensField == .maxTokens && scan.messageCount == 5 && scan.images == 1 && scan.files == 4)
      #expect(scan.features == [.tools, .binary, .jsonSchema, .reasoning] && scan.mediaBytes == 4)
      #expect(scan.serviceTier?.of(bytes).text == "standard_only")
      #expect(scan.metadataUserID?.of(bytes).text == "P-user" && scan.user == scan.metadataUserID)
      let texts = try self.scan().reduce(0) { $0 + $1.text.utf8.count }
      #expect(scan.textBytes >= texts + 6 * Self.seal.utf8.count)
      #expect(scan.textBytes <= 3 * bytes.count)
    }
  }

  /// Where an enum, an id or a seal is expected, an identifier is text.
  @Test(arguments: [
    #""service_tier":"*""#, #""speed":"*""#, #""inference_geo":"*""#, #""tool_choice":{"type":"*"}"#,
    #""tool_choice":{"*":1}"#, #""thinking":{"type":"*"}"#, #""thinking":{"display":"*"}"#, #""thinking":"*""#,
    #""output_config":{"effort":"*"}"#, #""cache_control":{"type":"*"}"#, #""cache_control":{"ttl":"*"}"#,
    #""container":"*""#, #""container":{"skills":[{"skill_id":"*"}]}"#, #""mcp_servers":[{"url":"*"}]"#,
    #""fallbacks":[{"model":"*"}]"#, #""tools":[{"type":"*"}]"#, #""tools":[{"allowed_callers":["*"]}]"#,
    #""tools":[{"type":"*_20250124"}]"#, #""top_k":7569217076985"#, #""thinking":{"budget_tokens":7569217076985}"#,
    #""system":[{"type":"*"}]"#, #""system":[{"type":"thinking","signature":"*"}]"#,
    #""system":[{"signature":"*","type":"thinking"}]"#, #""system":[{"type":"redacted_thinking","data":"*"}]"#,
    #""system":[{"type":"x","encrypted_content":"*"}]"#, #""system":[{"citations":[{"encrypted_index":"*"}]}]"#,
    #""system":[{"citations":[{"type":"*"}]}]"#, #""system":[{"citations":"*"}]"#, #""system":["*"]"#,
    #""system":[{"caller":{"type":"*"}}]"#, #""system":[{"source":{"type":"*","data":"x"}}]"#,
    #""system":[{"source":{"type":"base64","media_type":"*"}}]"#, #""system":[{"source":{"type":"url","url":"*"}}]"#,
    #""system":[{"source":{"type":"file","file_id":"*"}}]"#, #""system":[{"source":{"data":"*"}}]"#,
    #""system":[{"source":{"data":"*","type":"text"}}]"#, #""system":[{"source":{"data":["*"]}}]"#,
    #""system":[{"type":"tool_use","input":"*"}]"#, #""system":[{"content":{"content":{"content":["*"]}}}]"#,
  ])
  func anIdentifierHidesNowhere(member: String) throws {
    let value = member.contains("*") ? "CH9300762011623852957" : "7569217076985"
    let body =
      #"{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"x"}],"#
      + member.replacing("*", with: value) + "}"
    #expect(try scan(body).filter { $0.text.hasPrefix(value) }.count == 1, "\(member)")
  }

  /// What looks sealed is taken as sealed only where the API seals.
  @Test(arguments: [
    (#"{"type":"thinking","signature":"*"}"#, false), (#"{"signature":"*","type":"thinking"}"#, false),
    (#"{"type":"redacted_thinking","data":"*"}"#, false), (#"{"data":"*","type":"redacted_thinking"}"#, false),
    (#"{"type":"text","signature":"*"}"#, true), (#"{"signature":"*","type":"text"}"#, true),
    (#"{"type":"thinking","data":"*"}"#, true), (#"{"data":"*","type":"thinking"}"#, true),
    (#"{"data":"*"}"#, true), (#"{"type":"thinking","signature":"* "}"#, true),
    (#"{"type":"thinking","thinking":"*"}"#, true), (#"{"type":"redacted_thinking","x":"*"}"#, true),
  ])
  func sealsAreWhereTheyBelong(block: String, isText: Bool) throws {
    let body =
      #"{"model":"m","max_tokens":5,"messages":[{"role":"user","content":[{"type":"text","text":"a"},"#
      + block.replacing("*", with: Self.seal) + #",{"type":"text","text":"b"}]}]}"#
    let texts = try scan(body).map(\.text)
    #expect(texts.contains { $0.hasPrefix(Self.seal) } == isText)
    #expect(texts.filter { $0 == "a" || $0 == "b" } == ["a", "b"])
  }

  /// Data in front of its type is no text in the end, and no token either; behind too much else it stays text.
  @Test(arguments: [(0, true), (10, true), (4_090, true), (5_000, false)])
  func dataInFrontOfItsTypeIsTakenBack(others: Int, isTakenBack: Bool) throws {
    let many = "[" + (0..<others).map { _ in "\"x\"" }.joined(separator: ",") + "]"
    let data = String(repeating: "gIGC", count: 1_000)
    let base = #"{"model":"m","max_tokens":5,"messages":[{"role":"user","content":["#
    for (block, isBinary) in [
      (#"{"source":{"data":"\#(data)","y":\#(many),"media_type":"image/png","type":"base64"},"type":"image"}"#, true),
      (#"{"data":"\#(data)","y":\#(many),"type":"redacted_thinking"}"#, false),
    ] {
      try withBytes(base + block + "]}]}") { bytes in
        let scan = RequestScan()
        try scan.scan(bytes, route: .messages)
        #expect(scan.segments.contains { $0.end - $0.start == data.utf8.count } != isTakenBack)
        #expect(scan.features.contains(.binary) == isBinary)
        #expect(scan.mediaBytes == (isBinary ? data.utf8.count : 0))
        if isBinary { #expect(scan.textBytes < 3 * others + 200) } else { #expect(scan.textBytes > data.utf8.count) }
        for (left, right) in zip(scan.segments, scan.segments.dropFirst()) { #expect(left.end <= right.start) }
      }
    }
  }
}
