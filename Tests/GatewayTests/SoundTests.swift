import Inference
import Quotas
import Redaction
import Routing
import SealedLog
import Testing

@testable import Gateway

/// Words that become sound: what comes back are bytes, passed on as they come.
struct SoundTests {
  /// 1,000 characters cost 0.015 EUR.
  private static func sent(
    _ text: String = "Grüezi", more: String = "", _ change: (inout GateSetup) -> Void = { _ in }
  ) throws -> (TestGate, RecordingClient) {
    var setup = GateSetup()
    setup.wires = [.speech]
    setup.limits.attempts = 1
    setup.unit = UnitPrice(.character, amount: 15_000_000_000)
    change(&setup)
    let gate = try TestGate(setup)
    let body = #"{"model":"chat","voice":"alloy","input":"\#(text)"\#(more)}"#
    return (gate, gate.send(TestGate.Call(path: "/v1/audio/speech", key: gate.key, body: Array(body.utf8))))
  }

  private static let sound: [UInt8] = [0xFF, 0xFB, 0x00, 0x0D, 0x0A, 0xC3, 0x28, 0x00]

  private static func type(_ client: RecordingClient) -> SoundType? {
    if case .sound(let type) = client.head?.kind { type } else { nil }
  }

  @Test func bytesPassAsTheyCome() throws {
    let (gate, client) = try Self.sent()
    gate.head(200, .sound(.mpeg))
    #expect(client.answers == 1 && client.status == 200 && Self.type(client) == .mpeg, "the head is not held back")
    #expect(client.value("x-request-id") != nil)
    for byte in Self.sound { gate.piece([byte]) }
    #expect(client.bytes == Self.sound && !client.isOver, "it ends when its record is written")
    gate.end(.complete)
    gate.finish(client)
    #expect(client.hasEnded && client.bytes == Self.sound)
    let record = try gate.lastRecord()
    #expect(
      record.response.map { String(decoding: $0, as: UTF8.self) } == #"{"sound":{"type":"audio/mpeg","bytes":8}}"#)
    #expect(record.request.map { String(decoding: $0, as: UTF8.self) }?.contains("Grüezi") == true)
  }

  @Test func whereTheLogKeepsNoContentItKeepsNone() throws {
    let (gate, client) = try Self.sent { $0.mode = .off }
    gate.answer(200, "x", kind: .sound(.wav))
    gate.finish(client)
    let record = try gate.lastRecord()
    #expect(record.response == nil && record.request == nil)
  }

