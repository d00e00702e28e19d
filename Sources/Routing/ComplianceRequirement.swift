/// What a tenant's policy asks of every provider that may see its requests.
public struct ComplianceRequirement: Hashable, Sendable {
  /// Where processing may happen; empty: nowhere.
  public let countries: Set<Country>
  public let agreementRequired: Bool
  /// The most a provider may do.
  public let training: Training
  public let retentionDays: Int
  /// Names in lower case; each must be valid.
  public let certificates: Set<String>
  /// Whether the provider must be bound to secrecy. One's own machine always is.
  public let secrecyUndertaking: Bool

  public init(
    countries: Set<Country>, agreementRequired: Bool = true, training: Training = .never, retentionDays: Int = 0,
    certificates: Set<String> = [], secrecyUndertaking: Bool = false
  ) {
    self.countries = countries
    self.agreementRequired = agreementRequired
    self.training = training
    self.retentionDays = retentionDays
    self.certificates = certificates
    self.secrecyUndertaking = secrecyUndertaking
  }

  /// A reason why a provider may not serve; the raw value is the rule id of the refusal.
  public enum Obstacle: String, Sendable, CaseIterable {
    case country = "compliance.countries"
    case agreementMissing = "compliance.agreement"
    case agreementExpired = "compliance.agreement-expired"
    case training = "compliance.training"
    case retention = "compliance.retention"
    case certificate = "compliance.certificates"
    case secrecy = "secrecy.undertaking"
  }

  /// The first thing that stands in the way, in the order of ``Obstacle``; nil if the provider may serve.
  /// - Parameter today: In UTC. An agreement or certificate holds through its last day.
  // With every request, and a call would be given a copy of the provider: only what is inlinable is inlined for sure.
  @inlinable @inline(__always)
  public func obstacle(to provider: Provider, on today: CalendarDay) -> Obstacle? {
    guard countries.contains(provider.country) else { return .country }
    // An agreement that ran out takes the route out, whether this tenant requires one or not.
    if let expires = provider.agreement.expires, today > expires { return .agreementExpired }
    if agreementRequired, provider.agreement.kind == .none { return .agreementMissing }
    guard provider.training <= training else { return .training }
    guard provider.retentionDays <= retentionDays else { return .retention }
    for name in certificates {
      guard let lastDay = provider.certificates[name], today <= lastDay else { return .certificate }
    }
    if secrecyUndertaking, !provider.agreement.secrecyUndertaking, provider.agreement.kind != .own { return .secrecy }
    return nil
  }
}
