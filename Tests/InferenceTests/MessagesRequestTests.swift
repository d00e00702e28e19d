import Foundation
import Inference
import JSONText
import Testing

@Suite struct MessagesRequestTests {
  private static func body(_ members: String, messages: String = #"[{"role":"user","content":"x"}]"#) -> String {
    #"{"model":"m","max_tokens":9,"messages":\#(messages)\#(members.isEmpty ? "" : ",")\#(members)}"#
  }

  private static func body(block: String, role: String = "user") -> String {
    body("", messages: #"[{"role":"\#(role)","content":[\#(block)]}]"#)
  }

  private static let refusals: [(String, Refusal.Code, String?)] = [
    (#"{"max_tokens":9,"messages":[{"role":"user","content":"x"}]}"#, .missingRequiredParameter, "model"),
    (#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#, .missingRequiredParameter, "max_tokens"),
    (
      #"{"model":"m","max_tokens":null,"messages":[{"role":"user","content":"x"}]}"#, .missingRequiredParameter,
      "max_tokens"
    ),
    (#"{"model":"m","max_tokens":9}"#, .missingRequiredParameter, "messages"),
    (#"{"model":"m","max_tokens":0,"messages":[]}"#, .invalidValue, "max_tokens"),
    (#"{"model":"m","max_tokens":-1,"messages":[]}"#, .invalidValue, "max_tokens"),
    (#"{"model":"m","max_tokens":1.5,"messages":[]}"#, .invalidType, "max_tokens"),
    (#"{"model":"m","max_tokens":99999999999,"messages":[]}"#, .invalidValue, "max_tokens"),
    (body("", messages: "[]"), .invalidValue, "messages"), (body("", messages: "{}"), .invalidType, "messages"),
    (body("", messages: #"["x"]"#), .invalidType, "messages[0]"),
    (body("", messages: #"[{"content":"x"}]"#), .missingRequiredParameter, "messages[0].role"),
    (body("", messages: #"[{"role":"user"}]"#), .missingRequiredParameter, "messages[0].content"),
    (body("", messages: #"[{"role":"user","content":null}]"#), .invalidType, "messages[0].content"),
    (body("", messages: #"[{"role":"tool","content":"x"}]"#), .invalidValue, "messages[0].role"),
    (body("", messages: #"[{"role":"User","content":"x"}]"#), .invalidValue, "messages[0].role"),
    (body("", messages: #"[{"role":5,"content":"x"}]"#), .invalidType, "messages[0].role"),
    (body(#""max_tokens":5"#), .invalidValue, "max_tokens"), (body(#""Max_Tokens":5"#), .invalidValue, "max_tokens"),
    (body(#""MODEL":"x""#), .invalidValue, "model"), (body(#""ſystem":"x""#), .invalidValue, "system"),
    (body(#""system":"x","system":"y""#), .invalidValue, "system"), (body(#""system":5"#), .invalidType, "system"),
    (body(#""stream":"yes""#), .invalidType, "stream"), (body(#""tools":{}"#), .invalidType, "tools"),
    (body(#""tools":["x"]"#), .invalidType, "tools[0]"),
    (body(#""tools":[{"type":5}]"#), .invalidType, "tools[0].type"),
    (body(#""tools":[{"name":"a","Name":"b"}]"#), .invalidValue, "tools[0].name"),
    (body(#""tools":[{"name":"a","name":"b"}]"#), .invalidValue, "tools[0].name"),
    (body(#""metadata":"x""#), .invalidType, "metadata"),
    (body(#""metadata":{"user_id":5}"#), .invalidType, "metadata.user_id"),
    (body(#""metadata":{"User_Id":"x"}"#), .invalidValue, "metadata.user_id"),
    (body(#""service_tier":5"#), .invalidType, "service_tier"),
    (body(#""service_tier":"a b""#), .invalidValue, "service_tier"),
    (body(#""tool_choice":{"type":"auto","Type":"x"}"#), .invalidValue, "tool_choice.type"),
    (body(block: #"{"type":"text","text":"a","text":"b"}"#), .invalidValue, "messages[0].content[0].text"),
    (body(block: #"{"type":"text"},{"type":"text","Text":"b"}"#), .invalidValue, "messages[0].content[1].text"),
    (
      body(block: #"{"type":"image","source":{"type":"base64","Type":"url"}}"#), .invalidValue,
      "messages[0].content[0].source.type"
    ),
    (
      body(block: #"{"type":"tool_result","content":[{"type":"text","type":"image"}]}"#), .invalidValue,
      "messages[0].content[0].content.type"
    ),
    (body(#""system":[{"type":"text","type":"x"}]"#), .invalidValue, "system[0].type"),
    (body(#""x":"\ud83d""#), .invalidJSON, nil), ("[]", .invalidType, nil), ("{", .invalidJSON, nil),
    (body(block: String(repeating: #"{"content":["#, count: 40)), .invalidJSON, nil),
  ]

  @Test(arguments: 0..<refusals.count)
  func whatIsWrongIsNamed(number: Int) {
    let (body, code, param) = Self.refusals[number]
    let error = refusal(of: body, route: .messages)
    #expect(error?.code == code, "\(body)")
    #expect(error?.param == param, "\(body)")
  }

  @Test func countTokensNeedsNoLimit() throws {
    let body = #"{"model":"m","messages":[{"role":"user","content":"x"}]}"#
    #expect(refusal(of: body, route: .countTokens) == nil)
    #expect(refusal(of: #"{"model":"m","max_tokens":0,"messages":[]}"#, route: .countTokens)?.param == "max_tokens")
  }

  @Test(
    arguments: [
      (#""tools":[{"type":"web_search_20250305","name":"web_search"}]"#, RequestFeatures([.tools, .hostedTool])),
      (#""tools":[{"type":"web_fetch_20260318"}]"#, [.tools, .hostedTool]),
      (#""tools":[{"type":"code_execution_20260521"}]"#, [.tools, .hostedTool]),
      (#""tools":[{"type":"tool_search_tool_bm25"}]"#, [.tools, .hostedTool]),
      (#""tools":[{"type":"mcp_toolset","mcp_server_name":"x"}]"#, [.tools, .hostedTool]),
      (#""tools":[{"type":"bash_20250124x"}]"#, [.tools, .hostedTool]),
      (#""tools":[{"type":"bash_\u00320250124"}]"#, [.tools, .hostedTool]),
      (#""tools":[{"type":"20250124"}]"#, [.tools, .hostedTool]),
      (#""tools":[{"type":"bash_20250124"},{"type":"computer_20251124"},{"type":"memory_20250818"}]"#, [.tools]),
      (#""tools":[{"name":"f"},{"type":null},{"type":"custom"},{"type":"text_editor_20250728"}]"#, [.tools]),
      (#""tools":[]"#, []), (#""tools":null"#, []),
      (#""mcp_servers":[{"type":"url","url":"https://x"}]"#, [.hostedTool]),
      (#""mcp_servers":null"#, []), (#""container":"c_1""#, [.remoteFile]), (#""container":{}"#, [.remoteFile]),
      (#""container":null"#, []), (#""speed":"fast""#, [.pricedTier]), (#""speed":"standard""#, []),
      (#""speed":null"#, []), (#""speed":1"#, [.pricedTier]), (#""inference_geo":"us""#, [.pricedTier]),
      (#""inference_geo":null"#, []), (#""fallbacks":[{"model":"x"}]"#, [.pricedTier]), (#""fallbacks":null"#, []),
      (#""service_tier":"auto""#, []), (#""service_tier":"standard_only""#, []),
      (#""service_tier":"priority""#, [.pricedTier]),
    ] as [(String, RequestFeatures)])
  func unpricedFeaturesAreSeen(member: String, features: RequestFeatures) throws {
    try withBytes(Self.body(member)) { bytes in
      let scan = RequestScan()
      try scan.scan(bytes, route: .messages)
      #expect(scan.features == features)
    }
  }

  @Test(
    arguments: [
      (#"{"type":"image","source":{"type":"url","url":"https://x"}}"#, RequestFeatures([.remoteMedia]), 1, 0, 0),
      (#"{"type":"document","source":{"type":"file","file_id":"f"}}"#, [.remoteFile], 0, 1, 0),
      (#"{"type":"container_upload","file_id":"f"}"#, [.remoteFile], 0, 0, 0),
      (#"{"source":{"data":"AAAA","media_type":"image/png","type":"base64"},"type":"image"}"#, [.binary], 1, 0, 4),
      (
        #"{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="}}"#, [.binary],
        0, 1, 8
      ),
      (#"{"type":"document","source":{"type":"base64","media_type":"text/plain","data":"AAAA"}}"#, [], 0, 1, 0),
      (#"{"type":"document","source":{"type":"base64","media_type":"TEXT/html","data":"AAAA"}}"#, [], 0, 1, 0),
      (#"{"type":"document","source":{"type":"base64","media_type":"\u0074ext/html","data":"AAAA"}}"#, [], 0, 1, 0),
      (#"{"type":"image","source":{"type":"base64","media_type":"image/png","data":"not base64!"}}"#, [], 1, 0, 0),
      (#"{"type":"document","source":{"type":"text","data":"AAAA"}}"#, [], 0, 1, 0),
      (
        #"{"type":"tool_result","content":[{"type":"image","source":{"type":"base64","data":"AAAA"}}]}"#, [.binary], 1,
        0,
        4
      ),
      (
        #"{"type":"document","source":{"type":"content","content":[{"type":"image","source":{"type":"url","url":"u"}}]}}"#,
        [.remoteMedia], 1, 1, 0
      ),
    ] as [(String, RequestFeatures, Int, Int, Int)])
  func mediaAreSeen(block: String, features: RequestFeatures, images: Int, files: Int, bytes count: Int) throws {
    try withBytes(Self.body(block: block)) { bytes in
      let scan = RequestScan()
      try scan.scan(bytes, route: .messages)
      #expect(scan.features == features)
      #expect((scan.images, scan.files, scan.mediaBytes) == (images, files, count))
    }
  }

  /// The worst tokenizer makes one token of each byte: of text, of calls and their results, of tools and schemas.
  @Test(arguments: ["x", "ü", "\\u00e9", "\\ud83d\\ude00", "\\\"\\n"])
  func textBytesAreNeverBelowTheTrueCount(unit: String) throws {
    for count in [0, 1, 100] {
      let raw = String(repeating: unit, count: count)
      let places = [
        #""system":"*""#, #""system":[{"type":"text","text":"*"}]"#, #""tools":[{"name":"f","description":"*"}]"#,
        #""tools":[{"name":"f","input_schema":{"properties":{"*":{"enum":["*"]}}}}]"#, #""x":{"*":["*"]}"#,
        #""output_config":{"format":{"type":"json_schema","schema":{"description":"*"}}}"#,
      ]
      let blocks = [
        #"{"type":"text","text":"*"}"#, #"{"type":"thinking","thinking":"*","signature":""}"#,
        #"{"type":"tool_use","id":"t","name":"f","input":{"*":"*"}}"#,
        #"{"type":"tool_result","tool_use_id":"t","content":"*"}"#,
        #"{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"*"}]}"#,
        #"{"type":"document","title":"*","context":"*","source":{"type":"text","media_type":"text/plain","data":"*"}}"#,
        #"{"type":"search_result","source":"*","title":"*","content":[{"type":"text","text":"*"}]}"#,
        #"{"type":"text","text":"*","citations":[{"cited_text":"*"}]}"#,
      ]
      let text = ByteArena()
      withBytes(raw) { JSONEscape.unescape($0, to: text) }
      for body in places.map({ Self.body($0) }) + blocks.map({ Self.body(block: $0) }) {
        let marks = body.filter { $0 == "*" }.count
        try withBytes(body.replacing("*", with: raw)) { bytes in
          let scan = RequestScan()
          try scan.scan(bytes, route: .messages)
          #expect(scan.textBytes >= marks * text.count, "\(body)")
        }
      }
    }
  }

  // MARK: Versions

  @Test func versionsAreRead() {
    for (text, version) in [
      ("2023-06-01", AnthropicVersion.june2023), ("2026-10-21", .october2026), ("2023-01-01", nil), ("", nil),
      ("2023-06-01 ", nil), ("latest", nil),
    ] as [(String, AnthropicVersion?)] {
      #expect(withBytes(text) { AnthropicVersion($0) } == version)
    }
  }

  private static let cited = #"{"type":"text","text":"a","citations":[{"type":"char_location","cited_text":"x"}]}"#
  private static let document = #"{"type":"document","source":{"type":"text","data":"d"}}"#
  private static let versionCases: [(String, String?)] = [
    (body(""), nil), (body(#""temperature":1"#), "temperature"), (body(#""temperature":1.0"#), "temperature"),
    (body(#""top_p":1"#), "top_p"), (body(#""top_k":5"#), "top_k"), (body(#""top_k":null"#), nil),
    (body(#""top_k":5,"temperature":0"#), "top_k"),
    (body(block: document, role: "assistant"), "messages[0].content[0]"), (body(block: document), nil),
    (
      body(
        "",
        messages:
          #"[{"role":"user","content":"x"},{"content":[{"type":"text","text":"a"},\#(document)],"role":"assistant"}]"#),
      "messages[1].content[1]"
    ),
    (body(block: cited), "messages[0].content[0].citations"), (body(block: cited, role: "assistant"), nil),
    (body(block: #"{"citations":[{}],"text":"a","type":"text"}"#), "messages[0].content[0].citations"),
    (body(block: #"{"type":"text","text":"a","citations":[]}"#), nil),
    (body(block: #"{"type":"text","text":"a","citations":null}"#), nil),
    (body(block: #"{"type":"document","source":{"type":"text","data":"d"},"citations":{"enabled":true}}"#), nil),
    (body(block: #"{"type":"tool_result","tool_use_id":"t","content":[\#(document)]}"#), nil),
    (body(block: #"{"type":"web_fetch_tool_result","content":{"content":\#(document)}}"#, role: "assistant"), nil),
  ]

  @Test(arguments: 0..<versionCases.count)
  func theNewerVersionRefuses(number: Int) throws {
    let (body, param) = Self.versionCases[number]
    try withBytes(body) { bytes in
      let scan = RequestScan()
      try scan.scan(bytes, route: .messages)
      let fault = scan.versionFault(.october2026)
      #expect(fault?.param == param && (fault == nil) == (param == nil))
      if let fault { #expect(fault.code.status == 400 && fault.message.contains("2026-10-21")) }
      #expect(scan.versionFault(.june2023) == nil)
      try withBytes(Self.body("")) { try scan.scan($0, route: .messages) }
      #expect(scan.versionFault(.october2026) == nil)
    }
  }

  // MARK: Edits

  private static let hash = Array("9f86d081".utf8)
  private static let edits: [(String, UpstreamEdits, String, [String])] = [
    (
      "{ \"x\" : 1.50 ,\n \"model\":\"alias\" , \"max_tokens\" : 9, \"messages\" : [{\"role\":\"user\",\"content\":\"\\u00e9\"}] , \"z\":{ } }",
      UpstreamEdits(model: "claude"),
      "{ \"x\" : 1.50 ,\n \"model\":\"claude\" , \"max_tokens\" : 9, \"messages\" : [{\"role\":\"user\",\"content\":\"\\u00e9\"}] , \"z\":{ } }",
      []
    ),
    (body(#""stream":true"#), UpstreamEdits(model: "m", maxTokens: 9), body(#""stream":true"#), []),
    (body(""), UpstreamEdits(model: "m", maxTokens: 100), body(""), []),
    (
      body(""), UpstreamEdits(model: "m", maxTokens: 5),
      body("").replacing("\"max_tokens\":9", with: "\"max_tokens\":5"),
      []
    ),
    (body(#""metadata":{"user_id":"P"}"#), UpstreamEdits(model: "m"), body(""), []),
    (
      body(#""metadata": {"user_id": "P"}"#), UpstreamEdits(model: "m", userHash: hash),
      body(#""metadata": {"user_id":"9f86d081"}"#), []
    ),
    (
      body(#""metadata":{"a":"P","user_id":"P"},"x":1"#), UpstreamEdits(model: "m", userHash: hash),
      body(#""metadata":{"user_id":"9f86d081"},"x":1"#), ["metadata"]
    ),
    (body(#""metadata":{"a":"P"},"x":1"#), UpstreamEdits(model: "m", userHash: hash), body(#""x":1"#), ["metadata"]),
    (body(#""metadata":{}"#), UpstreamEdits(model: "m", userHash: hash), body(""), []),
    (body(#""metadata":{"user_id":null}"#), UpstreamEdits(model: "m", userHash: hash), body(""), []),
    (body(#""metadata":null"#), UpstreamEdits(model: "m", userHash: hash), body(""), []),
    (
      body(#""context_management":{"edits":[{"type":"T"}]},"metadata":{"user_id":"P"},"betas":["x"],"y":2"#),
      UpstreamEdits(model: "m", userHash: hash, deniedFields: ["context_management", "betas", "absent", "metadata"]),
      body(#""y":2"#), ["context_management", "metadata", "betas"]
    ),
    (
      body(#""context_management":1,"thinking":{"type":"adaptive"}"#),
      UpstreamEdits(model: "m", deniedFields: ["thinking", "context_management"]), body(""),
      ["context_management", "thinking"]
    ),
  ]

  private static let toolEdits: [(String, [String], String, [String])] = [
    (
      #"[{"name":"a","defer_loading":true,"input_examples":[{"x":"T"}]},{"strict":true},{"name":"b"}]"#,
      ["defer_loading", "input_examples", "strict"], #"[{"name":"a"},{},{"name":"b"}]"#,
      ["tools[].defer_loading", "tools[].input_examples", "tools[].strict"]
    ),
    (
      #"[ { "defer_loading" : true , "name":"a", "input_schema":{"strict":1}, "strict":false , "x":1 } ]"#,
      ["strict", "defer_loading", "name"], #"[ { "name":"a", "input_schema":{"strict":1}, "x":1 } ]"#,
      ["tools[].defer_loading", "tools[].strict"]
    ),
    (#"[{"name":"a","strict":true}]"#, ["input_examples"], #"[{"name":"a","strict":true}]"#, []),
    ("[]", ["strict"], "[]", []), ("null", ["strict"], "null", []),
  ]

  @Test(arguments: 0..<toolEdits.count)
  func whatAPlatformLacksLeavesTheTools(number: Int) throws {
    let (tools, denied, wanted, named) = Self.toolEdits[number]
    try withBytes(Self.body("\"x\":{},\"tools\":" + tools)) { bytes in
      let scan = RequestScan()
      try scan.scan(bytes, route: .messages)
      var list = EditList()
      for segment in scan.segments where ByteRange(segment.start, segment.end).of(bytes).text == "T" {
        list.replace(segment.start, segment.end, with: "[P]")
      }
      let dropped = scan.addEdits(UpstreamEdits(model: "m", deniedFields: denied), to: &list, body: bytes)
      #expect(dropped == named)
      let out = ByteArena()
      let isApplied = list.apply(to: bytes, into: out)
      #expect(isApplied && out.text == Self.body("\"x\":{},\"tools\":" + wanted))
    }
  }

  @Test(arguments: 0..<edits.count)
  func onlyWhatMustChanges(number: Int) throws {
    let (body, edits, wanted, named) = Self.edits[number]
    try withBytes(body) { bytes in
      let scan = RequestScan()
      try scan.scan(bytes, route: .messages)
      var list = EditList()
      for segment in scan.segments where ByteRange(segment.start, segment.end).of(bytes).text == "T" {
        list.replace(segment.start, segment.end, with: "[P]")
      }
      let dropped = scan.addEdits(edits, to: &list, body: bytes)
      #expect(dropped == named)
      let out = ByteArena()
      let isApplied = list.apply(to: bytes, into: out)
      #expect(isApplied && out.text == wanted)
    }
  }

  @Test func redactionAndOurEditsDoNotOverlap() throws {
    try withBytes(MessagesSegmentTests.body) { bytes in
      let scan = RequestScan()
      try scan.scan(bytes, route: .messages)
      var list = EditList()
      for segment in scan.segments {
        list.replace(segment.start, segment.end, with: segment.kind == .number ? "0" : "[X]")
      }
      _ = scan.addEdits(UpstreamEdits(model: "b", maxTokens: 5, userHash: Self.hash), to: &list, body: bytes)
      let out = ByteArena()
      let isApplied = list.apply(to: bytes, into: out)
      #expect(isApplied && refusal(of: out.text, route: .messages) == nil)
      #expect(!out.text.contains("\"T") && !out.text.contains("P-") && !out.text.contains("756921707"))
      #expect(out.text.components(separatedBy: MessagesSegmentTests.seal).count == 7)
      #expect(out.text.contains("\"AAAA\""))
    }
  }

  // MARK: Fuzz

  @Test(arguments: [UInt64(51), 52])
  func acceptedBodiesAreJSONForEverybody(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let scan = RequestScan()
    let body = Array(MessagesSegmentTests.body.replacing("\n", with: "").utf8)
    var accepted = 0
    for _ in 0..<2_000 {
      let bytes = random.mutate(body, most: 3)
      withBytes(bytes) { raw in
        guard (try? scan.scan(raw, route: .messages)) != nil else { return }
        accepted += 1
        var previous = 0
        var edits = EditList()
        for segment in scan.segments {
          #expect(segment.start >= previous && segment.end > segment.start && segment.end <= raw.count)
          previous = segment.end
          edits.replace(segment.start, segment.end, with: segment.kind == .number ? "0" : "[P_x]")
        }
        _ = scan.addEdits(
          UpstreamEdits(
            model: "b", maxTokens: 5, userHash: Self.hash,
            deniedFields: ["context_management", "flat", "strict", "input_examples"]),
          to: &edits, body: raw)
        let out = ByteArena()
        let isApplied = edits.apply(to: raw, into: out)
        #expect(isApplied, "\(raw.text)")
        let isJSON = (try? JSONSerialization.jsonObject(with: Data(Array(out.bytes)))) != nil
        #expect(isJSON, "\(out.text)")
        _ = scan.versionFault(.october2026)
      }
    }
    #expect(accepted > 200)
  }
}
