/// Counts wrong credentials per source and per account and says when there are too many in a minute.
///
/// It slows nobody who brings a right one: credentials are checked first, only failures are counted and answered. GCRA
/// (one instant per entry, as `quotas.md` section 2); both tables are bounded, the entries nearest to forgetting go.
public struct FailureThrottle<Source: Hashable & Sendable, Account: Hashable & Sendable>: Sendable {
  /// Seconds until the next failure would be answered plainly, by which limit; nil where that one is not reached.
  public struct Wait: Sendable, Equatable {
    public let source: Int?
    public let account: Int?

    public var seconds: Int { max(source ?? 0, account ?? 0) }
  }

  private var sources: Table<Source>
  private var accounts: Table<Account>

  public init(perMinute: Int) {
    sources = Table(perMinute: perMinute)
    accounts = Table(perMinute: perMinute)
  }

  /// - Parameter now: Nanoseconds of a monotonic clock.
  /// - Returns: Nil if this failure is still answered plainly. One that its source's limit stops says nothing of the
  ///   account: a source could have as many accounts remembered as it can name.
  public mutating func failed(source: Source, account: Account?, now: Int64) -> Wait? {
    if let wait = sources.failed(source, now: now) { return Wait(source: wait, account: nil) }
    guard let account, let wait = accounts.failed(account, now: now) else { return nil }
    return Wait(source: nil, account: wait)
  }

  private struct Table<Name: Hashable & Sendable>: Sendable {
    /// The time at which all failures of a name are forgotten, in nanoseconds.
    private var forgotten: [Name: Int64] = [:]
    private let interval: Int64
    private let burst: Int64

    private static var capacity: Int { 4096 }

    init(perMinute: Int) {
      burst = Int64(max(1, perMinute))
      interval = 60_000_000_000 / burst
    }

    mutating func failed(_ name: Name, now: Int64) -> Int? {
      let (earliest, overflow) = max(forgotten[name] ?? now, now).addingReportingOverflow(interval)
      let allowed = now.addingReportingOverflow(interval * burst)
      guard !overflow, !allowed.overflow else { return 60 }
      guard earliest <= allowed.partialValue else {
        return Int(clamping: (earliest - allowed.partialValue + 999_999_999) / 1_000_000_000)
      }
      if forgotten[name] == nil, forgotten.count >= Self.capacity { makeRoom(now: now) }
      forgotten[name] = earliest
      return nil
    }

    /// For a quarter of the table at a time: whoever comes from a new network each time must not have all of it looked
    /// through for each failure.
    private mutating func makeRoom(now: Int64) {
      forgotten = forgotten.filter { $0.value > now }
      let surplus = forgotten.count - Self.capacity / 4 * 3
      guard surplus > 0 else { return }
      for (name, _) in forgotten.sorted(by: { $0.value < $1.value }).prefix(surplus) { forgotten[name] = nil }
    }
  }
}
