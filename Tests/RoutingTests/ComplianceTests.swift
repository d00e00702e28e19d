import Routing
import Testing

private func day(_ text: String) throws -> CalendarDay { try CalendarDay(text) }

private func provider(
  _ id: String = "p", country: String = "FR", agreement: Agreement.Kind = .avv, expires: String? = "2026-12-31",
  undertaking: Bool = false, certificates: [String: String] = [:], retention: Int = 0, training: Training = .never,
  price: Int64 = 1, currency: String = "EUR"
) throws -> Provider {
  Provider(
    id: id, adapter: .openAICompatible, endpoint: try Endpoint("https://\(id).example/v1", local: false),
    credential: id, country: try Country(country),
    agreement: Agreement(kind: agreement, expires: try expires.map(day), secrecyUndertaking: undertaking),
    certificates: try certificates.mapValues(day), retentionDays: retention, training: training,
    models: [
      Model(
        id: "m", maxOutput: 10,
        price: Price(version: "v", currency: currency, input: price, output: price))
    ],
    traits: .usual(for: .openAICompatible))
}

private func requirement(
  _ countries: [String] = ["EU"], agreement: Bool = true, training: Training = .never, retention: Int = 0,
  certificates: Set<String> = [], undertaking: Bool = false
) throws -> ComplianceRequirement {
  var all = Set<Country>()
  for word in countries { all.formUnion(try Country.expand(word)) }
  return ComplianceRequirement(
    countries: all, agreementRequired: agreement, training: training, retentionDays: retention,
    certificates: certificates, secrecyUndertaking: undertaking)
}

private typealias Obstacle = ComplianceRequirement.Obstacle

@Test func complianceTable() throws {
  let today = try day("2026-11-24")
  let rows: [(String, Provider, ComplianceRequirement, Obstacle?)] = [
    ("all met", try provider(), try requirement(), nil),
    ("country inside EU", try provider(country: "DE"), try requirement(["EU"]), nil),
    ("Norway is EEA", try provider(country: "NO"), try requirement(["EEA"]), nil),
    ("Norway is not EU", try provider(country: "NO"), try requirement(["EU"]), .country),
    ("Switzerland is not EEA", try provider(country: "CH"), try requirement(["EU", "EEA"]), .country),
    ("Switzerland by name", try provider(country: "CH"), try requirement(["EEA", "CH"]), nil),
    ("DACH has Liechtenstein", try provider(country: "LI"), try requirement(["DACH"]), nil),
    ("Great Britain left", try provider(country: "GB"), try requirement(["EU"]), .country),
    ("no country allowed", try provider(), try requirement([]), .country),
    ("agreement's last day", try provider(expires: "2026-11-24"), try requirement(), nil),
    ("the day after", try provider(expires: "2026-11-23"), try requirement(), .agreementExpired),
    (
      "expired is out even where none is required", try provider(expires: "2026-11-23"),
      try requirement(agreement: false), .agreementExpired
    ),
    ("open end", try provider(expires: nil), try requirement(), nil),
    ("no agreement", try provider(agreement: .none, expires: nil), try requirement(), .agreementMissing),
    ("none needed", try provider(agreement: .none, expires: nil), try requirement(agreement: false), nil),
    ("own machine", try provider(agreement: .own, expires: nil), try requirement(), nil),
    ("opt-out is not never", try provider(training: .optOut), try requirement(), .training),
    ("opt-out accepted", try provider(training: .optOut), try requirement(training: .optOut), nil),
    ("allowed is not opt-out", try provider(training: .allowed), try requirement(training: .optOut), .training),
    ("retention equal", try provider(retention: 30), try requirement(retention: 30), nil),
    ("retention longer", try provider(retention: 31), try requirement(retention: 30), .retention),
    ("certificate missing", try provider(), try requirement(certificates: ["c5-type2"]), .certificate),
    (
      "certificate's last day", try provider(certificates: ["c5-type2": "2026-11-24"]),
      try requirement(certificates: ["c5-type2"]), nil
    ),
    (
      "certificate over", try provider(certificates: ["c5-type2": "2026-11-23"]),
      try requirement(certificates: ["c5-type2"]), .certificate
    ),
    (
      "each certificate counts", try provider(certificates: ["iso27001": "2027-01-01"]),
      try requirement(certificates: ["c5-type2", "iso27001"]), .certificate
    ),
    ("secrecy not undertaken", try provider(), try requirement(undertaking: true), .secrecy),
    ("secrecy undertaken", try provider(undertaking: true), try requirement(undertaking: true), nil),
    ("own machine keeps secrets", try provider(agreement: .own), try requirement(undertaking: true), nil),
  ]
  for (name, provider, requirement, expected) in rows {
    #expect(requirement.obstacle(to: provider, on: today) == expected, "\(name)")
  }
}

private let now: Int64 = 1_795_000_000  // 2026-11-18

private func table(_ order: Alias.Order, _ candidates: [Candidate]) -> RouteTable {
  RouteTable(
    providers: candidates.map(\.provider), aliases: [Alias(name: "a", order: order, candidates: candidates)])
}

private func candidate(_ provider: Provider, weight: Int = 1) throws -> Candidate {
  Candidate(provider: provider, model: try #require(provider.models.first), weight: weight)
}

@Test func theFilterCoversEveryCandidateNotOnlyTheFirst() throws {
  let routes = table(
    .listed,
    [
      try candidate(provider("us", country: "US")), try candidate(provider("fr")),
      try candidate(provider("old", expires: "2026-01-01")), try candidate(provider("de", country: "DE")),
    ])
  #expect(
    try routes.candidates(for: "a", meeting: requirement(), epochSeconds: now).map(\.provider.id) == ["fr", "de"])
}

@Test func anExpiredAgreementTakesTheRouteOut() throws {
  let routes = table(.listed, [try candidate(provider(expires: "2026-11-17"))])
  #expect(throws: RouteRefusal.compliance(.agreementExpired)) {
    try routes.candidates(for: "a", meeting: requirement(), epochSeconds: now)
  }
  let before = try day("2026-11-17").endSeconds - 1
  #expect(try routes.candidates(for: "a", meeting: requirement(), epochSeconds: before).count == 1)
  #expect(throws: RouteRefusal.self) {
    try routes.candidates(for: "a", meeting: requirement(), epochSeconds: before + 1)
  }
}

@Test func anUnknownAliasIsUnknown() throws {
  #expect(throws: RouteRefusal.unknownAlias) {
    try table(.listed, []).candidates(for: "b", meeting: requirement(), epochSeconds: now)
  }
}

@Test func cheapestSortsByPriceAndKeepsTies() throws {
  let routes = table(
    .cheapest,
    [
      try candidate(provider("b", price: 5)), try candidate(provider("a", price: 5)),
      try candidate(provider("c", price: 2)), try candidate(provider("usd", price: 1, currency: "USD")),
    ])
  #expect(
    try routes.candidates(for: "a", meeting: requirement(), epochSeconds: now).map(\.provider.id)
      == ["c", "b", "a", "usd"])
}

@Test func weightedDrawsInProportion() throws {
  let routes = table(
    .weighted, [try candidate(provider("heavy"), weight: 9), try candidate(provider("light"), weight: 1)])
  var first = 0
  for draw in 0..<1000 as Range<UInt64> {
    let order = try routes.candidates(for: "a", meeting: requirement(), epochSeconds: now, draw: draw)
    #expect(order.count == 2)
    if order.first?.provider.id == "heavy" { first += 1 }
  }
  #expect((860...940).contains(first))
}
