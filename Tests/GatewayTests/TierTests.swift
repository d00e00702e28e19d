import Inference
import Quotas
import Routing
import Testing

@testable import Gateway

/// Prices by service tier and by the length of the prompt: who is asked, what is reserved, what is settled.
struct TierTests {
  private static func price(_ factor: Int64) -> Price {
    Price(
      version: "1", currency: "EUR", input: GateSetup.price.input * factor, output: GateSetup.price.output * factor)
  }

  /// Flex at once, priority at five times the price; prompts above ten tokens at ten times.
  private static func tiers(long: Bool = false, automatic: [PriceTier]? = nil) -> PriceTiers {
    PriceTiers(
      [
        PriceTiers.Row(
          .usual, GateSetup.price, long: long ? PriceTiers.LongPrompt(above: 10, price: price(10)) : nil),
        PriceTiers.Row(.flex, price(2)), PriceTiers.Row(.priority, price(5)),
      ], automatic: automatic)
  }

  private static func gate(_ tiers: [PriceTiers?] = [TierTests.tiers()], _ change: (inout GateSetup) -> Void = { _ in })
    throws
    -> TestGate
  {
    var setup = GateSetup()
    setup.redacts = false
    setup.candidates = zip(["first", "second"], tiers).map { GateSetup.Candidate(provider: $0, tiers: $1) }
    change(&setup)
    return try TestGate(setup)
  }

  private static func providers(_ gate: TestGate) -> [String] { gate.upstream.sent.map(\.target.provider) }

