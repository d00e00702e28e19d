import Synchronization

/// Says whether a request may spend now, and counts what it has spent.
///
/// Never more than a limit is admitted, whatever the concurrency, aborts and crashes; what was used is never lost. Knows
/// no HTTP and no store. `reserve`, `sent`, `settle`, `release` and `confirmed` take one short lock and do no I/O, so
/// they are safe on an event loop. A reservation belongs to one exchange, which calls them in order:
/// reserve → sent → settle (or release) → confirmed.
public final class QuotaGate: Sendable {
  /// Where the buckets of rates stand at the start.
  public enum RateStart: Sendable, Equatable {
    /// As flight memory has them: same boot.
    case kept
    /// They were empty at this wall time, nanoseconds since 1970: another boot, nothing is known.
    case emptyAt(Int64)
    /// Full: a node that never ran before.
    case full
  }

  public struct Node: Sendable {
    public let id: UInt128
    public let epoch: UInt32
    public let bootID: UInt128
    /// The latest time that journal and ledger know, 0 if none.
    public let lastTime: Int64
    public let rateStart: RateStart

    public init(id: UInt128, epoch: UInt32, bootID: UInt128 = 0, lastTime: Int64 = 0, rateStart: RateStart = .full) {
      self.id = id
      self.epoch = epoch
      self.bootID = bootID
      self.lastTime = lastTime
      self.rateStart = rateStart
    }
  }

  let node: Node
  let flight: FlightTable
  let ledger: any Ledger
  let clock: any QuotaClock
  let zones: any ZoneRules
  /// Days and windows by the zones that this gate counts with.
  public let calendar: WindowCalendar
  let wake: @Sendable (_ loop: Int, _ tickets: [UInt64]) -> Void
  let slots: OpenSlots
  let tenants = Mutex<[UInt128: TenantQuota]>([:])
  let work = Mutex(LedgerWork())
  let driver: Mutex<LedgerDriver>
  let thread = LedgerThread()
  let ratePlaces: Mutex<RatePlaces>

  /// Window time = boot time + offset, never before the floor.
  let clockOffset: Atomic<Int64>
  let clockFloor: Atomic<Int64>
  let clockIsHeld: Atomic<Bool>
  /// Until this boot time the ledger counts as away.
  let ledgerFailedUntil = Atomic<Int64>(0)
  let isFenced = Atomic<Bool>(false)
  let isStopping = Atomic<Bool>(false)
  let isLeaving = Atomic<Bool>(false)

  /// Takes the flight memory over; recovery has been done before (``QuotaRecovery``). ``start()`` runs the ledger's
  /// thread.
  /// - Parameter wake: called on the ledger's thread with the tickets of one event loop that should ask again;
  ///   it must not block, nor call what speaks to the ledger.
  public init(
    node: Node, flight: any FlightMemory, ledger: any Ledger, clock: any QuotaClock, zones: any ZoneRules,
    wake: @Sendable @escaping (_ loop: Int, _ tickets: [UInt64]) -> Void
  ) {
    self.node = node
    self.flight = FlightTable(flight)
    self.ledger = ledger
    self.clock = clock
    self.zones = zones
    self.wake = wake
    calendar = WindowCalendar(zones)
    slots = OpenSlots(count: min(flight.slotCount, 1 << 20))
    let boot = clock.bootNanoseconds
    let windows = WindowClock(
      wall: clock.wallNanoseconds, boot: boot, lastKnown: node.lastTime, isSynchronised: clock.isSynchronised)
    clockOffset = Atomic(windows.offset)
    clockFloor = Atomic(windows.floor)
    clockIsHeld = Atomic(windows.isHeld)
    driver = Mutex(LedgerDriver(windows: windows, boot: boot))
    ratePlaces = Mutex(RatePlaces(self.flight, keep: node.rateStart == .kept))
    self.flight.begin(node: node.id, epoch: node.epoch, bootID: node.bootID)
  }

  deinit { thread.abandon() }

  /// The time by which windows are cut, nanoseconds since 1970.
  public var windowTime: Int64 { windowTime(boot: clock.bootNanoseconds) }

  @inline(__always) func windowTime(boot: Int64) -> Int64 {
    max(boot &+ clockOffset.load(ordering: .relaxed), clockFloor.load(ordering: .relaxed))
  }

