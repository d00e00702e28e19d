import Foundation
import Inference
import Quotas
import Routing
import Testing

@testable import Gateway

/// Answers that ask too much of us, and whose doing that is.
struct AnswerBoundTests {
  /// Twelve times as long as what stands for it.
  private static let mail =
    "anna@" + Array(repeating: String(repeating: "a", count: 60), count: 3).joined(separator: ".") + ".example"

  private static func gate(_ change: (inout GateSetup) -> Void = { _ in }) throws -> TestGate {
    var setup = GateSetup()
    setup.limits.attempts = 1
    change(&setup)
    return try TestGate(setup)
  }

  /// Sends a request with an address and gives back what stands for it many times.
  private static func echo(_ gate: TestGate, times: Int, stream: Bool) throws -> RecordingClient {
    let client = gate.send(gate.chat(Specimens.chat("Schreibe an \(mail).", stream: stream)))
    let sent = try #require(gate.upstream.sent.last).text
    #expect(!sent.contains(mail))
    let placeholder = try #require(sent.firstMatch(of: /\[EMAIL_[0-9a-z]{8}\]/)).output
    let text = String(repeating: placeholder + " ", count: times)
    if stream {
      gate.head(200, .eventStream)
      gate.piece(Specimens.stream([text]))
      gate.end(.complete)
    } else {
      gate.answer(200, Specimens.plain(text))
    }
    gate.finish(client)
    return client
  }

  /// A few bytes of an answer can stand for very many.
  @Test(arguments: [false, true]) func whatIsPutBackHasABound(stream: Bool) throws {
    let gate = try Self.gate {
      $0.limits.answerBytes = 10_000
      $0.limits.heldStreamBytes = 10_000
    }
    let good = try Self.echo(gate, times: 40, stream: stream)
    #expect(good.status == 200 && good.text.components(separatedBy: Self.mail).count == 41)
    for _ in 0..<6 {
      let client = try Self.echo(gate, times: 60, stream: stream)
      #expect(client.errorCode == "invalid_value" && client.bytes.count < 30_000, "\(client.text.prefix(300))")
      #expect(stream || client.status == 400)
    }
    // It was the client's wish: the provider is well.
    #expect(try Self.echo(gate, times: 1, stream: stream).status == 200)
  }

  @Test func anAnswerBeyondOurBoundIsNoFailureOfItsProvider() throws {
    let gate = try Self.gate { $0.limits.answerBytes = 1_000 }
    for _ in 0..<6 {
      let client = gate.send(gate.chat(Specimens.chat()))
      gate.head(200)
      gate.piece(String(repeating: "x", count: 1_001))
      gate.finish(client)
      #expect(client.status == 502)
    }
    #expect(gate.upstream.sent.count == 6 && gate.upstream.cancelled == 6)
  }

  @Test(arguments: [("context_length_exceeded", true), ("server_error", false)])
  func aStreamThatSaysWhatWasWrongWithTheRequestIsNone(code: String, isWell: Bool) throws {
    let gate = try Self.gate()
    for _ in 0..<6 {
      let before = gate.upstream.sent.count
      let client = gate.send(gate.chat(Specimens.chat(stream: true)))
      guard gate.upstream.sent.count > before else { continue }
      gate.head(200, .eventStream)
      let type = isWell ? "invalid_request_error" : "server_error"
      gate.piece(#"data: {"error":{"message":"No.","type":"\#(type)","param":null,"code":"\#(code)"}}"# + "\n\n")
      gate.end(.complete)
      gate.finish(client)
    }
    #expect(gate.upstream.sent.count == (isWell ? 6 : 5))
  }

  /// The status has said it; whether the rest comes is nothing to anybody.
  @Test(arguments: [
    (UInt16(429), UpstreamEnd.cut, UInt16(429)), (413, .cut, 400), (400, .timedOut, 400), (503, .cut, 502),
  ])
  func anErrorThatBreaksOffIsThatError(status: UInt16, end: UpstreamEnd, told: UInt16) throws {
    let gate = try Self.gate()
    let client = gate.send(gate.chat(Specimens.chat()))
    gate.head(Int(status))
    gate.piece(#"{"error":{"message":"#)
    gate.end(end)
    gate.finish(client)
    let books = try gate.books()
    #expect(books.settlements.map(\.exit) == [Exit.upstreamError.rawValue] && books.tokens == 0)
    #expect(client.status == told, "\(client.text)")
  }

  @Test func whoGoesWhileAnErrorComesPaysNothing() throws {
    let gate = try Self.gate()
    let client = gate.send(gate.chat(Specimens.chat()))
    gate.head(500)
    gate.piece(#"{"error":{"message":"#)
    let exchange = try #require(gate.upstream.sent.last).exchange
    gate.pipeline.clientGone(exchange)
    gate.clock.advance(milliseconds: 3_000)
    gate.pipeline.tick()
    #expect(gate.confirm { gate.pipeline.openExchanges == 0 })
    let books = try gate.books()
    #expect(books.settlements.map(\.exit) == [Exit.upstreamError.rawValue] && books.tokens == 0)
    #expect(client.status == 0)
  }

  /// A look at a batch is limited by itself.
  @Test func whoAsksForBatchesTooOftenStopsNoChat() throws {
    let gate = try TestGate(BatchSpecimens.setup())
    let file = try gate.upload()
    let refused = gate.exchange(gate.order(file), Specimens.refused, status: 429)
    #expect(refused.status == 429)
    let before = gate.upstream.sent.count
    gate.send(gate.chat(Specimens.chat()))
    #expect(gate.upstream.sent.count == before + 1)
  }
}
