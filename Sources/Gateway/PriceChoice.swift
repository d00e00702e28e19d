import Inference
import Routing

extension Exchange {
  /// Which tiers this attempt may be served by: what the client asked for, as far as it reaches the candidate.
  var tierChoice: TierChoice {
    guard scan.tier != .providers, let candidate, candidate.carriesTier(of: scan.route, on: wire) else {
      return .providers
    }
    return PriceTier(scan.tier).map { .only($0) } ?? .providers
  }

  /// Tokens that the prompt has at least. Text of a prompt's length has no more than eight bytes a token on average,
  /// where a single token may have more; a token array says it itself. Of several prompts in one request the longest is at
  /// least their average.
  var leastInput: Int64 { batch?.leastInput ?? scan.leastInput }

  /// What the answer says of its tier. A stream may have said it before it was cut, and with it its usage.
  func answeredTier(_ usage: Usage?) -> AnsweredTier {
    guard let said = usage == nil ? stream.reader.tier : usage?.tier, said != .providers else { return .unsaid }
    return PriceTier(said).map { .said($0) } ?? .unknown
  }
}

extension RequestScan {
  var leastInput: Int64 {
    let bytes = textBytes / 8
    let prompts = route == .embeddings || route == .completions ? max(1, inputItems) : 1
    return Int64(clamping: max(bytes, tokenCount) / prompts)
  }
}

extension CallableModel {
  /// Whether a request that names a tier may go here: only where it has a price and arrives as it was asked for.
  func admits(_ tier: ServiceTier, of route: InferenceRoute, on wire: ProviderWire) -> Bool {
    guard tier.needsPrice else { return true }
    guard let priced = PriceTier(tier) else { return false }
    return price.offers(priced) && carriesTier(of: route, on: wire)
  }

  /// Whether `service_tier` travels: between dialects it does only where both mean the same by it.
  fileprivate func carriesTier(of route: InferenceRoute, on wire: ProviderWire) -> Bool {
    (wire == route.ownWire || route == .responses && wire == .chat)
      && !provider.traits.deniedFields.contains("service_tier")
  }
}

extension PriceTier {
  /// Nil for what is no tier by itself.
  init?(_ tier: ServiceTier) {
    switch tier {
    case .usual: self = .usual
    case .flex: self = .flex
    case .priority: self = .priority
    case .scale: self = .scale
    case .fast: self = .fast
    case .providers, .other: return nil
    }
  }
}
