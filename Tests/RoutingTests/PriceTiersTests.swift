import Routing
import Testing

/// What a request costs by tier and by the length of its prompt.
struct PriceTiersTests {
  private static func price(_ input: Int64, _ output: Int64) -> Price {
    Price(version: "1", currency: "EUR", input: input * 1_000_000, output: output * 1_000_000)
  }

  /// Default 2 and 4, above 100 tokens 4 and 6; flex 1 and 2; priority 5 and 9 at any length.
  private static func tiered(automatic: [PriceTier]? = nil) -> Price {
    var base = price(2, 4)
    base.tiers = PriceTiers(
      [
        PriceTiers.Row(.usual, base, long: PriceTiers.LongPrompt(above: 100, price: price(4, 6))),
        PriceTiers.Row(.flex, price(1, 2)), PriceTiers.Row(.priority, price(5, 9)),
      ], automatic: automatic)
    return base
  }

  @Test(
    arguments: [
      (TierChoice.providers, 10, 5 * 10 + 9 * 10), (.only(.usual), 10, 2 * 10 + 4 * 10),
      (.only(.usual), 100, 2 * 100 + 4 * 10), (.only(.usual), 101, 4 * 101 + 6 * 10), (.only(.flex), 10, 10 + 2 * 10),
      (.only(.priority), 101, 5 * 101 + 9 * 10),
      // What has no price may be anything.
      (.only(.scale), 10, 5 * 10 + 9 * 10),
    ] as [(TierChoice, Int64, Int64)])
  func theDearestThatARequestAllowsIsReserved(choice: TierChoice, input: Int64, most: Int64) {
    #expect(Self.tiered().worstCase(input: input, outputCap: 10, answers: 1, by: choice) == most)
  }

  @Test func aRecordMaySayWhatItsProviderChooses() {
    let price = Self.tiered(automatic: [.usual])
    #expect(price.worstCase(input: 10, outputCap: 10, answers: 1, by: .providers) == 60)
    #expect(price.worstCase(input: 10, outputCap: 10, answers: 1, by: .only(.priority)) == 140)
  }

  @Test(
    arguments: [
      (AnsweredTier.said(.usual), TierChoice.providers, 100, 0, 200, PriceTier.usual, false, false),
      (.said(.usual), .only(.flex), 101, 0, 404, .usual, true, false),
      // What was read from a cache is part of the prompt's length; it costs as input here.
      (.said(.usual), .providers, 51, 50, 404, .usual, true, false),
      (.said(.flex), .providers, 101, 0, 101, .flex, false, false),
      (.said(.priority), .only(.usual), 10, 0, 50, .priority, false, false),
      (.unsaid, .only(.flex), 10, 0, 10, .flex, false, false),
      (.unsaid, .providers, 10, 0, 50, .priority, false, false),
      (.unknown, .only(.flex), 10, 0, 50, .priority, false, true),
      (.said(.scale), .only(.usual), 10, 0, 50, .priority, false, true),
    ] as [(AnsweredTier, TierChoice, Int64, Int64, Int64, PriceTier, Bool, Bool)])
  func theAnswersTierIsSettled(
    answered: AnsweredTier, choice: TierChoice, input: Int64, cached: Int64, money: Int64, tier: PriceTier,
    isLong: Bool, isSuspect: Bool
  ) {
    let cost = Self.tiered().settlement(TokenUsage(input: input, cached: cached), answered: answered, choice: choice)
    #expect(cost == TieredCost(money: money, tier: tier, isLongPrompt: isLong, isSuspect: isSuspect))
  }

  @Test func oneThatIsTheOnlyPriceIsPaidWhateverTheAnswerSays() {
    let price = Self.price(2, 4)
    for (answered, isSuspect) in [(AnsweredTier.unsaid, false), (.said(.usual), false), (.said(.fast), true)] {
      let cost = price.settlement(TokenUsage(input: 10, output: 1), answered: answered, choice: .providers)
      #expect(cost.money == 24 && cost.isSuspect == isSuspect)
    }
    #expect(price.worstCase(input: 10, outputCap: 1, answers: 1, by: .providers) == 24)
    #expect(price.offers(.usual) && !price.offers(.flex) && Self.tiered().offers(.flex))
  }

  /// Never below what is settled in the end, whichever tier the provider takes of those that it may.
  @Test func theReservationCoversEverySettlement() throws {
    let price = Self.tiered()
    for choice in [TierChoice.providers, .only(.usual), .only(.flex), .only(.priority)] {
      for bound in stride(from: 0, through: 220, by: 20) as StrideThrough<Int64> {
        let worst = try #require(price.worstCase(input: bound, outputCap: 50, answers: 2, by: choice))
        for input in stride(from: 0, through: bound, by: 10) {
          let answered =
            if case .only(let tier) = choice { [AnsweredTier.said(tier), .unsaid] } else {
              [AnsweredTier.said(.usual), .said(.flex), .said(.priority), .unsaid, .unknown]
            }
          for said in answered {
            let cost = price.settlement(TokenUsage(input: input, output: 100), answered: said, choice: choice)
            #expect(try #require(cost.money) <= worst)
          }
        }
      }
    }
  }

  @Test func whatDoesNotFitIsNoAmount() {
    var huge = Self.price(1, 1)
    let most = Price(version: "1", currency: "EUR", input: .max, output: .max)
    huge.tiers = PriceTiers([PriceTiers.Row(.usual, huge), PriceTiers.Row(.priority, most)])
    #expect(huge.worstCase(input: .max, outputCap: 1, answers: 1, by: .providers) == nil)
    #expect(huge.settlement(TokenUsage(input: .max), answered: .said(.priority), choice: .providers).money == nil)
    #expect(huge.settlement(TokenUsage(input: .max), answered: .unknown, choice: .providers).money == nil)
    #expect(huge.settlement(TokenUsage(input: -1), answered: .said(.usual), choice: .providers).money == nil)
  }

  @Test func freeIsOnlyWhatIsFreeInEveryWay() {
    var price = Self.price(0, 0)
    #expect(price.isFree)
    price.tiers = PriceTiers([
      PriceTiers.Row(.usual, price, long: PriceTiers.LongPrompt(above: 5, price: Self.price(0, 1)))
    ])
    #expect(!price.isFree)
  }

  @Test func allPricesAreConvertedOrNone() {
    let tiers = Self.tiered().tiers
    let doubled = tiers?.mapped { Price(version: $0.version, currency: "CHF", input: $0.input * 2, output: $0.output) }
    #expect(doubled?.rows.map(\.price.input) == [4_000_000, 2_000_000, 10_000_000])
    #expect(doubled?.rows.first?.long?.price.currency == "CHF" && doubled?.rows.first?.long?.above == 100)
    #expect(tiers?.mapped { $0.input > 3_000_000 ? nil : $0 } == nil)
  }
}
