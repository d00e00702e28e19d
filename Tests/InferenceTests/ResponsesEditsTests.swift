import Foundation
import Inference
import JSONText
import Testing

@Suite struct ResponsesEditsTests {
  private func edited(_ body: String, _ edits: UpstreamEdits) throws -> (body: String, dropped: [String]) {
    try withBytes(body) { bytes in
      let scan = RequestScan()
      try scan.scan(bytes, route: .responses)
      var list = EditList()
      let dropped = scan.addEdits(edits, to: &list, body: bytes)
      let out = ByteArena()
      let isApplied = list.apply(to: bytes, into: out)
      #expect(isApplied)
      return (out.text, dropped)
    }
  }

  private static let hash = Array("9f86d081".utf8)

  private static let cases: [(String, UpstreamEdits, String, [String])] = [
    // Only the model changes; order, spaces, unknown members and number forms stay.
    (
      "{ \"x\" : 1.50 ,\n \"store\" : false, \"model\":\"alias\" , \"input\" : [{\"role\":\"user\",\"content\":\"\\u00e9\"}] , \"z\":{ } }",
      UpstreamEdits(model: "gpt-5"),
      "{ \"x\" : 1.50 ,\n \"store\" : false, \"model\":\"gpt-5\" , \"input\" : [{\"role\":\"user\",\"content\":\"\\u00e9\"}] , \"z\":{ } }",
      []
    ),
    // Absent means stored at the provider.
    (
      "{\"model\":\"a\",\"input\":\"x\"}", UpstreamEdits(model: "b"),
      "{\"model\":\"b\",\"input\":\"x\",\"store\":false}", []
    ),
    (
      "{\"store\": null,\"model\":\"a\",\"input\":\"x\"}", UpstreamEdits(model: "b"),
      "{\"store\": false,\"model\":\"b\",\"input\":\"x\"}", []
    ),
    (
      "{\"store\":true,\"model\":\"a\",\"input\":\"x\"}", UpstreamEdits(model: "b"),
      "{\"store\":false,\"model\":\"b\",\"input\":\"x\"}", ["store"]
    ),
    (
      "{\"store\":true,\"model\":\"a\",\"input\":\"x\"}", UpstreamEdits(model: "b", deniedFields: ["store"]),
      "{\"model\":\"b\",\"input\":\"x\"}", ["store"]
    ),
    // The limit that the reservation assumed; a stream is asked for nothing.
    (
      "{\"model\":\"a\",\"input\":\"x\",\"stream\":true,\"store\":false}",
      UpstreamEdits(model: "b", maxTokens: 100, maxTokensField: .maxTokens),
      "{\"model\":\"b\",\"input\":\"x\",\"stream\":true,\"store\":false,\"max_output_tokens\":100}", []
    ),
    (
      "{\"max_output_tokens\":500,\"model\":\"a\",\"input\":\"x\",\"store\":false}",
      UpstreamEdits(model: "b", maxTokens: 100),
      "{\"max_output_tokens\":100,\"model\":\"b\",\"input\":\"x\",\"store\":false}", []
    ),
    (
      "{\"max_output_tokens\" : 50,\"model\":\"a\",\"input\":\"x\",\"store\":false}",
      UpstreamEdits(model: "b", maxTokens: 100),
      "{\"max_output_tokens\" : 50,\"model\":\"b\",\"input\":\"x\",\"store\":false}", []
    ),
    (
      "{\"max_output_tokens\":null,\"model\":\"a\",\"input\":\"x\",\"store\":false}",
      UpstreamEdits(model: "b", maxTokens: 100),
      "{\"max_output_tokens\":100,\"model\":\"b\",\"input\":\"x\",\"store\":false}", []
    ),
    // Persons, metadata, denied fields.
    (
      "{\"user\":\"Max\",\"model\":\"a\",\"safety_identifier\":null,\"input\":\"x\",\"metadata\":{\"k\":\"v\"},\"store\":false}",
      UpstreamEdits(model: "b", userHash: hash),
      "{\"user\":\"9f86d081\",\"model\":\"b\",\"safety_identifier\":\"9f86d081\",\"input\":\"x\",\"store\":false}",
      ["metadata"]
    ),
    (
      "{\"model\":\"a\",\"input\":\"x\",\"store\":false,\"truncation\":\"auto\",\"user\":\"Max\",\"metadata\":null}",
      UpstreamEdits(model: "b", deniedFields: ["truncation", "text"]),
      "{\"model\":\"b\",\"input\":\"x\",\"store\":false}", ["truncation"]
    ),
  ]

