import Synchronization
import Tenancy

/// How many bytes of bodies lie in memory, of the process and of each tenant, and how many may.
///
/// Loops take from it in steps (``LoopBodies``), so that a request costs its loop two additions and no shared cache line
/// of the process.
public final class BodyMemory: Sendable {
  private let limit: Int
  let limitPerTenant: Int
  /// What answers, which nobody can refuse before they are there, may bring it to.
  private let most: Int
  private let mostPerTenant: Int
  /// What a loop takes at a time beyond its need: its spare is at most twice that.
  let step: Int
  private let taken = Atomic<Int>(0)
  private let shares = Mutex<[TenantID: TenantBodies]>([:])
  private let refused = Atomic<Int>(0)
  private let refusedPerTenant = Atomic<Int>(0)
  private let refusedPlaces = Atomic<Int>(0)
  private let beyond = Atomic<Int>(0)

  public init(_ limits: Limits) {
    limit = limits.heldBodiesBytes
    limitPerTenant = limits.heldBodiesBytesPerTenant
    // As much again, and in any case one exchange of the largest size: its body, once more as it is sent, its answer.
    let largest = 2 * limits.bodyBytes + limits.answerBytes
    most = limit + max(limit, largest)
    mostPerTenant = limitPerTenant + max(limitPerTenant, largest)
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

  /// Whether what was forced upon the memory is more than it bears, and whose doing that is.
  func bearing(_ share: TenantBodies?) -> LoopBodies.Outcome {
    if let share, share.bytes > mostPerTenant { return .tenantFull }
    return taken.load(ordering: .relaxed) + beyond.load(ordering: .relaxed) > most ? .full : .taken
  }

  /// Bytes that a tenant holds beyond its share are in nobody's way but its own.
  func noteBeyond(_ bytes: Int) {
    if bytes != 0 { beyond.wrappingAdd(bytes, ordering: .relaxed) }
  }

  /// The tenant's share, the same for all loops.
  func share(of tenant: TenantID) -> TenantBodies {
    shares.withLock { shares in
      if let share = shares[tenant] { return share }
      let share = TenantBodies(limit: limitPerTenant)
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

  func noteRefusedPlace() { refusedPlaces.wrappingAdd(1, ordering: .relaxed) }

  public struct Reading: Sendable, Equatable {
    /// Bytes that are held or that a loop keeps ready, steps included.
    public var bytes = 0
    /// Bytes of answers that tenants hold beyond their shares, not among ``bytes``.
    public var beyondShares = 0
    /// Requests refused because of the process's limit, and of their tenant's.
    public var refused = 0
    public var refusedPerTenant = 0
    /// Requests refused because their tenant has too many connections.
    public var refusedPlaces = 0
  }

  public var reading: Reading {
    Reading(
      bytes: taken.load(ordering: .relaxed), beyondShares: beyond.load(ordering: .relaxed),
      refused: refused.load(ordering: .relaxed), refusedPerTenant: refusedPerTenant.load(ordering: .relaxed),
      refusedPlaces: refusedPlaces.load(ordering: .relaxed))
  }
}

/// What one tenant holds, over all loops.
///
/// Of it the process counts what is within the tenant's limit. Each change says by how much that has changed, so the
/// loops' counts always add up, though one may have given what another has taken.
final class TenantBodies: Sendable {
  private let held = Atomic<Int>(0)
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  var bytes: Int { held.load(ordering: .relaxed) }

  /// All of it or nothing. Bytes that do not fit are never seen by others, whose changes would be counted wrong.
  func take(_ bytes: Int) -> Bool {
    var current = held.load(ordering: .relaxed)
    while current &+ bytes <= limit {
      let (isTaken, original) = held.weakCompareExchange(
        expected: current, desired: current &+ bytes, ordering: .relaxed)
      if isTaken { return true }
      current = original
    }
    return false
  }

  // MARK: Connections

  private let connections = Atomic<Int>(0)

  func enter(limit: Int) -> Bool {
    guard connections.wrappingAdd(1, ordering: .relaxed).newValue > limit else { return true }
    leave()
    return false
  }

  func leave() { connections.wrappingSubtract(1, ordering: .relaxed) }

  // MARK: Bytes

  /// What is taken is there already.
  /// - Returns: How much of it is within the limit.
  func force(_ bytes: Int) -> Int {
    let (before, after) = held.wrappingAdd(bytes, ordering: .relaxed)
    return min(after, limit) &- min(before, limit)
  }

  /// - Returns: How much less is within the limit now.
  func give(_ bytes: Int) -> Int {
    let (before, after) = held.wrappingSubtract(bytes, ordering: .relaxed)
    return min(before, limit) &- min(after, limit)
  }
}

/// A tenant's share, kept by whoever has asked for it once. As `AtomicLazyReference` does, whose own code is generic and
/// looks its type up with every load.
struct KnownShare: ~Copyable, Sendable {
  private let held = Atomic<Unmanaged<TenantBodies>?>(nil)

  deinit { held.load(ordering: .acquiring)?.release() }

  var share: TenantBodies? { held.load(ordering: .acquiring)?.takeUnretainedValue() }

  /// - Returns: The share that is kept: of several threads the first one's.
  func keep(_ found: TenantBodies) -> TenantBodies {
    let mine = Unmanaged.passRetained(found)
    let (isKept, others) = held.compareExchange(expected: nil, desired: mine, ordering: .acquiringAndReleasing)
    guard !isKept, let others else { return found }
    mine.release()
    return others.takeUnretainedValue()
  }
}

/// A connection that counts for the tenant whose key it has brought first. Given back when it dies.
public final class TenantPlace {
  private let share: TenantBodies

  fileprivate init?(_ share: TenantBodies, limit: Int) {
    guard share.enter(limit: limit) else { return nil }
    self.share = share
  }

  deinit { share.leave() }
}

/// What of an answer waits for its client, counted on after the exchange is over. Belongs to its loop; gives back what
/// it holds when it dies.
public final class AnswerLease {
  private let pipeline: RequestPipeline
  private let share: TenantBodies?
  private(set) var bytes: Int

  init(_ bytes: Int, of share: TenantBodies?, pipeline: RequestPipeline) {
    self.bytes = bytes
    self.share = share
    self.pipeline = pipeline
  }

  deinit { pipeline.giveBodies(bytes, of: share) }

  /// So much is left: the client has taken the rest.
  public func shrink(to left: Int) {
    guard left < bytes else { return }
    pipeline.giveBodies(bytes &- left, of: share)
    bytes = left
  }
}

/// What the exchanges of one loop hold, and what the loop has taken for them from the process's memory.
final class LoopBodies {
  enum Outcome { case taken, full, tenantFull }

  private let memory: BodyMemory
  /// Within the tenants' shares.
  private(set) var held = 0
  private var taken = 0

  init(_ memory: BodyMemory) { self.memory = memory }

  func take(_ bytes: Int, for exchange: Exchange) -> Outcome {
    let share = share(of: exchange)
    if let share, !share.take(bytes) {
      memory.noteRefusal(ofTenant: true)
      return .tenantFull
    }
    guard cover(held &+ bytes) else {
      // Meanwhile the tenant may be beyond its share: then not all of this is what it holds within.
      if let share {
        let within = share.give(bytes)
        held &+= bytes &- within
        memory.noteBeyond(within &- bytes)
      }
      memory.noteRefusal(ofTenant: false)
      return .full
    }
    held &+= bytes
    if exchange.bodyShare == nil { exchange.bodyShare = share }
    exchange.heldBytes &+= bytes
    return .taken
  }

  /// The bytes are in memory already: they count, and within their tenant's share stand in the way of others.
  func force(_ bytes: Int, for exchange: Exchange) {
    let share = share(of: exchange)
    let within = share?.force(bytes) ?? bytes
    memory.noteBeyond(bytes &- within)
    _ = cover(held &+ within, isForced: true)
    held &+= within
    if exchange.bodyShare == nil { exchange.bodyShare = share }
    exchange.heldBytes &+= bytes
  }

  /// Whether an answer that has come so far may grow on: until then it was counted, whatever the limits say.
  func mayGrow(_ exchange: Exchange) -> Outcome {
    let outcome = memory.bearing(exchange.bodyShare)
    if outcome != .taken { memory.noteRefusal(ofTenant: outcome == .tenantFull) }
    return outcome
  }

  /// Everything that the exchange holds goes to who keeps its answer's rest.
  /// - Parameter left: Bytes of the answer that its client has not taken.
  /// - Returns: Whose share they are counted in.
  func handOver(_ left: Int, of exchange: Exchange) -> TenantBodies? {
    if left < exchange.heldBytes {
      give(exchange.heldBytes &- left, of: exchange)
    } else if left > exchange.heldBytes {
      force(left &- exchange.heldBytes, for: exchange)
    }
    defer { exchange.bodyShare = nil }
    exchange.heldBytes = 0
    return exchange.bodyShare
  }

  /// Everything that the exchange holds.
  func giveAll(of exchange: Exchange) {
    give(exchange.heldBytes, of: exchange)
    exchange.bodyShare = nil
  }

  /// Some of what the exchange holds.
  func give(_ bytes: Int, of exchange: Exchange) {
    guard bytes > 0 else { return }
    exchange.heldBytes &-= bytes
    give(bytes, of: exchange.bodyShare)
  }

  func give(_ bytes: Int, of share: TenantBodies?) {
    let within = share?.give(bytes) ?? bytes
    memory.noteBeyond(within &- bytes)
    held &-= within
    let spare = taken &- held
    guard spare > 2 &* memory.step else { return }
    memory.give(spare &- memory.step)
    taken = held &+ memory.step
  }

  private func cover(_ need: Int, isForced: Bool = false) -> Bool {
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

  /// - Parameter place: The connection's, as its request before left it.
  /// - Returns: False if the request's tenant has no place left.
  func takePlace(of exchange: Exchange, limit: Int, _ place: inout TenantPlace?) -> Bool {
    guard place == nil, let share = share(of: exchange) else { return true }
    place = TenantPlace(share, limit: limit)
    guard place == nil else { return true }
    memory.noteRefusedPlace()
    return false
  }

  /// Looked up once for each key of a snapshot, and kept with it.
  private func share(of exchange: Exchange) -> TenantBodies? {
    if let share = exchange.bodyShare { return share }
    guard let caller = exchange.caller else { return nil }
    return caller.bodies.share ?? caller.bodies.keep(memory.share(of: caller.principal.tenant))
  }
}