  private static func ask(_ tier: String?) -> String {
    Specimens.chat("Hallo", more: tier.map { #""service_tier":\#($0),"# } ?? "")
  }

  private static func answer(_ tier: String?) -> String {
    let member = tier.map { #","service_tier":\#($0)"# } ?? ""
    return Specimens.plain(usage: Specimens.usage + member)
  }

  // MARK: Who is asked

  @Test(
    arguments: [
      (nil, "first"), (#""auto""#, "first"), (#""default""#, "first"), ("null", "first"), (#""flex""#, "second"),
      (#""priority""#, "second"),
    ] as [(String?, String)])
  func onlyWhoPricesATierIsAsked(tier: String?, provider: String) throws {
    let gate = try Self.gate([nil, Self.tiers()])
    gate.send(gate.chat(Self.ask(tier)))
    #expect(Self.providers(gate) == [provider])
    // It travels as it came.
    #expect(tier == nil || gate.upstream.sent[0].text.contains(#""service_tier":\#(tier ?? "")"#))
  }

  @Test(arguments: [#""flex""#, #""scale""#, #""batch""#]) func whereNobodyDoesTheClientIsToldWhich(tier: String) throws
  {
    let gate = try Self.gate(tier == #""flex""# ? [nil, nil] : [Self.tiers(), nil])
    let client = gate.send(gate.chat(Self.ask(tier)))
    #expect(client.status == 400 && client.errorCode == "unsupported_parameter")
    #expect(client.text.contains(#""param":"service_tier""#) && Self.providers(gate).isEmpty)
    #expect(try gate.books().open == 0)
  }

  @Test func theSecondAttemptMustPriceItToo() throws {
    let gate = try Self.gate([Self.tiers(), nil])
    let client = gate.send(gate.chat(Self.ask(#""flex""#)))
    gate.answer(500, Specimens.refused)
    gate.finish(client)
    #expect(Self.providers(gate) == ["first"] && client.status == 502)
  }

  /// Another dialect has no such word, and a denied field does not travel: it would be served by another tier.
  @Test(arguments: [[ProviderWire.messages], [.gemini], [.converse]]) func itMustArrive(wires: [ProviderWire]) throws {
    for deniedFields in [[], ["service_tier"]] {
      let gate = try Self.gate {
        if deniedFields.isEmpty { $0.candidates[0].wires = wires }
        $0.candidates[0].deniedFields = deniedFields
      }
      #expect(gate.send(gate.chat(Self.ask(#""flex""#))).status == 400)
      gate.send(gate.chat(Self.ask(#""default""#)))
      #expect(Self.providers(gate) == ["first"], "the usual one needs nothing")
    }
  }

  // MARK: What is reserved

  private static func reserved(_ tier: String?, _ tiers: PriceTiers) throws -> Int64 {
    let gate = try Self.gate([tiers])
    let client = gate.send(gate.chat(Self.ask(tier)))
    let exchange = try #require(gate.upstream.sent.last?.exchange)
    let money = exchange.demand.money
    gate.answer(200, Self.answer(nil))
    gate.finish(client)
    return money
  }

  @Test func theDearestThatTheRequestAllowsIsSetAside() throws {
    // The member's own bytes are in the bound of tokens, so it differs by a hundredth.
    let usual = try Self.reserved(#""default""#, Self.tiers())
    let asked: [(tier: String?, tiers: PriceTiers, times: Int64)] = [
      (#""flex""#, Self.tiers(), 2), (nil, Self.tiers(), 5), (#""auto""#, Self.tiers(), 5),
      (nil, Self.tiers(automatic: [.usual]), 1), (nil, Self.tiers(automatic: [.usual, .flex]), 2),
      // its bound is above the threshold
      (#""default""#, Self.tiers(long: true), 10), (#""priority""#, Self.tiers(long: true), 5),
    ]
    for (tier, tiers, times) in asked {
      let reserved = try Self.reserved(tier, tiers)
      #expect((reserved + usual / 2) / usual == times, "\(tier ?? "none"): \(reserved) is not \(times) times \(usual)")
    }
  }

  // MARK: What is settled

  /// 12 tokens in and 5 out cost 22,000 by the usual price.
  @Test(
    arguments: [
      (#""flex""#, #""flex""#, false, 2, "flex", 0, SettlementFlags()),
      (#""flex""#, #""default""#, false, 1, "default", 0, []),
      (#""flex""#, nil, false, 2, "flex", 0, []),
      (nil, #""default""#, false, 1, "default", 0, []), (nil, #""priority""#, false, 5, "priority", 0, []),
      (nil, nil, false, 5, "priority", 0, []), (nil, "null", false, 5, "priority", 0, []),
      (nil, #""auto""#, false, 5, "priority", 0, []),
      (#""default""#, #""default""#, true, 10, "default", 1, []), (#""flex""#, #""flex""#, true, 2, "flex", 0, []),
      (nil, #""ultra""#, false, 5, "priority", 0, .suspect), (nil, "7", false, 5, "priority", 0, []),
    ] as [(String?, String?, Bool, Int64, String, Int, SettlementFlags)])
  func theTierOfTheAnswerIsPaid(
    asked: String?, answered: String?, long: Bool, factor: Int64, tier: String, isLong: Int, flags: SettlementFlags
  ) throws {
    let gate = try Self.gate([Self.tiers(long: long)])
    let client = gate.send(gate.chat(Self.ask(asked)))
    gate.answer(200, Self.answer(answered))
    gate.finish(client)
    #expect(client.status == 200)
    let books = try gate.books()
    #expect(books.totals.money == 22_000 * factor && books.unbalanced == 0)
    let meta = try #require(books.metas.first)
    #expect(meta.price_tier == tier && meta.long_prompt == isLong && meta.cost == 22_000 * factor)
    #expect(books.settlements.first?.flags == flags)
  }

  @Test func aStreamSaysItInItsChunks() throws {
    for (usage, cut) in [(true, false), (false, false), (true, true)] {
      let gate = try Self.gate()
      let client = gate.send(gate.chat(Specimens.chat("Hallo", stream: true)))
      let text = Specimens.stream(["Guten Tag"], usage: usage)
        .replacing(#""model":"first-model""#, with: #""model":"first-model","service_tier":"default""#)
      if cut {
        gate.head(200, .eventStream)
        gate.piece(String(text.prefix(400)))
        gate.end(.cut)
      } else {
        gate.answer(200, text, kind: .eventStream)
      }
      gate.finish(client)
      let books = try gate.books()
      let meta = try #require(books.metas.first)
      #expect(meta.price_tier == "default" && meta.cost == meta.tokens.input * 1_000 + meta.tokens.output * 2_000)
    }
  }

  /// Anthropic's answers name it inside of the usage, and the usual one `standard`.
  @Test(arguments: [("standard", 1), ("priority", 5)] as [(String, Int64)])
  func anthropicSaysItInTheUsage(said: String, factor: Int64) throws {
    for stream in [false, true] {
      let gate = try Self.gate()
      var call = gate.chat(Dialects.body(.messages, stream: stream))
      call.path = "/v1/messages"
      call.version = "2023-06-01"
      let client = gate.send(call)
      func tiered(_ text: String) -> String {
        text.replacing(#""usage":{"input_tokens":12,"#, with: #""usage":{"service_tier":"\#(said)","input_tokens":12,"#)
      }
      let answer = tiered(
        stream ? Dialects.stream(.messages, ["Guten Tag"]) ?? "" : Dialects.answer(.messages, "Guten Tag"))
      #expect(answer.contains(said))
      gate.answer(200, answer, kind: stream ? .eventStream : .json)
      gate.finish(client)
      let books = try gate.books()
      #expect(books.totals.money == 22_000 * factor, "\(client.text)")
    }
  }

  @Test func standardOnlyIsTheUsualOne() throws {
    let gate = try Self.gate()
    var call = gate.chat(
      #"{"model":"chat","max_tokens":500,"service_tier":"standard_only","messages":[{"role":"user","content":"Hallo"}]}"#
    )
    call.path = "/v1/messages"
    call.version = "2023-06-01"
    gate.send(call)
    let exchange = try #require(gate.upstream.sent.last?.exchange)
    #expect(exchange.tierChoice == .only(.usual))
  }

  /// A model with one price is settled by it; what it says of tiers that nobody priced is looked at by somebody.
  @Test(arguments: [(#""priority""#, true), (#""default""#, false), (#""standard""#, false), ("null", false)])
  func whereThereIsOnePriceAnotherTierIsSuspect(said: String, isSuspect: Bool) throws {
    let gate = try Self.gate([nil])
    let client = gate.send(gate.chat(Self.ask(nil)))
    gate.answer(200, Self.answer(said))
    gate.finish(client)
    let books = try gate.books()
    #expect(books.totals.money == 22_000 && books.metas.first?.price_tier == nil)
    #expect(books.settlements.first?.flags == (isSuspect ? .suspect : []))
  }
}
