internal import Routing

/// Reads what stands beside the amounts of a price: `above`, `tiers` and `auto`.
struct PriceTiersReader {
  let report: Report
  /// A model that writes needs the price of its output in each of them.
  let writesOutput: Bool
  /// Nil where it is not known, which was reported.
  let adapter: Adapter?

  /// The amounts of one price; version and currency are those of the price that they stand beside.
  struct Amounts {
    let input: Int64
    let cached: Int64?
    let cacheWrite5m: Int64?
    let cacheWrite1h: Int64?
    let output: Int64?

    fileprivate func price(like base: Price) -> Price {
      Price(
        version: base.version, currency: base.currency, input: input, cached: cached, cacheWrite5m: cacheWrite5m,
        cacheWrite1h: cacheWrite1h, output: output)
    }
  }

  struct Long {
    let above: Int64
    let amounts: Amounts

    fileprivate func prices(like base: Price) -> PriceTiers.LongPrompt {
      PriceTiers.LongPrompt(above: above, price: amounts.price(like: base))
    }
  }

  /// What was read, as long as the price beside it is not known.
  struct Read {
    fileprivate var long: Long?
    fileprivate var tiers: [(tier: PriceTier, amounts: Amounts, long: Long?)] = []
    fileprivate var automatic: [PriceTier]?

    func beside(_ base: Price) -> PriceTiers {
      PriceTiers(
        [PriceTiers.Row(.usual, base, long: long?.prices(like: base))]
          + tiers.map { PriceTiers.Row($0.tier, $0.amounts.price(like: base), long: $0.long?.prices(like: base)) },
        automatic: automatic)
    }
  }

  /// Nil where the price is the only one.
  func tiers(_ map: MapReader) -> Read? {
    var read = Read()
    read.long = long(map, "'above'")
    if let node = map.node("tiers"), let inner = MapReader(node, "'tiers'", report) {
      for entry in inner.all {
        guard let tier = tier(entry.key, at: entry.keyPlace),
          let map = MapReader(entry.value, "tier '\(entry.key)'", report)
        else { continue }
        let amounts = amounts(map)
        let long = long(map, "'above' of tier '\(entry.key)'")
        map.finish()
        if let amounts { read.tiers.append((tier, amounts, long)) }
      }
    }
    read.automatic = automatic(map, priced: read.tiers.map(\.tier))
    return read.long == nil && read.tiers.isEmpty ? nil : read
  }

  /// A tier of the list that the adapter's wire can name.
  private func tier(_ name: String, at place: Place) -> PriceTier? {
    let known = Self.known(to: adapter)
    switch name {
    case "default", "standard", "standard_only":
      report.error("'\(name)' is the price itself", at: place, hint: "write its amounts beside 'version'")
    case "auto":
      report.error("'auto' is no tier", at: place, hint: "which tiers the provider may choose: auto, beside 'tiers'")
    default:
      if let tier = PriceTier(rawValue: name), known.contains(tier) { return tier }
      let what = adapter.map { " of the adapter '\($0.rawValue)'" } ?? ""
      report.error(
        "'\(name)' is no tier\(what)", at: place,
        hint: Suggestion.hint(for: name, among: known.map(\.rawValue))
          ?? (known.isEmpty ? "its requests and answers name none" : nil))
    }
    return nil
  }

  /// Elsewhere no request could ask for one and no answer tell, so that its price would silently do nothing.
  private static func known(to adapter: Adapter?) -> [PriceTier] {
    switch adapter {
    case .anthropic: [.priority]
    case .openAI, .azure, .openAICompatible, .vllm, .ollama, nil: [.flex, .priority, .scale, .fast, .batch]
    case .mistral, .gemini, .bedrock: []
    }
  }

  private func long(_ map: MapReader, _ what: String) -> Long? {
    guard let node = map.node("above"), let inner = MapReader(node, what, report) else { return nil }
    let above = inner.requiredText("input-tokens").flatMap { text in
      inner.measured(text, "input-tokens") { (text) throws(UnitError) in
        let count = try Units.count(text)
        guard count > 0 else { throw UnitError(hint: "1 or more; what shorter prompts cost stands outside of 'above'") }
        return count
      }
    }
    let amounts = amounts(inner)
    inner.finish()
    guard let above, let amounts else { return nil }
    return Long(above: above.value, amounts: amounts)
  }

  private func amounts(_ map: MapReader) -> Amounts? {
    func nano(_ key: String) -> Int64? {
      guard let text = map.text(key) else { return nil }
      do throws(RoutingError) { return try Price.nano(decimal: text.value) } catch {
        report.error("'\(text.value)' is no price", at: text.place, hint: error.message)
        return nil
      }
    }
    let input = map.required("input").flatMap { _ in nano("input") }
    let output = nano("output")
    if writesOutput, map.node("output") == nil {
      report.error("\(map.what) needs 'output'", at: map.place, hint: "unknown is never free")
    }
    let (cached, write5m, write1h) = (nano("cached"), nano("cache-write-5m"), nano("cache-write-1h"))
    return input.map {
      Amounts(input: $0, cached: cached, cacheWrite5m: write5m, cacheWrite1h: write1h, output: output)
    }
  }

  /// The tiers from which the provider chooses where a request names none.
  private func automatic(_ map: MapReader, priced: [PriceTier]) -> [PriceTier]? {
    guard let list = map.texts("auto") else { return nil }
    if map.node("tiers") == nil {
      report.error("'auto' chooses among 'tiers', and there are none", at: list.place)
      return nil
    }
    if list.value.isEmpty { report.error("'auto' names no tier", at: list.place, hint: "write [default]") }
    var tiers: [PriceTier] = []
    for word in list.value {
      if let tier = PriceTier(rawValue: word.value), tier != .batch, tier == .usual || priced.contains(tier) {
        tiers.append(tier)
      } else {
        report.error(
          "'auto' names '\(word.value)', which has no price", at: word.place,
          hint: Suggestion.hint(for: word.value, among: ([.usual] + priced.filter { $0 != .batch }).map(\.rawValue)))
      }
    }
    return tiers.isEmpty ? nil : tiers
  }
}
