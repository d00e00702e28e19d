import Inference
import JSONText
import Testing

@Suite struct UpstreamEditsTests {
  private func edited(
    _ body: String, _ edits: UpstreamEdits, route: InferenceRoute = .chat
  ) throws -> (body: String, dropped: [String]) {
    try withBytes(body) { bytes in
      let scan = RequestScan()
      try scan.scan(bytes, route: route)
      var list = EditList()
      let dropped = scan.addEdits(edits, to: &list)
      let out = ByteArena()
      let isApplied = list.apply(to: bytes, into: out)
      #expect(isApplied)
      let isJSON = (try? JSONCursor.validate(out.bytes)) != nil
      #expect(isJSON, "\(out.text)")
      return (out.text, dropped)
    }
  }

  private static let hash = Array("9f86d081".utf8)

  private static let cases: [(String, UpstreamEdits, String)] = [
    // Only the model changes; order, spaces, unknown members and number forms stay.
    (
      "{ \"x\" : 1.50 ,\n \"model\":\"alias\" , \"messages\" : [{\"role\":\"user\",\"content\":\"\\u00e9\"}] , \"z\":{ } }",
      UpstreamEdits(model: "gpt-5"),
      "{ \"x\" : 1.50 ,\n \"model\":\"gpt-5\" , \"messages\" : [{\"role\":\"user\",\"content\":\"\\u00e9\"}] , \"z\":{ } }"
    ),
    (
      "{\"model\":\"a\",\"messages\":[{\"role\":\"user\"}],\"stream\":true}", UpstreamEdits(model: "b"),
      "{\"model\":\"b\",\"messages\":[{\"role\":\"user\"}],\"stream\":true,\"stream_options\":{\"include_usage\":true}}"
    ),
    (
      "{\"model\":\"a\",\"messages\":[{\"role\":\"user\"}],\"stream\":true}",
      UpstreamEdits(model: "b", includeUsage: false),
      "{\"model\":\"b\",\"messages\":[{\"role\":\"user\"}],\"stream\":true}"
    ),
    (
      "{\"stream\":true,\"stream_options\":{\"include_usage\":false},\"model\":\"a\",\"messages\":[{\"role\":\"user\"}]}",
      UpstreamEdits(model: "b"),
      "{\"stream\":true,\"stream_options\":{\"include_usage\":true},\"model\":\"b\",\"messages\":[{\"role\":\"user\"}]}"
    ),
    (
      "{\"stream\":true,\"stream_options\":{ },\"model\":\"a\",\"messages\":[{\"role\":\"user\"}]}",
      UpstreamEdits(model: "b"),
      "{\"stream\":true,\"stream_options\":{\"include_usage\":true },\"model\":\"b\",\"messages\":[{\"role\":\"user\"}]}"
    ),
    (
      "{\"stream\":true,\"stream_options\":{\"include_obfuscation\":false},\"model\":\"a\",\"messages\":[{\"role\":\"user\"}]}",
      UpstreamEdits(model: "b"),
      "{\"stream\":true,\"stream_options\":{\"include_usage\":true,\"include_obfuscation\":false},\"model\":\"b\",\"messages\":[{\"role\":\"user\"}]}"
    ),
    (
      "{\"stream\":true,\"stream_options\":null,\"model\":\"a\",\"messages\":[{\"role\":\"user\"}]}",
      UpstreamEdits(model: "b"),
      "{\"stream\":true,\"stream_options\":{\"include_usage\":true},\"model\":\"b\",\"messages\":[{\"role\":\"user\"}]}"
    ),
    // The limit: absent, higher, lower, in the other member, in both.
    (
      "{\"model\":\"a\",\"messages\":[{\"role\":\"user\"}]}", UpstreamEdits(model: "b", maxTokens: 100),
      "{\"model\":\"b\",\"messages\":[{\"role\":\"user\"}],\"max_completion_tokens\":100}"
    ),
    (
      "{\"max_completion_tokens\":500,\"model\":\"a\",\"messages\":[{\"role\":\"user\"}]}",
      UpstreamEdits(model: "b", maxTokens: 100),
      "{\"max_completion_tokens\":100,\"model\":\"b\",\"messages\":[{\"role\":\"user\"}]}"
    ),
    (
      "{\"max_completion_tokens\": 50,\"model\":\"a\",\"messages\":[{\"role\":\"user\"}]}",
      UpstreamEdits(model: "b", maxTokens: 100),
      "{\"max_completion_tokens\": 50,\"model\":\"b\",\"messages\":[{\"role\":\"user\"}]}"
    ),
    (
      "{\"max_tokens\":50,\"model\":\"a\",\"messages\":[{\"role\":\"user\"}]}",
      UpstreamEdits(model: "b", maxTokens: 100),
      "{\"model\":\"b\",\"messages\":[{\"role\":\"user\"}],\"max_completion_tokens\":50}"
    ),
    (
      "{\"model\":\"a\",\"messages\":[{\"role\":\"user\"}],\"max_completion_tokens\":500,\"max_tokens\":null}",
      UpstreamEdits(model: "b", maxTokens: 100, maxTokensField: .maxTokens),
      "{\"model\":\"b\",\"messages\":[{\"role\":\"user\"}],\"max_tokens\":100}"
    ),
    (
      "{\"model\":\"a\",\"max_tokens\":70,\"messages\":[{\"role\":\"user\"}],\"max_completion_tokens\":60}",
      UpstreamEdits(model: "b", maxTokens: 100),
      "{\"model\":\"b\",\"messages\":[{\"role\":\"user\"}],\"max_completion_tokens\":60}"
    ),
    (
      "{\"model\":\"a\",\"messages\":[{\"role\":\"user\"}],\"max_tokens\":70}", UpstreamEdits(model: "b"),
      "{\"model\":\"b\",\"messages\":[{\"role\":\"user\"}],\"max_completion_tokens\":70}"
    ),
    // Persons and metadata.
    (
      "{\"user\":\"Max\",\"model\":\"a\",\"safety_identifier\":null,\"messages\":[{\"role\":\"user\"}]}",
      UpstreamEdits(model: "b", userHash: hash),
      "{\"user\":\"9f86d081\",\"model\":\"b\",\"safety_identifier\":\"9f86d081\",\"messages\":[{\"role\":\"user\"}]}"
    ),
    (
      "{ \"user\":\"Max\" , \"metadata\":{\"a\":1}, \"model\":\"a\",\"messages\":[{\"role\":\"user\"}] , \"safety_identifier\":\"x\" }",
      UpstreamEdits(model: "b"), "{ \"model\":\"b\",\"messages\":[{\"role\":\"user\"}] }"
    ),
    (
      "{\"model\":\"a\",\"messages\":[{\"role\":\"user\"}],\"store\":true}", UpstreamEdits(model: "b"),
      "{\"model\":\"b\",\"messages\":[{\"role\":\"user\"}],\"store\":false}"
    ),
    (
      "{\"messages\":[{\"role\":\"user\"}],\"model\":\"a\"}", UpstreamEdits(model: "we\"ird\\"),
      "{\"messages\":[{\"role\":\"user\"}],\"model\":\"we\\\"ird\\\\\"}"
    ),
    // Everything at once, at the end of the object.
    (
      "{\"messages\":[{\"role\":\"user\"}],\"model\":\"a\",\"stream\":true,\"user\":\"Max\",\"metadata\":{},\"max_tokens\":9}",
      UpstreamEdits(model: "b", maxTokens: 5),
      "{\"messages\":[{\"role\":\"user\"}],\"model\":\"b\",\"stream\":true,\"stream_options\":{\"include_usage\":true},\"max_completion_tokens\":5}"
    ),
  ]

