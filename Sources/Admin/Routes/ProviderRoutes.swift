import Tenancy

/// The register and its providers' answers: the operator's.
enum ProviderRoutes {
  static let all = [list, check]

  static let list = AdminRoute(
    "provider.list", .get, "/v1/providers", .installation([.providersRead, .providersManage]),
    .read { call in
      try .list(try await call.services.providers.providers().map(ProviderAnswer.init))
    })

  /// Changes nothing and opens nothing, so it is no act for the audit trail; but it uses the credential, so that reading
  /// the register is not enough.
  static let check = AdminRoute(
    "provider.check", .post, "/v1/providers/{provider}/check", .installation(.providersManage),
    .read { call in
      guard let name = call.parameters["provider"], let check = try await call.services.providers.check(name) else {
        throw AdminError.notFound
      }
      return try .json(CheckAnswer(check))
    })
}

private struct ProviderAnswer: Encodable {
  struct Agreement: Encodable {
    let kind: String
    let expires: String?
    let secrecyUndertaking: Bool
  }
  struct Certificate: Encodable {
    let name: String
    let validUntil: String
  }
  struct UnitPrice: Encodable {
    let unit: String
    let amount: Money
  }
  struct Price: Encodable {
    let version: String
    let currency: String
    let input: Money
    let cached: Money
    let cacheWrite5m: Money
    let cacheWrite1h: Money
    let output: Money
    let tiers: [Tier]?
    let unit: UnitPrice?
    enum CodingKeys: String, CodingKey {
      case version, currency, input, cached, output, tiers, unit
      case cacheWrite5m = "cache_write_5m"
      case cacheWrite1h = "cache_write_1h"
    }
  }
  struct Tier: Encodable {
    let tier: String
    let aboveInputTokens: Int64?
    let automatic: Bool
    let input: Money
    let cached: Money
    let cacheWrite5m: Money
    let cacheWrite1h: Money
    let output: Money
    enum CodingKeys: String, CodingKey {
      case tier, automatic, input, cached, output
      case aboveInputTokens = "above_input_tokens"
      case cacheWrite5m = "cache_write_5m"
      case cacheWrite1h = "cache_write_1h"
    }

    init(_ tier: ProviderRecord.Tier) {
      self.tier = tier.name
      aboveInputTokens = tier.aboveInputTokens
      automatic = tier.isAutomatic
      input = tier.input
      cached = tier.cached
      cacheWrite5m = tier.cacheWrite5m
      cacheWrite1h = tier.cacheWrite1h
      output = tier.output
    }
  }
  struct Model: Encodable {
    let id: String
    let maxOutput: Int64
    let context: Int64?
    let capabilities: [String]?
    let price: Price
  }

  let id: String
  let adapter: String
  let endpoint: String
  let local: Bool
  let credential: String?
  let country: String
  let agreement: Agreement
  let certificates: [Certificate]
  let retentionDays: Int
  let training: String
  let models: [Model]
  let fault: String?

  init(_ record: ProviderRecord) {
    id = record.id
    adapter = record.adapter
    endpoint = record.endpoint
    local = record.isLocal
    credential = record.credential
    country = record.country
    agreement = Agreement(
      kind: record.agreement.kind, expires: record.agreement.expires,
      secrecyUndertaking: record.agreement.secrecyUndertaking)
    certificates = record.certificates.map { Certificate(name: $0.name, validUntil: $0.validUntil) }
    retentionDays = record.retentionDays
    training = record.training
    models = record.models.map { model in
      let price = model.price
      return Model(
        id: model.id, maxOutput: model.maxOutput, context: model.context, capabilities: model.capabilities,
        price: Price(
          version: price.version, currency: price.currency, input: price.input, cached: price.cached,
          cacheWrite5m: price.cacheWrite5m, cacheWrite1h: price.cacheWrite1h, output: price.output,
          tiers: price.tiers.isEmpty ? nil : price.tiers.map(Tier.init),
          unit: price.unit.map { UnitPrice(unit: $0.unit, amount: $0.amount) }))
    }
    fault = record.fault
  }
}

private struct CheckAnswer: Encodable {
  let provider: String
  let outcome: String
  let good: Bool
  let status: Int?
  let milliseconds: Int?
  let detail: String
  let missing: [String]

  init(_ check: ProviderCheck) {
    provider = check.provider
    outcome = check.outcome.rawValue
    good = check.outcome.isGood
    status = check.status
    milliseconds = check.milliseconds
    detail = check.detail
    missing = check.missing
  }
}
