import Admin
import Foundation
import Gateway
import Policies
import Routing
import Upstream

extension Administration: ProviderRegister {
  func providers() async throws -> [ProviderRecord] {
    core.policySet.routes.providers.map { provider in
      let target = core.probe(of: provider)
      return Self.record(provider, fault: target.fault ?? target.credentialFault)
    }
  }

  func check(_ name: String) async throws -> ProviderCheck? {
    guard let provider = core.policySet.routes.providers.first(where: { $0.id == name }) else { return nil }
    let target = core.probe(of: provider)
    if let fault = target.fault { return ProviderCheck(provider: name, outcome: .notCallable, detail: fault) }
    if let fault = target.credentialFault {
      return ProviderCheck(provider: name, outcome: .credentialMissing, detail: fault)
    }
    let probe = target.probe(milliseconds: Self.checkMilliseconds)
    let (outcome, elapsed) = await withCheckedContinuation { continuation in
      // Not on a task's thread: it waits for a peer.
      Thread.detachNewThread {
        let clock = SystemClock()
        let start = clock.monotonicNanoseconds
        let outcome = probe.run()
        continuation.resume(returning: (outcome, Int((clock.monotonicNanoseconds - start) / 1_000_000)))
      }
    }
    return Self.check(target, outcome, milliseconds: elapsed)
  }

  /// Of a whole check.
  private static let checkMilliseconds = 10_000

  static func check(_ target: ProbeTarget, _ outcome: ProviderProbe.Outcome, milliseconds: Int) -> ProviderCheck {
    let provider = target.provider
    func check(_ outcome: ProviderCheck.Outcome, _ status: Int?, _ detail: String, _ missing: [String] = [])
      -> ProviderCheck
    {
      ProviderCheck(
        provider: provider.id, outcome: outcome, status: status, milliseconds: milliseconds, detail: detail,
        missing: missing)
    }
    switch outcome {
    case .failed(let failure): return check(.unreachable, nil, failure.rawValue)
    case .connected: return check(.connected, nil, "a connection stands; credential and models were not tried")
    case .answered(let status, let body):
      switch status {
      case 200: break
      case 401: return check(.credentialRefused, status, "the credential is not accepted")
      case 403:
        return check(.forbidden, status, "the credential lacks the right to list models, or its account has none")
      case 404, 405: return check(.noList, status, "it answers, but has no list of models at this endpoint")
      case 429: return check(.rateLimited, status, "it limits our rate now")
      default: return check(.failed, status, "it answers with \(status)")
      }
      guard let names = ModelNames.read(body) else {
        return check(.failed, status, "its answer is no list of models: is the endpoint right?")
      }
      guard target.listsItsModels else {
        return check(.ok, status, "the credential is accepted; its list does not have what the register names")
      }
      let missing = provider.models.map(\.id).filter { !ModelNames.has($0, in: names) }
      guard missing.isEmpty else {
        return check(
          .modelsMissing, status, "not in its list of \(names.count): renamed, retired, or not open to this credential",
          missing)
      }
      return check(.ok, status, "")
    }
  }

  private static func record(_ provider: Provider, fault: String?) -> ProviderRecord {
    ProviderRecord(
      id: provider.id, adapter: provider.adapter.rawValue, endpoint: "\(provider.endpoint)",
      isLocal: provider.isLocal, credential: provider.credential, country: provider.country.code,
      agreement: ProviderRecord.Agreement(
        kind: provider.agreement.kind.rawValue, expires: provider.agreement.expires?.description,
        secrecyUndertaking: provider.agreement.secrecyUndertaking),
      certificates: provider.certificates.sorted { $0.key < $1.key }.map {
        ProviderRecord.Certificate(name: $0.key, validUntil: $0.value.description)
      },
      retentionDays: provider.retentionDays, training: provider.training.rawValue,
      models: provider.models.map { model in
        let price = model.price
        return ProviderRecord.Model(
          id: model.id, maxOutput: model.maxOutput, context: model.context,
          capabilities: model.capabilities?.nameList,
          price: ProviderRecord.Price(
            version: price.version, currency: price.currency, input: Money(nanos: price.input),
            cached: Money(nanos: price.cached), cacheWrite5m: Money(nanos: price.cacheWrite5m),
            cacheWrite1h: Money(nanos: price.cacheWrite1h), output: Money(nanos: price.output),
            tiers: tiers(of: price),
            unit: price.unit.map {
              ProviderRecord.UnitPrice(unit: $0.unit.member, amount: Money(nanos: $0.amount))
            }))
      }, fault: fault)
  }

  /// All that costs otherwise: the price itself is not among them.
  private static func tiers(of price: Price) -> [ProviderRecord.Tier] {
    guard let tiers = price.tiers else { return [] }
    func tier(_ row: PriceTiers.Row, _ price: Price, above: Int64?) -> ProviderRecord.Tier {
      ProviderRecord.Tier(
        name: row.tier.rawValue, aboveInputTokens: above, isAutomatic: tiers.automatic.contains(row.tier),
        input: Money(nanos: price.input), cached: Money(nanos: price.cached),
        cacheWrite5m: Money(nanos: price.cacheWrite5m), cacheWrite1h: Money(nanos: price.cacheWrite1h),
        output: Money(nanos: price.output))
    }
    return tiers.rows.flatMap { row in
      (row.tier == .usual ? [] : [tier(row, row.price, above: nil)])
        + (row.long.map { [tier(row, $0.price, above: $0.above)] } ?? [])
    }
  }
}
