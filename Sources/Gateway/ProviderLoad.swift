public import Routing
import Synchronization

/// What all loops together have under way at one provider, and how many retries it may still be given. Outlives
/// snapshots: a change of policies forgets nothing that is open.
public final class ProviderLoad: Sendable {
  private let open = Atomic<Int>(0)
  private let begun = Atomic<UInt64>(0)
  private let budget: Mutex<RetryBudget>

  public init(_ budget: RetryBudget = RetryBudget()) { self.budget = Mutex(budget) }

  /// Requests under way.
  var outstanding: Int { open.load(ordering: .relaxed) }

  /// Takes a place for an attempt; every `true` is followed by one ``leave()``.
  func enter(limit: Int?) -> Bool {
    let before = open.wrappingAdd(1, ordering: .relaxed).oldValue
    if let limit, before >= limit {
      open.wrappingSubtract(1, ordering: .relaxed)
      return false
    }
    return true
  }

  func leave() { open.wrappingSubtract(1, ordering: .relaxed) }

  /// A first attempt goes out: it earns its share of a retry.
  func noteFirstAttempt() { begun.wrappingAdd(1, ordering: .relaxed) }

  /// Takes one retry from the budget.
  func takesRetry(at milliseconds: Int64) -> Bool {
    let requests = begun.load(ordering: .relaxed)
    return budget.withLock { $0.takes(requests: requests, at: milliseconds) }
  }
}

/// Until when a provider has asked to be left alone with one of its models; for all loops.
public final class ModelRest: Sendable {
  /// Milliseconds of the monotonic clock.
  private let until = Atomic<Int64>(.min)

  public init() {}

  /// How long from now; nil: not at all.
  func remaining(at now: Int64) -> Int64? {
    let until = until.load(ordering: .relaxed)
    return until > now ? until - now : nil
  }

  /// Never shortens a rest: of two answers the later one need not know more.
  public func extend(to instant: Int64) { until.max(instant, ordering: .relaxed) }
}

/// The one load of each provider and the one rest of each of its models, by name.
public final class ProviderLoads: Sendable {
  private struct Known: Sendable {
    var loads: [String: ProviderLoad] = [:]
    var rests: [String: ModelRest] = [:]
  }
  private let known = Mutex(Known())

  public init() {}

  public func load(of provider: String) -> ProviderLoad {
    known.withLock { known in
      if let load = known.loads[provider] { return load }
      let made = ProviderLoad()
      known.loads[provider] = made
      return made
    }
  }

  public func rest(of model: String, at provider: String) -> ModelRest {
    known.withLock { known in
      let name = "\(provider)/\(model)"
      if let rest = known.rests[name] { return rest }
      let made = ModelRest()
      known.rests[name] = made
      return made
    }
  }
}
