/// A provider's model as a target of requests.
public struct Candidate: Hashable, Sendable {
  public let provider: Provider
  public let model: Model
  /// Share among candidates of a weighted route, or of one by what is under way; 1 or more.
  public let weight: Int

  public init(provider: Provider, model: Model, weight: Int = 1) {
    self.provider = provider
    self.model = model
    self.weight = weight
  }

  /// `provider/model`, as routing files write it.
  public var name: String { "\(provider.id)/\(model.id)" }
}

/// A model name that applications use, with what may serve it.
public struct Alias: Hashable, Sendable {
  public enum Order: String, Sendable, CaseIterable {
    case listed, cheapest, weighted
    /// Whoever has the least under way, measured by weight.
    case leastOutstanding = "least-outstanding"
  }

  public let name: String
  public let order: Order
  public let candidates: [Candidate]

  public init(name: String, order: Order, candidates: [Candidate]) {
    self.name = name
    self.order = order
    self.candidates = candidates
  }
}

/// Why no candidate is left.
public enum RouteRefusal: Hashable, Sendable, Error {
  /// No such alias; a client sees the same 404 as for one it may not use.
  case unknownAlias
  /// The requirement excludes every candidate; the rule that stopped the last one looked at.
  case compliance(ComplianceRequirement.Obstacle)
}

/// All aliases of a policy set.
public struct RouteTable: Sendable {
  public let providers: [Provider]
  public let aliases: [String: Alias]

  public init(providers: [Provider], aliases: [Alias]) {
    self.providers = providers
    self.aliases = Dictionary(aliases.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The candidates that the requirement leaves, best first: for first try, retry and fallback alike.
  ///
  /// `listed` keeps the file's order, `cheapest` sorts by the price of one input and one output token (ties: listed),
  /// `weighted` draws without replacement; `least-outstanding` is as listed here, where nobody knows what is under way.
  /// - Parameters:
  ///   - epochSeconds: Now; agreements and certificates end by it.
  ///   - draw: A random number for a weighted route; the same one gives the same order.
  public func candidates(
    for alias: String, meeting requirement: ComplianceRequirement, epochSeconds: Int64, draw: UInt64 = 0
  ) throws(RouteRefusal) -> [Candidate] {
    guard let alias = aliases[alias] else { throw .unknownAlias }
    return try Self.candidates(of: alias, meeting: requirement, epochSeconds: epochSeconds, draw: draw)
  }

  /// ``candidates(for:meeting:epochSeconds:draw:)`` for an alias at hand.
  public static func candidates(
    of alias: Alias, meeting requirement: ComplianceRequirement, epochSeconds: Int64, draw: UInt64 = 0
  ) throws(RouteRefusal) -> [Candidate] {
    let today = CalendarDay(epochSeconds: epochSeconds)
    var allowed: [Candidate] = []
    allowed.reserveCapacity(alias.candidates.count)
    var last = ComplianceRequirement.Obstacle.country
    for candidate in alias.candidates {
      if let obstacle = requirement.obstacle(to: candidate.provider, on: today) {
        last = obstacle
      } else {
        allowed.append(candidate)
      }
    }
    guard !allowed.isEmpty else { throw .compliance(last) }
    switch alias.order {
    case .listed, .leastOutstanding: return allowed
    case .cheapest: return byPrice(allowed)
    case .weighted: return drawn(allowed, draw)
    }
  }

  /// Candidates in another currency than the first cannot be compared and stand behind, as listed.
  private static func byPrice(_ candidates: [Candidate]) -> [Candidate] {
    guard let currency = candidates.first?.model.price.currency else { return [] }
    func key(_ candidate: Candidate) -> Int64 {
      let price = candidate.model.price
      return price.currency == currency ? price.rank : .max
    }
    return candidates.enumerated()
      .sorted { left, right in
        let (cheap, dear) = (key(left.element), key(right.element))
        return cheap == dear ? left.offset < right.offset : cheap < dear
      }
      .map(\.element)
  }

  private static func drawn(_ candidates: [Candidate], _ draw: UInt64) -> [Candidate] {
    var left = candidates
    var out: [Candidate] = []
    var state = draw
    while !left.isEmpty {
      // SplitMix64 (Steele, Lea, Flood 2014): one draw gives the whole order.
      state &+= 0x9E37_79B9_7F4A_7C15
      var mixed = state
      mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
      mixed ^= mixed >> 31
      let total = left.reduce(UInt64(0)) { $0 &+ UInt64(max(1, $1.weight)) }
      var point = mixed % max(1, total)
      var chosen = left.count - 1
      for (index, candidate) in left.enumerated() {
        let weight = UInt64(max(1, candidate.weight))
        if point < weight {
          chosen = index
          break
        }
        point -= weight
      }
      out.append(left.remove(at: chosen))
    }
    return out
  }
}
