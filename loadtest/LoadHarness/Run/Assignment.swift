/// Who sends what next: tenant, key and class of a request.
struct Assignment: Equatable {
  let tenant: Int
  let key: Int
  let kind: Int
  /// Whether the client gives this one up.
  let aborts: Bool
}

/// Draws the requests of one lane, the same on every run with the same seed.
struct RequestDraw {
  private var random: SeededRandom
  private var classes: WeightedChoice
  private var tenants: WeightedChoice
  private let keys: [Range<Int>]
  private var nextKeys: [Int]
  private let abortShares: [Double]

  init(_ plan: LoadPlan, _ requests: PreparedRequests, lane: Int) {
    random = SeededRandom(seed: plan.seed &+ UInt64(lane) &* 0x9E37_79B9)
    // Lanes begin at different places, so that few requests on many lanes still reach every class, tenant and key.
    classes = WeightedChoice(plan.classes.map(\.weight), first: plan.classes.count * lane / plan.loops)
    tenants = WeightedChoice(plan.tenants.map(\.weight), first: plan.tenants.count * lane / plan.loops)
    keys = requests.keysOfTenants
    nextKeys = keys.map { $0.lowerBound + $0.count * lane / plan.loops }
    abortShares = plan.classes.map { $0.abort?.share ?? 0 }
  }

  /// - Parameter bound: The tenant whose connection it is, if connections belong to tenants.
  mutating func next(bound: Int?) -> Assignment {
    let tenant = bound ?? tenants.next(&random)
    let kind = classes.next(&random)
    let key = nextKeys[tenant]
    nextKeys[tenant] = key + 1 < keys[tenant].upperBound ? key + 1 : keys[tenant].lowerBound
    let share = abortShares[kind]
    return Assignment(tenant: tenant, key: key, kind: kind, aborts: share > 0 && random.fraction() < share)
  }
}
