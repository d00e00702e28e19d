import Inference
import Quotas
import Routing
import Tenancy
import Testing

@testable import Gateway

/// What providers do wrong is counted by its cause, and told to the operator where somebody must act.
struct ProviderFaultsTests {
  private static let wrongKey = #"{"error":{"message":"Incorrect API key","code":"invalid_api_key"}}"#

  private static func gate() throws -> TestGate {
    var setup = GateSetup()
    setup.limits.attempts = 1
    return try TestGate(setup)
  }

  @Test func aRefusedCredentialIsReportedOnce() throws {
    let gate = try Self.gate()
    for _ in 0..<2 {
      let client = gate.send(gate.chat(Specimens.chat()))
      gate.answer(401, Self.wrongKey)
      gate.finish(client)
      #expect(client.status == 502 && client.errorCode == "upstream_auth")
    }
    let faults = gate.pipeline.services.providerFaults
    let counts = faults.counts
    let provider = try #require(counts.first).cause.provider
    #expect(counts.map(\.cause.code) == ["upstream_auth"] && counts.map(\.count) == [2])
    #expect(
      faults.takeReport() == [
        "provider '\(provider)' refused 2 requests by upstream_auth (invalid_api_key): "
          + "look at its credential, account and address"
      ])
    #expect(faults.takeReport().isEmpty)
    #expect(faults.counts.map(\.count) == [2], "what was reported is counted on")
  }

  /// Nobody must be woken for what passes, nor is it the provider's fault what a client has asked for.
  @Test func whatPassesIsCountedAndWhatTheClientHasDoneIsNot() throws {
    let gate = try Self.gate()
    for status in [500, 429, 400] {
      let client = gate.send(gate.chat(Specimens.chat()))
      gate.answer(status, Specimens.refused)
      gate.finish(client)
      gate.clock.advance(milliseconds: 120_000)  // beyond any rest that was asked for
    }
    let client = gate.send(gate.chat(Specimens.chat()))
    gate.end(.cut)
    gate.finish(client)
    let faults = gate.pipeline.services.providerFaults
    #expect(faults.counts.map(\.cause.code) == ["upstream_cut", "upstream_error", "upstream_rate_limited"])
    #expect(faults.counts.map(\.count) == [1, 1, 1] && faults.takeReport().isEmpty)
  }

  /// The client has read half an answer: no other provider is asked, but whose account is empty must be known.
  @Test(arguments: [
    ("insufficient_quota", "insufficient_quota", "upstream_quota", true),
    ("server_error", "server_error", "upstream_error", false),
  ])
  func anErrorInsideOfAStreamIsCountedToo(type: String, code: String, cause: String, isReported: Bool) throws {
    let gate = try Self.gate()
    let client = gate.send(gate.chat(Specimens.chat(stream: true)))
    gate.head(200, .eventStream)
    gate.piece(Specimens.content("Grüezi"))
    gate.piece(#"data: {"error":{"message":"No.","type":"\#(type)","param":null,"code":"\#(code)"}}"# + "\n\n")
    gate.finish(client)
    let faults = gate.pipeline.services.providerFaults
    #expect(faults.counts.map(\.cause.code) == [cause] && faults.counts.map(\.count) == [1], "\(client.text)")
    #expect(faults.takeReport().count == (isReported ? 1 : 0))
  }

  @Test func whatIsWrongWithTheRequestIsNotCountedInAStreamEither() throws {
    let gate = try Self.gate()
    let client = gate.send(gate.chat(Specimens.chat(stream: true)))
    gate.head(200, .eventStream)
    gate.piece(Specimens.content("Grüezi"))
    gate.piece(#"data: {"error":{"message":"No.","type":"invalid_request_error","code":"content_filter"}}"# + "\n\n")
    gate.finish(client)
    #expect(gate.pipeline.services.providerFaults.counts.isEmpty, "\(client.text)")
  }

  @Test func aModelThatNobodyCanBeCalledForSaysSoAndForbidsRetries() throws {
    let gate = try Self.gate()
    let empty = ModelRoute(alias: "chat", order: .listed, candidates: [], created: 1)
    gate.snapshots.swap(try gate.snapshot(models: ["chat": empty]))
    let client = gate.send(gate.chat(Specimens.chat()))
    #expect(client.status == 503 && client.errorCode == "no_route")
    #expect(client.value("x-should-retry") == "false" && client.value("retry-after") == nil)
    #expect(gate.upstream.sent.isEmpty && gate.quotas.openReservations == 0)
  }

  @Test func limitsHaveNamesOfTheirOwn() {
    #expect(Set(FiredLimit.allCases.map(\.name)).count == FiredLimit.allCases.count)
    let counters = LoopCounters()
    for limit in FiredLimit.allCases { for _ in 0...limit.rawValue { counters.fired(limit) } }
    var reading = LoopCounters.Reading()
    counters.add(to: &reading)
    #expect(reading.fired == FiredLimit.allCases.map { UInt64($0.rawValue + 1) })
  }
}
