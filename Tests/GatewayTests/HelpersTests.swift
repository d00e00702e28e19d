import Dispatch
import Foundation
import Inference
import Quotas
import Redaction
import Routing
import SealedLog
import Testing

@testable import Gateway

/// Large bodies are worked on by other threads: their loop goes on meanwhile, and nothing else differs.
struct HelpersTests {
  private static let size = 4096

  private func setup(_ change: (inout GateSetup) -> Void = { _ in }) -> GateSetup {
    var setup = GateSetup()
    setup.limits.ownWorkBytes = 1024
    setup.limits.shortWorkBytes = 64 * 1024
    setup.limits.ownCopyBytes = 2048
    setup.hasHelpers = true
    change(&setup)
    return setup
  }

  private static let long = "\(Specimens.mail) " + String(repeating: "Frist ", count: size / 6)

  @Test func aLargeBodyIsRedactedByAHelperAndTheAnswerRestored() throws {
    let gate = try TestGate(setup())
    let client = gate.send(gate.chat(Specimens.chat(Self.long)))
    #expect(gate.upstream.sent.isEmpty, "the loop has done nothing of it")
    #expect(gate.takeBack { gate.upstream.sent.count == 1 })
    let sent = try #require(gate.upstream.sent.first)
    #expect(!sent.text.contains(Specimens.mail) && sent.text.contains("[EMAIL_"))
    let placeholder = String(
      sent.text[try #require(sent.text.range(of: #"\[EMAIL_[0-9a-z]+\]"#, options: .regularExpression))])
    gate.answer(200, Specimens.plain("An \(placeholder): " + String(repeating: "gut ", count: 1000)))
    #expect(gate.takeBack { sent.exchange.stage == .settle })
    gate.finish(client)
    #expect(client.status == 200 && client.text.contains("An \(Specimens.mail): gut"))
    let record = try gate.lastRecord()
    #expect(try RequestPayload(record.request ?? []).body == sent.body, "the record holds what was sent")
    #expect(String(decoding: record.response ?? [], as: UTF8.self).contains(placeholder))
    let books = try gate.books()
    #expect(books.open == 0 && books.unbalanced == 0 && gate.pipeline.openExchanges == 0)
  }

  @Test(arguments: [
    "{\"model\":\"chat\",\"messages\":[{\"role\":\"user\",\"content\":\"\(long)",
    "{\"model\":\"other\",\"messages\":[{\"role\":\"user\",\"content\":\"\(long)\"}]}",
    "{\"model\":\"chat\",\"service_tier\":\"flex\",\"messages\":[{\"role\":\"user\",\"content\":\"\(long)\"}]}",
    "{\"model\":\"chat\",\"messages\":[{\"role\":\"user\",\"content\":\"\(long)\"}]}",
  ]) func aRefusalIsTheSameAsTheLoops(body: String) throws {
    var refusals: [[String?]] = []
    for hasHelpers in [false, true] {
      let gate = try TestGate(
        setup {
          $0.hasHelpers = hasHelpers
          $0.action = .block
        })
      let client = gate.send(gate.chat(body))
      #expect(client.isOver == !hasHelpers)
      #expect(gate.takeBack { client.isOver })
      #expect(gate.upstream.sent.isEmpty && gate.pipeline.openExchanges == 0 && client.status >= 400)
      refusals.append([String(client.status), client.errorCode])
    }
    #expect(refusals[0] == refusals[1])
  }

  /// Holds its thread until it is let go.
  private final class StuckPatterns: PatternSet {
    let reached = DispatchSemaphore(value: 0)
    let gate = DispatchSemaphore(value: 0)
    var count: Int { 1 }
    func match(_ text: UnsafeRawBufferPointer, into hits: inout [PatternHit]) {
      guard text.count > HelpersTests.size / 2 else { return }
      reached.signal()
      gate.wait()
    }
  }

  @Test func theLoopServesOthersMeanwhile() throws {
    let patterns = StuckPatterns()
    let gate = try TestGate(setup { $0.patterns = patterns })
    gate.send(gate.chat(Specimens.chat(Self.long)))
    patterns.reached.wait()
    gate.send(gate.chat(Specimens.chat("kurz")))
    #expect(gate.upstream.sent.count == 1)
    patterns.gate.signal()
    #expect(gate.takeBack { gate.upstream.sent.count == 2 })
  }

  /// One helper takes nothing long, so what is not quite small does not stand behind all that is large.
  @Test func shortWorkDoesNotWaitForAllThatIsLong() throws {
    let patterns = StuckPatterns()
    let gate = try TestGate(
      setup {
        $0.patterns = patterns
        $0.limits.shortWorkBytes = 2000
      })
    for _ in 0..<3 { gate.send(gate.chat(Specimens.chat(Self.long))) }
    patterns.reached.wait()
    gate.send(gate.chat(Specimens.chat(String(repeating: "x", count: 1500))))
    #expect(gate.takeBack { gate.upstream.sent.count == 1 })
    for _ in 0..<3 { patterns.gate.signal() }
    #expect(gate.takeBack { gate.upstream.sent.count == 4 })
  }

  @Test func aClientThatGoesMeanwhileHasNothingSent() throws {
    let patterns = StuckPatterns()
    let gate = try TestGate(setup { $0.patterns = patterns })
    let (exchange, client, _) = gate.begin(gate.chat(Specimens.chat(Self.long)))
    #expect(gate.pipeline.hold(exchange, bodyBytes: Self.size))
    gate.pipeline.run(exchange)
    patterns.reached.wait()
    gate.pipeline.clientGone(exchange)
    gate.pipeline.tick()
    #expect(gate.pipeline.openExchanges == 1, "a helper has it")
    patterns.gate.signal()
    #expect(gate.takeBack { gate.pipeline.openExchanges == 0 })
    #expect(gate.upstream.sent.isEmpty && !client.isOver && gate.pipeline.bodies.held == 0)
    #expect(try gate.books().metas.map(\.status) == [499])
  }

  /// The exchange of one that has gone is another request's by then: nothing of the first may come to it.
  @Test func whatComesBackTooLateIsNobodys() throws {
    let gate = try TestGate(setup())
    let (exchange, _, _) = gate.begin(gate.chat(Specimens.chat(Self.long)))
    let ticket = exchange.ticket
    gate.pipeline.run(exchange)
    #expect(gate.takeBack { gate.upstream.sent.count == 1 })
    gate.pipeline.returned(ticket)
    gate.pipeline.returned(ticket &+ 1 << 32)
    #expect(gate.upstream.sent.count == 1)
  }

  @Test func aStopRefusesWhatIsLent() throws {
    let patterns = StuckPatterns()
    let gate = try TestGate(setup { $0.patterns = patterns })
    let client = gate.send(gate.chat(Specimens.chat(Self.long)))
    patterns.reached.wait()
    gate.pipeline.endAll()
    #expect(!client.isOver)
    patterns.gate.signal()
    #expect(gate.takeBack { client.isOver })
    #expect(client.status == 503 && gate.upstream.sent.isEmpty && gate.pipeline.openExchanges == 0)
  }

  /// The answer was paid for: it is read for its usage, though nobody gets it.
  @Test func anAnswerWhoseClientGoesWhileItIsReadIsSettledByItsUsage() throws {
    let gate = try TestGate(setup())
    gate.send(gate.chat(Specimens.chat(Self.long)))
    #expect(gate.takeBack { gate.upstream.sent.count == 1 })
    let exchange = try #require(gate.upstream.sent.first?.exchange)
    gate.answer(200, Specimens.plain(String(repeating: "gut ", count: 1000)))
    #expect(exchange.lent != nil && gate.awaitWithheldReturn())
    gate.pipeline.clientGone(exchange)
    gate.pipeline.endAll()
    #expect(gate.takeBack { exchange.lent == nil })
    let books = try gate.books()
    #expect(books.open == 0 && books.unbalanced == 0 && gate.pipeline.openExchanges == 0)
    #expect(books.metas.map(\.status) == [499] && books.metas.first?.tokens.input == 12)
  }

  @Test func anotherAttemptIsWrittenAndRedactedAnew() throws {
    let gate = try TestGate(
      setup { $0.candidates = [.init(provider: "first"), .init(provider: "second")] })
    let client = gate.send(gate.chat(Specimens.chat(Self.long)))
    #expect(gate.takeBack { gate.upstream.sent.count == 1 })
    gate.answer(503, Specimens.refused)
    #expect(gate.takeBack { gate.upstream.sent.count == 2 })
    let (first, second) = (gate.upstream.sent[0].text, gate.upstream.sent[1].text)
    #expect(second == first.replacing("first-model", with: "second-model"))
    gate.answer(200, Specimens.plain())
    gate.finish(client)
    #expect(client.status == 200)
  }

  @Test func aRequestThatIsClampedIsWrittenAnew() throws {
    let gate = try TestGate(
      setup {
        $0.tokensPerDay = 2_500
        $0.plan.outputTokens = 1_000
        $0.plan.clamp = .always
        $0.limits.ownCopyBytes = 1 << 20
      })
    let client = gate.send(gate.chat(Specimens.chat(String(repeating: "x ", count: 800))))
    #expect(gate.takeBack { gate.upstream.sent.count == 1 || client.isOver })
    #expect(gate.upstream.sent.first?.text.contains(#""max_completion_tokens":256"#) == true)
  }

  @Test func afterTheHelpersHaveStoppedTheLoopWorksItself() throws {
    let gate = try TestGate(setup())
    gate.stopHelpers()
    gate.send(gate.chat(Specimens.chat(Self.long)))
    #expect(gate.upstream.sent.count == 1)
  }
}