  /// What it is called is one of ours: as the provider says, where that is a sound; else as it was asked for.
  @Test(arguments: [
    (UpstreamHead.ContentKind.sound(.wav), "", SoundType.wav), (.octets, "", .mpeg),
    (.octets, #","response_format":"opus""#, .opus), (.sound(.ogg), #","response_format":"opus""#, .ogg),
  ]) func whatItIsCalledIsOurs(kind: UpstreamHead.ContentKind, more: String, type: SoundType) throws {
    let (gate, client) = try Self.sent(more: more)
    gate.answer(200, "x", kind: kind)
    gate.finish(client)
    #expect(Self.type(client) == type && client.hasEnded)
  }

  @Test(arguments: [UpstreamHead.ContentKind.json, .eventStream, .amazonEventStream, .other])
  func whatIsNoSoundIsNone(kind: UpstreamHead.ContentKind) throws {
    let (gate, client) = try Self.sent()
    gate.head(200, kind)
    gate.finish(client)
    #expect(client.status == 502 && client.errorCode == "upstream_error" && gate.upstream.cancelled == 1)
    #expect(try gate.books().unbalanced == 0)
  }

  @Test(arguments: [UpstreamEnd.cut, .timedOut, .tooLarge]) func aSoundThatBreaksOffIsNoWholeOne(end: UpstreamEnd)
    throws
  {
    let (gate, client) = try Self.sent()
    gate.head(200, .sound(.mpeg))
    gate.piece(Self.sound[...])
    gate.end(end)
    gate.finish(client)
    #expect(client.wasAborted && !client.hasEnded && client.bytes == Self.sound, "no error text among the sound")
    let books = try gate.books()
    #expect(books.money == 6 * 15_000 && books.settlements.first?.exit == Exit.upstreamCut.rawValue)
  }

  @Test func soundIsBounded() throws {
    let (gate, client) = try Self.sent { $0.limits.streamBytes = 8 }
    gate.head(200, .sound(.mpeg))
    gate.piece(Self.sound[...])
    #expect(gate.upstream.cancelled == 0)
    gate.piece([0])
    gate.finish(client)
    #expect(client.wasAborted && gate.upstream.cancelled == 1 && client.bytes == Self.sound)
  }

  @Test func aSlowClientHoldsItsProviderBack() throws {
    let (gate, client) = try Self.sent()
    gate.head(200, .sound(.mpeg))
    client.heldBytes = Limits().heldHighBytes + 1
    gate.piece(Self.sound[...])
    gate.piece(Self.sound[...])
    #expect(gate.upstream.paused == 1)
    client.heldBytes = Limits().heldLowBytes - 1
    gate.pipeline.clientProgress(try #require(gate.upstream.sent.last).exchange)
    #expect(gate.upstream.resumed == 1)
  }

  /// Nothing that comes later could say what it cost: it is known.
  @Test func whoGoesPaysForWhatWasAsked() throws {
    let (gate, _) = try Self.sent("123456789")
    gate.head(200, .sound(.mpeg))
    gate.piece(Self.sound[...])
    gate.pipeline.clientGone(try #require(gate.upstream.sent.last).exchange)
    gate.clock.advance(milliseconds: 1)
    gate.pipeline.tick()
    #expect(gate.upstream.cancelled == 1)
    let books = try gate.books()
    #expect(books.money == 9 * 15_000 && books.settlements.first?.flags.contains(.aborted) == true)
  }

  // MARK: Money

  @Test(arguments: [
    ("Grüezi", 6), ("a\\n\\u00e9", 3), ("\\ud83d\\ude00!", 2), ("😀!", 2), ("\\uDBFF\\uDFFF", 1), ("\\\\u00", 4),
    ("\\\"", 1),
  ]) func charactersAreCounted(text: String, characters: Int64) throws {
    let (gate, client) = try Self.sent(text)
    gate.answer(200, "x", kind: .sound(.mpeg))
    gate.finish(client)
    #expect(try gate.books().money == characters * 15_000)
  }

  @Test func theMostIsSetAside() throws {
    // In bytes: the text's, and those of the voice and the names around it.
    let (gate, _) = try Self.sent(String(repeating: "é", count: 1_000)) { $0.moneyPerMonth = 30_000_000 }
    #expect(gate.upstream.sent.isEmpty)
    let (rich, _) = try Self.sent(String(repeating: "é", count: 1_000)) { $0.moneyPerMonth = 30_200_000 }
    #expect(rich.upstream.sent.count == 1)
  }

  // MARK: What must not leave

  @Test(arguments: [RedactionAction.pseudonymise, .mask, .hash, .block])
  func whatCouldNotComeBackIsNotSpoken(action: RedactionAction) throws {
    let (gate, client) = try Self.sent("Schreibe an \(Specimens.mail).") { $0.action = action }
    let isSpoken = action == .mask || action == .hash
    #expect(gate.upstream.sent.isEmpty != isSpoken)
    if isSpoken {
      #expect(gate.upstream.sent.last?.text.contains(Specimens.mail) == false)
    } else {
      #expect(client.status == 400 && client.errorCode == "content_policy_violation")
      #expect(client.text.contains("mask") == (action != .block) && !client.text.contains(Specimens.mail))
      #expect(try gate.books().open == 0)
    }
  }

  /// Everything with nothing to find is spoken, whatever the rule.
  @Test func whereNothingIsFoundNothingIsRefused() throws {
    let (gate, client) = try Self.sent("Guten Tag") { $0.action = .pseudonymise }
    gate.answer(200, "x", kind: .sound(.mpeg))
    gate.finish(client)
    #expect(client.status == 200 && client.hasEnded)
  }
}
