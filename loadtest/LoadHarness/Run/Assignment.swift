/// Who sends what next: tenant, key and class of a request.
struct Assignment: Equatable {
  let tenant: Int
  let key: Int
  let kind: Int
  /// Whether the client gives this one up.
  let aborts: Bool
}

/// Draws the requests of one lane, the same on every run with the same seed: first the tenant, then one of its classes.
struct RequestDraw {
  /// What one tenant sends. Each has a turn of its own: if all shared one, tenants that take turns would each meet the
  /// same class again and again.
  private struct Mix {
    let kinds: [Int]
    var choice: WeightedChoice
    let keys: Range<Int>
    var nextKey: Int
  }

  private var random: SeededRandom
  private var tenants: WeightedChoice
  private var mixes: [Mix]
  private let abortShares: [Double]

  init(_ plan: LoadPlan, _ requests: PreparedRequests, lane: Int) {
    random = SeededRandom(seed: plan.seed &+ UInt64(lane) &* 0x9E37_79B9)
    // Lanes and tenants begin at different places, so that few requests still reach every class, tenant and key.
    tenants = WeightedChoice(plan.tenants.map(\.weight), first: plan.tenants.count * lane / plan.loops)
    mixes = zip(plan.tenants, requests.keysOfTenants).enumerated().map { index, part in
      let (tenant, keys) = part
      let kinds = plan.classes.indices.filter { plan.classes[$0].isSent(by: tenant) }
      return Mix(
        kinds: kinds,
        choice: WeightedChoice(
          kinds.map { plan.classes[$0].weight }, first: kinds.count * lane / plan.loops + index),
        keys: keys, nextKey: keys.lowerBound + keys.count * lane / plan.loops)
    }
    abortShares = plan.classes.map { $0.abort?.share ?? 0 }
  }

  /// - Parameter bound: The tenant whose connection it is, if connections belong to tenants.
  mutating func next(bound: Int?) -> Assignment {
    let tenant = bound ?? tenants.next(&random)
    let kind = mixes[tenant].kinds[mixes[tenant].choice.next(&random)]
    let (key, keys) = (mixes[tenant].nextKey, mixes[tenant].keys)
    mixes[tenant].nextKey = key + 1 < keys.upperBound ? key + 1 : keys.lowerBound
    let share = abortShares[kind]
    return Assignment(tenant: tenant, key: key, kind: kind, aborts: share > 0 && random.fraction() < share)
  }
}