  @Test(arguments: 0..<cases.count)
  func changesOnlyWhatItMust(number: Int) throws {
    let (body, edits, result) = Self.cases[number]
    #expect(try edited(body, edits).body == result)
  }

  @Test func namesWhatIsDropped() throws {
    let body =
      "{\"model\":\"a\",\"messages\":[{\"role\":\"user\"}],\"metadata\":{\"x\":\"y\"},\"store\":true,\"user\":\"u\"}"
    #expect(try edited(body, UpstreamEdits(model: "b")).dropped == ["metadata", "store"])
    #expect(
      try edited("{\"model\":\"a\",\"messages\":[{\"role\":\"user\"}],\"metadata\":null}", UpstreamEdits(model: "b"))
        .dropped == [])
  }

  @Test func embeddingsKeepTheirBody() throws {
    let body = "{\"input\":[\"a\"],\"user\":\"u\",\"model\":\"a\",\"dimensions\":64,\"max_tokens\":5,\"stream\":true}"
    #expect(
      try edited(body, UpstreamEdits(model: "b", maxTokens: 3, userHash: Self.hash), route: .embeddings).body
        == "{\"input\":[\"a\"],\"user\":\"9f86d081\",\"model\":\"b\",\"dimensions\":64,\"max_tokens\":5,\"stream\":true}"
    )
  }

  /// All orders of the edited members, with all edits on: always valid, always the same content.
  @Test func anyOrderOfMembersStaysValid() throws {
    let members = [
      "\"model\":\"a\"", "\"messages\":[{\"role\":\"user\"}]", "\"stream\":true", "\"user\":\"u\"", "\"metadata\":{}",
      "\"max_tokens\":9", "\"max_completion_tokens\":8", "\"safety_identifier\":\"s\"", "\"store\":true",
    ]
    var random = SeededGenerator(seed: 3)
    for _ in 0..<500 {
      let body = "{" + members.shuffled(using: &random).joined(separator: ",") + "}"
      let result = try edited(body, UpstreamEdits(model: "b", maxTokens: 5)).body
      for part in ["\"model\":\"b\"", "\"max_completion_tokens\":5", "\"include_usage\":true", "\"store\":false"] {
        #expect(result.contains(part), "\(result)")
      }
      for part in ["\"user\":", "metadata", "max_tokens\"", "safety"] { #expect(!result.contains(part), "\(result)") }
    }
  }

  /// Redaction's edits and ours go into one list.
  @Test func editsOfSegmentsDoNotOverlap() throws {
    let body =
      "{\"user\":\"Max\",\"metadata\":{\"k\":\"Max\"},\"messages\":[{\"role\":\"user\",\"content\":\"Max\",\"x\":\"Max\"}],\"model\":\"a\",\"stream\":true,\"stream_options\":{\"Max\":\"Max\"}}"
    try withBytes(body) { bytes in
      let scan = RequestScan()
      try scan.scan(bytes, route: .chat)
      var list = EditList()
      for segment in scan.segments { list.replace(segment.start, segment.end, with: "[P]") }
      _ = scan.addEdits(UpstreamEdits(model: "b", userHash: Self.hash), to: &list)
      let out = ByteArena()
      let isApplied = list.apply(to: bytes, into: out)
      #expect(isApplied)
      #expect(!out.text.contains("Max"))
      #expect(refusal(of: out.text) == nil)
    }
  }
}
