import Inference
import Policies
import Quotas
import Routing
import SealedLog
import Testing

@testable import Gateway

/// Sound that is written down: it passes only where policy lets it, and costs its minutes.
struct TranscriptTests {
  /// A second costs 100,000 × 10⁻⁹ EUR.
  private static func sent(
    _ form: String = Dialects.form("Grüezi"), _ change: (inout GateSetup) -> Void = { _ in }
  ) throws -> (TestGate, RecordingClient) {
    var setup = GateSetup()
    setup.wires = [.transcriptions]
    setup.limits.attempts = 1
    setup.redacts = false
    setup.unit = UnitPrice(.second, amount: 6_000_000)
    change(&setup)
    let gate = try TestGate(setup)
    let client = gate.send(
      TestGate.Call(
        path: "/v1/audio/transcriptions", key: gate.key, body: Array(form.utf8), contentType: .form))
    return (gate, client)
  }

  private static func format(_ name: String) -> String {
    "--X\r\nContent-Disposition: form-data; name=\"response_format\"\r\n\r\n\(name)\r\n"
  }

  /// The same rule as for images and files in a chat.
  @Test(arguments: [(false, false, true), (true, false, false), (true, true, true)])
  func soundPassesOnlyWherePolicySaysSo(redacts: Bool, passes: Bool, isSent: Bool) throws {
    let (gate, client) = try Self.sent {
      ($0.redacts, $0.passesBinary) = (redacts, passes)
    }
    #expect(gate.upstream.sent.isEmpty != isSent)
    if !isSent {
      #expect(client.status == 400 && client.errorCode == "content_policy_violation")
      #expect(client.text.contains(#""param":"file""#))
    }
    var setup = GateSetup()
    (setup.redacts, setup.passesBinary) = (redacts, passes)
    let chat = try TestGate(setup)
    let part = #"{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}"#
    chat.send(chat.chat(#"{"model":"chat","messages":[{"role":"user","content":[\#(part)]}]}"#))
    #expect(chat.upstream.sent.isEmpty != isSent)
  }

  /// A quote and a line's end in what comes back stand as they are where the answer is no JSON.
  @Test func aBareAnswerIsRestoredAsItStands() throws {
    let (gate, client) = try Self.sent(
      Dialects.form("Namen: \(Specimens.mail)", more: Self.format("text"))
    ) { ($0.redacts, $0.passesBinary) = (true, true) }
    let sent = try #require(gate.upstream.sent.last)
    let placeholder = try #require(sent.text.firstMatch(of: /\[EMAIL_[0-9a-z]{8}\]/)).output
    #expect(!sent.text.contains(Specimens.mail))
    gate.answer(200, "Von \"\(placeholder)\"\n", kind: .other)
    gate.finish(client)
    #expect(client.status == 200 && client.text == "Von \"\(Specimens.mail)\"\n")
    if case .text = client.head?.kind {} else { Issue.record("it is said to be no text") }
    let record = try gate.lastRecord()
    #expect(record.response.map { String(decoding: $0, as: UTF8.self) } == "Von \"\(placeholder)\"\n")
  }

  @Test func theLogKeepsTheWordsAndNoSound() throws {
    let (gate, client) = try Self.sent(Dialects.form("Stichworte", sound: "geheimer Ton"))
    #expect(gate.upstream.sent.last?.text.contains("geheimer Ton") == true)
    gate.answer(200, #"{"text":"a"}"#)
    gate.finish(client)
    let request = try #require(try gate.lastRecord().request.map { String(decoding: $0, as: UTF8.self) })
    #expect(request.hasSuffix(#"{"model":"first-model","file":{"name":"audio.mp3","bytes":12},"prompt":"Stichworte"}"#))
    #expect(!request.contains("Ton") && !request.contains("Anna"))
  }

  @Test(arguments: [ContentType.json, .other, .none]) func aBodyOfAnotherKindIsRefused(type: ContentType) throws {
    let gate = try TestGate()
    var call = TestGate.Call(
      path: "/v1/audio/transcriptions", key: gate.key, body: Array(Dialects.form("x").utf8), contentType: type)
    #expect(gate.send(call).status == 415)
    call = gate.chat(Specimens.chat())
    call.contentType = .form
    #expect(gate.send(call).status == 415)
    #expect(gate.upstream.sent.isEmpty)
  }

  // MARK: Money

  @Test(
    arguments: [
      (#","usage":{"type":"duration","seconds":61}"#, 61, []), (#","duration":60.01"#, 61, []),
      (#","usage":{"type":"duration","seconds":0}"#, 0, []), (#","duration":700"#, 700, []),
      // Unsaid: by its bytes; absurd: the same.
      ("", 2, .estimated), (#","duration":6010"#, 2, .suspect),
    ] as [(String, Int64, SettlementFlags)])
  func minutesArePaidAsTheProviderCountsThem(member: String, seconds: Int64, flags: SettlementFlags) throws {
    let (gate, client) = try Self.sent(Dialects.form("", sound: String(repeating: "x", count: 8_000)))
    gate.answer(200, #"{"text":"a"\#(member)}"#)
    gate.finish(client)
    #expect(client.status == 200)
    let books = try gate.books()
    #expect(books.money == seconds * 100_000 && books.totals.money == books.money && books.reserved == 0)
    #expect(books.settlements.first?.flags.isSuperset(of: flags) == true)
  }

  /// How long samples are is the client's word: that of the provider, who has heard them, counts for more.
  @Test(
    arguments: [(60, 60, []), (100, 100, .suspect), (600, 600, .suspect), (6_010, 1, .suspect)]
      as [(Int64, Int64, SettlementFlags)])
  func whatWasHeardIsPaid(told: Int64, seconds: Int64, flags: SettlementFlags) throws {
    let (gate, client) = try Self.sent(Dialects.form("", sound: Self.wav(seconds: 1), name: "a.wav"))
    gate.answer(200, #"{"text":"a","duration":\#(told)}"#)
    gate.finish(client)
    let books = try gate.books()
    #expect(books.money == seconds * 100_000 && books.reserved == 0)
    #expect(books.settlements.first?.flags.isSuperset(of: flags) == true)
  }

  /// Voice messages take fewer bytes than other sound.
  @Test(arguments: [("a.mp3", 3), ("a.ogg", 8), ("a.webm", 8)]) func aLengthThatNobodySaysIsGuessed(
    name: String, seconds: Int64
  ) throws {
    let (gate, client) = try Self.sent(
      Dialects.form("", sound: String(repeating: "x", count: 12_000), name: name, more: Self.format("text")))
    gate.answer(200, "a", kind: .other)
    gate.finish(client)
    #expect(try gate.books().money == seconds * 100_000)
  }

  /// Samples say how long they are; anything else may be as long as its record lets it.
  @Test(arguments: [("Anna.mp3", "sound", 600), ("a.wav", wav(seconds: 7), 7), ("a.wav", wav(seconds: 700), 600)])
  func theMostIsSetAside(name: String, sound: String, seconds: Int64) throws {
    for (budget, isAdmitted) in [(seconds * 100_000, true), (seconds * 100_000 - 1, false)] {
      let (gate, client) = try Self.sent(Dialects.form("", sound: sound, name: name)) { $0.moneyPerMonth = budget }
      #expect(gate.upstream.sent.isEmpty != isAdmitted, "\(client.text)")
    }
  }

  /// 8 bits, one channel, one sample a second: all of it is ASCII, so that a form can be written as a text.
  private static func wav(seconds: Int) -> String {
    let head = "RIFF\u{0}\u{0}\u{0}\u{0}WAVEfmt \u{10}\u{0}\u{0}\u{0}\u{1}\u{0}\u{1}\u{0}\u{1}\u{0}\u{0}\u{0}"
    let rest = "\u{0}\u{0}\u{0}\u{0}\u{1}\u{0}\u{8}\u{0}data\u{0}\u{0}\u{0}\u{0}"
    return head + rest + String(repeating: "x", count: seconds)
  }

  @Test func aBareAnswerThatIsNoTextIsNone() throws {
    let (gate, client) = try Self.sent(Dialects.form("", more: Self.format("srt")))
    gate.head(200, .other)
    gate.piece([0xFF, 0xFE])
    gate.end(.complete)
    gate.finish(client)
    #expect(client.status == 502)
    #expect(try gate.books().money == 100_000)
  }

  @Test(arguments: ["application/json", "multipart/form-data; boundary=abc", "multipart/form-data", "text/plain", ""])
  func whatABodyIsIsRead(field: String) {
    let exchange = Exchange()
    Array(field.utf8).withUnsafeBytes { exchange.takeContentType($0[...]) }
    #expect((exchange.contentType == .json) == (field == "application/json"))
    #expect((exchange.contentType == .form) == field.contains("="))
    #expect(exchange.formBoundary == (field.contains("=") ? Array("abc".utf8) : []))
  }
}