  @Test(arguments: 0..<cases.count)
  func changesOnlyWhatItMust(number: Int) throws {
    let (body, edits, result, dropped) = Self.cases[number]
    let found = try edited(body, edits)
    #expect(found.body == result)
    #expect(found.dropped == dropped)
  }

  /// All orders of the edited members, with all edits on: always valid, always the same content.
  @Test func anyOrderOfMembersStaysValid() throws {
    let members = [
      "\"model\":\"a\"", "\"input\":[{\"role\":\"user\",\"content\":\"x\"}]", "\"stream\":true", "\"user\":\"u\"",
      "\"metadata\":{}", "\"max_output_tokens\":9", "\"safety_identifier\":\"s\"", "\"store\":true",
    ]
    var random = SeededGenerator(seed: 5)
    for _ in 0..<300 {
      let body = "{" + members.shuffled(using: &random).joined(separator: ",") + "}"
      let result = try edited(body, UpstreamEdits(model: "b", maxTokens: 5)).body
      #expect(refusal(of: result, route: .responses) == nil, "\(result)")
      for part in ["\"model\":\"b\"", "\"max_output_tokens\":5", "\"store\":false", "\"stream\":true"] {
        #expect(result.contains(part), "\(result)")
      }
      for part in ["\"user\":", "metadata", "safety"] { #expect(!result.contains(part), "\(result)") }
    }
  }

  private func echo(_ members: String) throws -> String {
    let body = "{\"model\":\"m\",\"input\":\"x\"\(members)}"
    return try withBytes(body) { bytes in
      let scan = RequestScan()
      try scan.scan(bytes, route: .responses)
      return String(decoding: scan.responsesEcho(of: bytes), as: UTF8.self)
    }
  }

  private static let usual =
    #""background":false,"instructions":null,"max_output_tokens":null,"max_tool_calls":null,"metadata":{},"parallel_tool_calls":true,"prompt_cache_key":null,"reasoning":{"effort":null,"summary":null},"service_tier":"default","temperature":1.0,"text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[],"top_logprobs":0,"top_p":1.0,"truncation":"disabled","previous_response_id":null,"safety_identifier":null,"store":false,"user":null,"#

  @Test func anAnswerRepeatsTheDefaults() throws {
    #expect(try echo("") == Self.usual)
    #expect(
      try echo(",\"user\":\"Max\",\"safety_identifier\":\"Max\",\"store\":true,\"tools\":null,\"temperature\":null")
        == Self.usual)
  }

  @Test func anAnswerRepeatsWhatWasAsked() throws {
    let found = try echo(
      ",\"instructions\":\"Be \\\"brief\\\"\",\"max_output_tokens\":77,\"metadata\":{\"k\":\"v\"},\"tools\": [\n {\"type\":\"function\",\r\n\"name\":\"f\"}\n] ,\"temperature\":0.30,\"tool_choice\":\"none\",\"parallel_tool_calls\":false,\"text\":{\"verbosity\":\"low\"}"
    )
    #expect(
      found
        == Self.usual.replacing("\"instructions\":null", with: "\"instructions\":\"Be \\\"brief\\\"\"")
        .replacing("\"max_output_tokens\":null", with: "\"max_output_tokens\":77")
        .replacing("\"metadata\":{}", with: "\"metadata\":{\"k\":\"v\"}")
        .replacing("\"tools\":[]", with: "\"tools\":[  {\"type\":\"function\",  \"name\":\"f\"} ]")
        .replacing("1.0,\"text\":{\"format\":{\"type\":\"text\"}}", with: "0.30,\"text\":{\"verbosity\":\"low\"}")
        .replacing("\"tool_choice\":\"auto\"", with: "\"tool_choice\":\"none\"")
        .replacing("\"parallel_tool_calls\":true", with: "\"parallel_tool_calls\":false"))
    #expect((try? JSONSerialization.jsonObject(with: Data("{\(found)\"id\":1}".utf8))) != nil)
  }
}
