import Routing
import Testing

private func price(
  _ input: Int64, cached: Int64? = nil, write5m: Int64? = nil, write1h: Int64? = nil, output: Int64? = nil
) -> Price {
  Price(
    version: "v1", currency: "EUR", input: input, cached: cached, cacheWrite5m: write5m, cacheWrite1h: write1h,
    output: output)
}

@Test(arguments: [
  (0 as Int64, 0 as Int64), (1, 1), (999_999, 1), (1_000_000, 1), (1_000_001, 2), (2_000_000, 2),
])
func costIsRoundedUpOnce(tokens: Int64, cost: Int64) {
  #expect(Cost.settlement(TokenUsage(input: tokens), at: price(1)) == cost)
}

@Test func classesAreSummedBeforeRounding() {
  let usage = TokenUsage(input: 300_000, cached: 300_000, output: 400_000)
  #expect(Cost.settlement(usage, at: price(1, cached: 1, output: 1)) == 1)
}

@Test func everyClassHasItsPrice() {
  let usage = TokenUsage(input: 1, cached: 10, cacheWrite5m: 100, cacheWrite1h: 1000, output: 10_000)
  let prices = price(1_000_000, cached: 2_000_000, write5m: 3_000_000, write1h: 4_000_000, output: 5_000_000)
  #expect(Cost.settlement(usage, at: prices) == 54_321)
}

@Test func aMissingClassCostsAsItsKin() {
  #expect(price(7).cached == 7)
  #expect(price(7).cacheWrite1h == 7)
  #expect(price(7, write5m: 9).cacheWrite1h == 9)
  #expect(price(7, write1h: 11).dearestInput == 11)
}

@Test func theWorstCaseIsNeverBelowAnySettlementInsideIt() {
  let prices = price(2_000_000_000, cached: 200_000_000, write1h: 4_000_000_000, output: 6_000_000_000)
  let worst = Cost.worstCase(input: 1000, outputCap: 500, answers: 2, at: prices) ?? 0
  for split in stride(from: 0, through: 1000, by: 50) as StrideThrough<Int64> {
    let usage = TokenUsage(input: 1000 - split, cached: split / 2, cacheWrite1h: split - split / 2, output: 1000)
    #expect((Cost.settlement(usage, at: prices) ?? .max) <= worst)
  }
}

@Test func negativeAndHugeCountsAreRefused() {
  #expect(Cost.settlement(TokenUsage(input: -1), at: price(1)) == nil)
  #expect(Cost.settlement(TokenUsage(output: .min), at: price(1, output: 1)) == nil)
  #expect(Cost.settlement(TokenUsage(input: .max, output: .max), at: price(.max, output: .max)) == nil)
  #expect(Cost.worstCase(input: 1, outputCap: .max, answers: 2, at: price(1, output: 1)) == nil)
  #expect(Cost.worstCase(input: 1, outputCap: 1, answers: 0, at: price(1)) == nil)
  #expect(Cost.worstCase(input: 1, outputCap: -1, answers: 1, at: price(1)) == nil)
}

@Test(arguments: [
  ("0", 0 as Int64), ("2.00", 2_000_000_000), ("0.025", 25_000_000), ("0.000000001", 1), ("12", 12_000_000_000),
  ("9223372036", 9_223_372_036_000_000_000),
])
func pricesAreExact(text: String, nano: Int64) throws { #expect(try Price.nano(decimal: text) == nano) }

@Test(arguments: [
  "", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", "0.0000000001", "1.2.3", " 1", "9223372037", "99999999999999999999",
  "0x10", "١",
])
func whatIsNoPriceIsRefused(text: String) {
  #expect(throws: RoutingError.self) { try Price.nano(decimal: text) }
}
