import Inference
import Routing
import Testing

@testable import Gateway

/// A request goes only to a model that can do what it needs, where that is known.
struct CapabilityTests {
  static let tool = #""tools":[{"type":"function","function":{"name":"f"}}],"#
  static let schema = #""response_format":{"type":"json_schema","json_schema":{"name":"s","schema":{}}},"#

  private static func gate(_ capabilities: [ModelCapabilities?], _ change: (inout GateSetup) -> Void = { _ in }) throws
    -> TestGate
  {
    var setup = GateSetup()
    setup.redacts = false
    setup.candidates = zip(["first", "second"], capabilities).map { name, capabilities in
      GateSetup.Candidate(provider: name, capabilities: capabilities)
    }
    change(&setup)
    return try TestGate(setup)
  }

  private static func providers(_ gate: TestGate) -> [String] { gate.upstream.sent.map(\.target.provider) }

  @Test(
    arguments: [
      ("", "first"), (tool, "second"), (schema, "second"), (#""reasoning_effort":"high","#, "second"),
      (#""reasoning_effort":"none","#, "first"), (#""reasoning_effort":null,"#, "first"),
      (#""response_format":{"type":"json_object"},"#, "first"), (#""response_format":{"json_schema":null},"#, "first"),
    ])
  func aCandidateThatCannotIsPassedOver(members: String, provider: String) throws {
    let gate = try Self.gate([[], nil])
    gate.send(gate.chat(Specimens.chat(more: members)))
    #expect(Self.providers(gate) == [provider])
  }

  @Test func anImageNeedsAModelThatSees() throws {
    let gate = try Self.gate([[.tools], [.images]])
    let part = #"{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}"#
    gate.send(gate.chat(#"{"model":"chat","messages":[{"role":"user","content":[\#(part)]}]}"#))
    #expect(Self.providers(gate) == ["second"])
  }

  @Test func whereNobodyCanTheClientIsToldWhat() throws {
    let gate = try Self.gate([[.images], []])
    let client = gate.send(gate.chat(Specimens.chat(more: Self.tool)))
    #expect(client.status == 400 && client.errorCode == "invalid_value" && Self.providers(gate).isEmpty)
    #expect(client.text.contains("tools") && !client.text.contains("first"))
    #expect(try gate.books().open == 0)
  }

  @Test func complianceComesFirst() throws {
    let gate = try Self.gate([[], [.tools]]) { $0.candidates[1].country = "US" }
    let client = gate.send(gate.chat(Specimens.chat(more: Self.tool)))
    #expect(client.status == 400, "the only one that policy allows cannot")
    #expect(!client.text.contains("second"))
  }

  @Test func theSecondAttemptMustBeAbleToo() throws {
    let gate = try Self.gate([nil, []])
    let client = gate.send(gate.chat(Specimens.chat(more: Self.tool)))
    gate.answer(500, Specimens.refused)
    gate.finish(client)
    #expect(Self.providers(gate) == ["first"] && client.status == 502)
  }
}