  /// Makes or finds the states of a caller's limits; a changed amount, mode or zone takes effect here.
  ///
  /// For snapshots, not per request.
  /// - Parameter zone: the tenant's IANA zone, for the days of usage reports.
  /// - Throws: ``QuotaError`` `too_many_limits` beyond 16 budgets or 16 rates, `invalid_limit` for an unknown zone.
  public func account(_ limits: [Limit], owner: UsageOwner, zone: String) throws(QuotaError) -> QuotaAccount {
    var zoneNames: Set<String> = [zone]
    var budgetCount = 0
    var rateCount = 0
    for limit in limits {
      switch limit.kind {
      case .budget(_, let zone):
        budgetCount += 1
        zoneNames.insert(zone)
      case .rate: rateCount += 1
      case .concurrent: break
      }
    }
    guard budgetCount <= FlightLayout.maximumBudgets, rateCount <= FlightLayout.maximumRates else {
      throw QuotaError(.tooManyLimits)
    }
    let boot = clock.bootNanoseconds
    let now = windowTime(boot: boot)
    for name in zoneNames where zones.offsetSeconds(zone: name, at: now / 1_000_000_000) == nil {
      throw QuotaError(.invalidLimit, "unknown time zone \(name)")
    }
    let tenant = tenants.withLock { all in
      if let tenant = all[owner.tenant] { return tenant }
      let tenant = TenantQuota(id: owner.tenant)
      all[owner.tenant] = tenant
      return tenant
    }
    let (account, hasShrunk) = tenant.state.withLock { state in
      var budgets: [Int] = []
      var rates: [Int] = []
      var concurrencies: [Int] = []
      for limit in limits {
        switch state.resolve(limit, makeRate: { makeRate($0, boot: boot) }) {
        case .budget(let index): budgets.append(index)
        case .rate(let index): rates.append(index)
        case .concurrency(let index): concurrencies.append(index)
        }
      }
      if state.zone != zone {
        state.zone = zone
        state.dayWindow = BudgetWindow(start: 0, end: 0)
      }
      let account = QuotaAccount(
        owner: owner, tenant: tenant, budgets: budgets, rates: rates, concurrencies: concurrencies,
        usage: state.usageIndex(of: owner), hasHardBudget: budgets.contains { state.budgets[$0].blocks })
      return (account, budgets.contains { state.budgets[$0].shrinking > 0 } && state.markDirty())
    }
    if hasShrunk { work.withLock { $0.dirty.append(tenant) } }
    return account
  }

  private func makeRate(_ limit: Limit, boot: Int64) -> RateState {
    guard case .rate(let period) = limit.kind else {
      return RateState(
        dimension: limit.dimension, blocks: false, bucket: GCRA(amount: 0, periodNanoseconds: 1), place: -1)
    }
    let (place, saved) = ratePlaces.withLock { $0.place(of: limit.id, flight) }
    var bucket = GCRA(amount: limit.amount, periodNanoseconds: period.nanoseconds)
    if let saved {
      bucket.restore(arrival: saved, now: boot)
    } else if case .emptyAt(let wall) = node.rateStart {
      bucket.empty(at: Amount.difference(wall, clockOffset.load(ordering: .relaxed)))
    }
    if place >= 0 { flight.writeRate(place, arrival: bucket.arrival) }
    return RateState(dimension: limit.dimension, blocks: limit.mode == .hard, bucket: bucket, place: place)
  }

  /// Runs the ledger's thread.
  public func start() { thread.start { [weak self] in self?.turn() ?? false } }

  /// Attempts whose slots are not free.
  public var openReservations: Int { slots.openCount }

  /// False once a newer process of this node has taken over, or while the ledger's store fails or hangs: for `/readyz`.
  public var isLedgerHealthy: Bool {
    !thread.isStuck && !isFenced.load(ordering: .relaxed) && ledgerFailedUntil.load(ordering: .relaxed) == 0
  }

  /// Whether windows ignore the wall clock because it has jumped and nobody has vouched for it.
  public var isClockHeld: Bool { clockIsHeld.load(ordering: .relaxed) }

  /// The operator says that the wall clock is right. May wait for the ledger: off the event loops.
  public func acceptClock() {
    driver.withLock { driver in
      driver.windows.accept(wall: clock.wallNanoseconds, boot: clock.bootNanoseconds)
      publish(driver.windows)
    }
  }

  func publish(_ windows: WindowClock) {
    clockFloor.store(windows.floor, ordering: .relaxed)
    clockOffset.store(windows.offset, ordering: .relaxed)
    clockIsHeld.store(windows.isHeld, ordering: .relaxed)
  }
}

extension TenantState {
  /// True if the caller must put the tenant on the list of those with something to report.
  mutating func markDirty() -> Bool {
    if isDirty { return false }
    isDirty = true
    return true
  }
}

/// Which place of flight memory holds the arrival time of which limit.
struct RatePlaces: Sendable {
  private var places: [UInt64: Int] = [:]
  private var next = 0

  init(_ flight: FlightTable, keep: Bool) {
    for index in 0..<flight.rateCount {
      let (limit, _) = flight.readRate(index)
      if keep, limit != 0 {
        places[limit] = index
        next = index + 1
      } else {
        flight.nameRate(index, limit: 0)
      }
    }
  }

  /// The saved arrival is nil for a new place; the place is -1 if there is none left.
  mutating func place(of limit: UInt64, _ flight: FlightTable) -> (Int, saved: Int64?) {
    if let place = places[limit] { return (place, flight.readRate(place).arrival) }
    guard next < flight.rateCount else { return (-1, nil) }
    let place = next
    next += 1
    places[limit] = place
    flight.writeRate(place, arrival: 0)
    flight.nameRate(place, limit: limit)
    return (place, nil)
  }
}
