import Testing

@testable import MockProvider

@Suite struct ChatScanTests {
  private static func scan(_ text: String) -> (scan: ChatScan, user: String, model: String)? {
    Array(text.utf8).withUnsafeBytes { bytes in
      ChatScan(bytes).map { scan in
        let model = scan.model.map { String(decoding: bytes[$0], as: UTF8.self) } ?? ""
        return (scan, String(decoding: scan.decodedUserText(bytes), as: UTF8.self), model)
      }
    }
  }

  @Test func readsPastDecoysAndInAnyOrder() throws {
    let found = try #require(
      Self.scan(
        #"""
        { "tools" : [{"type":"function","function":{"parameters":{"model":"no","stream":true},"name":"f1"}},
          {"function":{"name":"f2"}}], "metadata":{"model":"decoy","max_tokens":1},
          "messages":[{"content":"say \"model\":\"evil\", \"stream\":true","role":"user"},
          {"role":"assistant","content":null,"tool_calls":[{"function":{"name":"x","arguments":"{\"role\":\"user\"}"}}]},
          {"role":"tool","content":"42"}], "stream" : false , "model" : "real", "max_tokens":9,
          "max_completion_tokens":7, "stream_options":{"include_usage": true} }
        """#))
    #expect(found.model == "real" && !found.scan.isStream && found.scan.wantsUsage)
    #expect(found.scan.tokenLimit == 7)
    #expect(found.user == #"say "model":"evil", "stream":true"#)
    #expect(found.scan.contentBytes == found.user.utf8.count + 2)
  }

  @Test func joinsThePartsOfTheLastUserMessage() throws {
    let found = try #require(
      Self.scan(
        #"{"model":"m","messages":[{"role":"user","content":"old"},{"role":"user","content":[{"type":"text","text":"a\u00e4"},{"type":"image_url","image_url":{"url":"x"}},{"text":"b","type":"text"}]}]}"#
      ))
    #expect(found.user == "aäb")
    #expect(found.scan.contentBytes == 3 + 3 + 1)
  }

  @Test(arguments: [
    "", "{", "[]", "null", #"{"model":"m"}"#, #"{"model":"m","messages":[]}"#, #"{"messages":[{"role":"user"}]}"#,
    #"{"model":1,"messages":[{}]}"#, #"{"model":"m","messages":[{}]} x"#, #"{"model":"m","messages":[{"content":"a}]}"#,
    #"{"model":"m","messages":[{}],"max_tokens":-1}"#, #"{"model":"m","messages":[{}],"max_tokens":"3"}"#,
    #"{"model":"m","messages":{"a":1}}"#, #"{"model":"m" "messages":[{}]}"#, #"{"model":"m","messages":[{}]"#,
  ])
  func refusesWhatIsNoChatRequest(text: String) {
    #expect(Self.scan(text) == nil)
  }

  @Test func everyPrefixOfARequestIsRefused() {
    let text = #"{"model":"m","messages":[{"role":"user","content":["x",{"text":"\\\"é"}]}],"stream":true}"#
    #expect(Self.scan(text) != nil)
    let bytes = Array(text.utf8)
    for length in 0..<bytes.count {
      #expect(bytes[..<length].withUnsafeBytes { ChatScan($0) } == nil, "prefix of \(length)")
    }
  }
}

@Suite struct JSONStringTextTests {
  @Test(arguments: [
    (#"plain"#, "plain"), (#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{C}\n\r\t"), (#"\u00e4\u20AC"#, "ä€"),
    (#"\ud83d\ude00"#, "😀"), (#"\ud83d"#, "\u{FFFD}"), (#"\ud83dx"#, "\u{FFFD}x"),
    (#"\ude00\ud83d"#, "\u{FFFD}\u{FFFD}"),
    (#"\u12"#, "\u{FFFD}12"), (#"\x"#, "\u{FFFD}"), ("\\", "\u{FFFD}"), (#"\u00zz"#, "\u{FFFD}00zz"),
  ])
  func decodes(raw: String, text: String) {
    let bytes = Array(raw.utf8)
    var decoded: [UInt8] = []
    let length = bytes.withUnsafeBytes { buffer in
      JSONStringText.decode(buffer, 0..<buffer.count, into: &decoded)
      return JSONStringText.decodedLength(buffer, 0..<buffer.count)
    }
    #expect(String(decoding: decoded, as: UTF8.self) == text)
    #expect(length == text.utf8.count)
  }

  @Test func everyControlByteSurvivesTheWayThereAndBack() {
    let text = Array(UInt8(0)...0x7F) + Array("äöü€😀".utf8)
    let raw = JSONStringText.encoded(text)
    var decoded: [UInt8] = []
    raw.withUnsafeBytes { JSONStringText.decode($0, 0..<$0.count, into: &decoded) }
    #expect(decoded == text)
    #expect(raw.allSatisfy { $0 >= 0x20 })
  }
}

@Suite struct DeltaCutsTests {
  private static func cuts(_ text: String, scalars: Int, count: Int?) -> [String] {
    var cuts = DeltaCuts(Array(text.utf8), scalars: scalars, count: count)
    var parts: [String] = []
    while let part = cuts.next() { parts.append(String(decoding: part, as: UTF8.self)) }
    return parts
  }

  @Test(arguments: ["", "a", "Grüße, 😀 an alle!", String(repeating: "ä€😀x", count: 50)])
  func partsJoinToTheTextAndCutNoScalar(text: String) {
    for scalars in 1...7 {
      let parts = Self.cuts(text, scalars: scalars, count: nil)
      #expect(parts.joined() == text)
      #expect(parts.dropLast().allSatisfy { $0.unicodeScalars.count == scalars })
    }
    for count in [1, 2, 3, 50, 1_000] {
      let parts = Self.cuts(text, scalars: 16, count: count)
      #expect(parts.joined() == text && parts.count == count)
    }
  }
}
