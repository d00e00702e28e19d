import Routing
import Testing

struct BatchPriceTests {
  private static func price(_ input: Int64, _ output: Int64, cached: Int64? = nil) -> Price {
    Price(version: "1", currency: "EUR", input: input, cached: cached, output: output)
  }

  private static func tiered(_ rows: [PriceTiers.Row]) -> Price {
    var price = price(100, 400)
    price.tiers = PriceTiers(rows)
    return price
  }

  private static let long = PriceTiers.LongPrompt(above: 1_000, price: price(90, 150, cached: 20))

  @Test func withoutAPriceOfTheirOwnBatchesCostTheUsual() {
    #expect(Self.price(100, 400).ofBatch(longestInput: 1 << 40) == Self.price(100, 400))
    let tiered = Self.tiered([.init(.usual, Self.price(100, 400)), .init(.flex, Self.price(1, 1))])
    #expect(tiered.ofBatch(longestInput: 1) == Self.price(100, 400))
  }

  @Test func aPriceOfTheirOwnIsForBatchesAlone() {
    let tiered = Self.tiered([.init(.usual, Self.price(100, 400)), .init(.batch, Self.price(50, 200))])
    #expect(tiered.ofBatch(longestInput: 1) == Self.price(50, 200))
    // No request that a provider places by itself is taken for one.
    #expect(tiered.worstCase(input: 1_000_000, outputCap: 0, answers: 1, by: .providers) == 100)
    #expect(
      tiered.settlement(TokenUsage(input: 1_000_000), answered: .unsaid, choice: .providers).money == 100)
  }

  @Test(arguments: [(1_000, false), (1_001, true)] as [(Int64, Bool)])
  func whereALineMayBeLongTheDearerPriceCountsForAll(longest: Int64, isLong: Bool) {
    let tiered = Self.tiered([
      .init(.usual, Self.price(100, 400)), .init(.batch, Self.price(50, 200, cached: 5), long: Self.long),
    ])
    let price = tiered.ofBatch(longestInput: longest)
    #expect(price.input == (isLong ? 90 : 50) && price.output == 200 && price.cached == (isLong ? 20 : 5))
    #expect(price.tiers == nil)
  }

  @Test func whatIsNotNamedNoModelCanDo() {
    let model = Model(id: "m", maxOutput: 1, price: Self.price(1, 1))
    #expect(model.missing(of: [.batch, .images]) == .batch)
    #expect(ModelCapabilities(name: "batch") == .batch)
  }
}
