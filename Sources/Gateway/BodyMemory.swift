import Synchronization
import Tenancy

/// How many bytes of bodies lie in memory, of the process and of each tenant, and how many may.
///
/// Loops take from it in steps (``LoopBodies``), so that a request costs its loop two additions and no shared cache line
/// of the process.
public final class BodyMemory: Sendable {
  private let limit: Int
  let limitPerTenant: Int
  /// What a loop takes at a time beyond its need: its spare is at most twice that.
  let step: Int
  private let taken = Atomic<Int>(0)
  private let shares = Mutex<[TenantID: TenantBodies]>([:])
  private let refused = Atomic<Int>(0)
  private let refusedPerTenant = Atomic<Int>(0)

  public init(_ limits: Limits) {
    limit = limits.heldBodiesBytes
    limitPerTenant = limits.heldBodiesBytesPerTenant
    step = max(1, limits.heldBodiesBytes / 256)
  }

  /// - Parameter isForced: What is taken is there already, and counts whatever the limit says.
  func take(_ bytes: Int, isForced: Bool = false) -> Bool {
    let after = taken.wrappingAdd(bytes, ordering: .relaxed).newValue
    if after <= limit || isForced { return true }
    taken.wrappingSubtract(bytes, ordering: .relaxed)
    return false
  }

  func give(_ bytes: Int) { taken.wrappingSubtract(bytes, ordering: .relaxed) }

  /// The tenant's share, the same for all loops.
  func share(of tenant: TenantID) -> TenantBodies {
    shares.withLock { shares in
      if let share = shares[tenant] { return share }
      let share = TenantBodies()
      shares[tenant] = share
      return share
    }
  }

  func noteRefusal(ofTenant: Bool) {
    if ofTenant {
      refusedPerTenant.wrappingAdd(1, ordering: .relaxed)
    } else {
      refused.wrappingAdd(1, ordering: .relaxed)
    }
  }

  public struct Reading: Sendable, Equatable {
    /// Bytes that are held or that a loop keeps ready, steps included.
    public var bytes = 0
    /// Requests refused because of the process's limit, and of their tenant's.
    public var refused = 0
    public var refusedPerTenant = 0
  }

  public var reading: Reading {
    Reading(
      bytes: taken.load(ordering: .relaxed), refused: refused.load(ordering: .relaxed),
      refusedPerTenant: refusedPerTenant.load(ordering: .relaxed))
  }
}

/// What one tenant holds, over all loops.
final class TenantBodies: Sendable {
  private let held = Atomic<Int>(0)

  var bytes: Int { held.load(ordering: .relaxed) }

  /// - Parameter limit: Nil: what is taken is there already.
  func take(_ bytes: Int, limit: Int?) -> Bool {
    let after = held.wrappingAdd(bytes, ordering: .relaxed).newValue
    guard let limit, after > limit else { return true }
    held.wrappingSubtract(bytes, ordering: .relaxed)
    return false
  }

  func give(_ bytes: Int) { held.wrappingSubtract(bytes, ordering: .relaxed) }
}

/// What the exchanges of one loop hold, and what the loop has taken for them from the process's memory.
struct LoopBodies {
  enum Outcome { case taken, full, tenantFull }

  private let memory: BodyMemory
  private(set) var held = 0
  private var taken = 0

  init(_ memory: BodyMemory) { self.memory = memory }

  /// - Parameter isForced: The bytes are in memory already: they count, and stand in the way of others.
  mutating func take(_ bytes: Int, for exchange: Exchange, isForced: Bool = false) -> Outcome {
    var share = exchange.bodyShare
    if share == nil, let caller = exchange.caller { share = self.share(of: caller) }
    if let share, !share.take(bytes, limit: isForced ? nil : memory.limitPerTenant) {
      memory.noteRefusal(ofTenant: true)
      return .tenantFull
    }
    guard cover(held &+ bytes, isForced: isForced) else {
      share?.give(bytes)
      memory.noteRefusal(ofTenant: false)
      return .full
    }
    held &+= bytes
    exchange.bodyShare = share
    exchange.heldBytes &+= bytes
    return .taken
  }

  /// Everything that the exchange holds.
  mutating func giveAll(of exchange: Exchange) {
    give(exchange.heldBytes, of: exchange)
    exchange.bodyShare = nil
  }

  /// Some of what the exchange holds.
  mutating func give(_ bytes: Int, of exchange: Exchange) {
    guard bytes > 0 else { return }
    exchange.bodyShare?.give(bytes)
    exchange.heldBytes &-= bytes
    held &-= bytes
    let spare = taken &- held
    guard spare > 2 &* memory.step else { return }
    memory.give(spare &- memory.step)
    taken = held &+ memory.step
  }

  private mutating func cover(_ need: Int, isForced: Bool) -> Bool {
    let missing = need &- taken
    guard missing > 0 else { return true }
    // Near the limit no step is left for the loop, but what it needs may be.
    if memory.take(missing &+ memory.step) {
      taken &+= missing &+ memory.step
      return true
    }
    guard memory.take(missing, isForced: isForced) else { return false }
    taken &+= missing
    return true
  }

  /// Looked up once for each key of a snapshot, and kept with it.
  private func share(of caller: Caller) -> TenantBodies {
    caller.bodies.load() ?? caller.bodies.storeIfNil(memory.share(of: caller.principal.tenant))
  }
}
