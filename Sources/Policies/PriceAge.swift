internal import Routing

/// Where a price of the register was written, for what can be said of it later.
struct PriceSource: Sendable {
  let provider: String
  let model: String
  let version: String
  /// One's own machine, as a rule: nothing that can grow old.
  let isFree: Bool
  let place: Place
}

/// The prices of a register while it is read.
final class PriceSources {
  var all: [PriceSource] = []
}

extension PolicySet {
  /// Warnings of prices whose version is a date longer ago than that, or no date at all: nobody knows whether they
  /// still hold, and budgets and bills stand on them.
  public func oldPrices(epochSeconds: Int64, afterDays days: Int) -> [PolicyDiagnostic] {
    let today = CalendarDay(epochSeconds: epochSeconds)
    return prices.compactMap { price in
      guard !price.isFree else { return nil }
      let name = "\(price.provider)/\(price.model)"
      guard let day = try? CalendarDay(price.version) else {
        return PolicyDiagnostic(
          .warning, "the price of '\(name)' has the version '\(price.version)', which is no date", at: price.place,
          hint: "write the day on which it was looked up, so that its age can be told")
      }
      let age = today.daysSinceEpoch - day.daysSinceEpoch
      guard age > days else { return nil }
      return PolicyDiagnostic(
        .warning, "the price of '\(name)' is of \(price.version), \(age) days ago", at: price.place,
        hint: "look it up at the provider; then write the price with today's date into the record")
    }
  }
}
