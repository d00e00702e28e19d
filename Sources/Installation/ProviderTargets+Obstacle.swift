import Gateway
import Routing

extension ProviderTargets {
  /// Why a candidate cannot be called, whatever policy says.
  enum Obstacle: Hashable, Sendable {
    case price
    /// Missing, or for another origin; in words for the operator.
    case credential(String)
    /// In words for the operator.
    case connection(String)
    /// Nothing here speaks it yet.
    case wire
  }

  /// What stands in the way of ``callable(_:)``; asked only where that has given nil.
  func obstacle(to candidate: Candidate) -> Obstacle {
    let provider = candidate.provider
    let currency = candidate.model.price.currency
    if currency != self.currency, currencyRates[currency] ?? 0 <= 0 { return .price }
    if let name = credentialName(provider), let fault = credentials.fault(name, of: provider) {
      return .credential(fault)
    }
    return transports.faults[provider.id].map { .connection($0) } ?? .wire
  }
}
