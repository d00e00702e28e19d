import Inference
import Testing

@testable import Gateway

/// The one attempt that finds out whether a provider is back: others need not wait until its answer is complete.
struct ProbeTests {
  /// A gate whose only provider has failed until it was taken out, at the time when it may be asked again.
  private static func halfOpen() throws -> TestGate {
    var setup = GateSetup()
    setup.limits.attempts = 1
    let gate = try TestGate(setup)
    for _ in 0..<5 { Self.fail(gate) }
    gate.clock.advance(milliseconds: 5_001)
    return gate
  }

  private static func fail(_ gate: TestGate) {
    let client = gate.send(gate.chat(Specimens.chat()))
    gate.answer(500, Specimens.refused)
    gate.finish(client)
  }

  /// Whether another request is let through now.
  private static func isOpen(_ gate: TestGate) -> Bool {
    let before = gate.upstream.sent.count
    gate.send(gate.chat(Specimens.chat()))
    return gate.upstream.sent.count > before
  }

  @Test(arguments: [
    (200, true), (400, true), (401, true), (404, true), (408, false), (429, false), (499, true), (500, false),
    (503, false),
  ])
  func theHeadTellsWhetherAProviderIsBack(status: Int, isBack: Bool) throws {
    let gate = try Self.halfOpen()
    gate.send(gate.chat(Specimens.chat()))
    #expect(!Self.isOpen(gate), "nothing has come")
    gate.head(status)
    #expect(Self.isOpen(gate) == isBack)
  }

  @Test func aStreamThatBeginsLetsTheOthersThrough() throws {
    let gate = try Self.halfOpen()
    let client = gate.send(gate.chat(Specimens.chat(stream: true)))
    gate.head(200, .eventStream)
    let probe = try #require(gate.upstream.sent.last).exchange
    #expect(Self.isOpen(gate) && Self.isOpen(gate))
    // Its end brings nothing new.
    gate.pipeline.upstream(probe, ended: .cut)
    gate.finish(client)
    #expect(client.errorCode == "upstream_cut" && Self.isOpen(gate))
  }

  /// What nobody can read is no answer.
  @Test(arguments: [true, false]) func anUnreadableHeadIsAFailure(isEncoded: Bool) throws {
    let gate = try Self.halfOpen()
    gate.send(gate.chat(Specimens.chat(stream: true)))
    let probe = try #require(gate.upstream.sent.last).exchange
    var head = UpstreamHead()
    head.status = 200
    head.kind = isEncoded ? .eventStream : .other
    head.isEncoded = isEncoded
    gate.pipeline.upstream(probe, answered: head)
    #expect(!Self.isOpen(gate))
    gate.clock.advance(milliseconds: 5_001)
    #expect(!Self.isOpen(gate), "for twice as long")
  }

  /// Answers that are cut count for a closed breaker as before, the first probe's too.
  @Test func cutAnswersTakeAProviderOutAgain() throws {
    let gate = try Self.halfOpen()
    for _ in 0..<5 {
      let client = gate.send(gate.chat(Specimens.chat(stream: true)))
      gate.head(200, .eventStream)
      gate.piece(Specimens.content("Guten"))
      gate.end(.cut)
      gate.finish(client)
      #expect(client.errorCode == "upstream_cut")
    }
    #expect(!Self.isOpen(gate))
  }

  /// A success that was told when it began is not told again: it would break a row of failures.
  @Test func aSuccessIsToldOnce() throws {
    let gate = try Self.halfOpen()
    let client = gate.send(gate.chat(Specimens.chat()))
    let probe = try #require(gate.upstream.sent.last).exchange
    gate.head(200)
    for _ in 0..<4 { Self.fail(gate) }
    Array(Specimens.plain().utf8).withUnsafeBytes { gate.pipeline.upstream(probe, sent: $0) }
    gate.pipeline.upstream(probe, ended: .complete)
    gate.finish(client)
    #expect(client.status == 200)
    Self.fail(gate)
    #expect(!Self.isOpen(gate), "five in a row")
  }
}
