/// Counts failed logins per source and per account and says when there are too many: 10 in a minute, each.
///
/// It slows nobody who brings a right token: the token is checked first, only failures are counted and answered. GCRA
/// (one instant per entry, as `quotas.md` section 2); both tables are bounded, the entry nearest to forgetting goes.
struct FailureThrottle: Sendable {
  private var sources = Table()
  private var accounts = Table()

  /// - Returns: Seconds until the next failure would be answered plainly; nil if this one still is.
  mutating func failed(source: String, account: String?, now: Int64) -> Int? {
    let bySource = sources.failed(source, now: now)
    let byAccount = account.flatMap { accounts.failed($0, now: now) }
    guard bySource != nil || byAccount != nil else { return nil }
    return max(bySource ?? 0, byAccount ?? 0)
  }

  private struct Table: Sendable {
    /// By source or account: the time at which all its failures are forgotten, in nanoseconds.
    private var forgotten: [String: Int64] = [:]

    private static let capacity = 4096
    private static let interval: Int64 = 6_000_000_000
    private static let burst: Int64 = 10

    mutating func failed(_ name: String, now: Int64) -> Int? {
      let (earliest, overflow) = max(forgotten[name] ?? now, now).addingReportingOverflow(Self.interval)
      let allowed = now.addingReportingOverflow(Self.interval * Self.burst)
      guard !overflow, !allowed.overflow else { return 60 }
      guard earliest <= allowed.partialValue else {
        return Int(clamping: (earliest - allowed.partialValue + 999_999_999) / 1_000_000_000)
      }
      if forgotten[name] == nil, forgotten.count >= Self.capacity { makeRoom(now: now) }
      forgotten[name] = earliest
      return nil
    }

    private mutating func makeRoom(now: Int64) {
      forgotten = forgotten.filter { $0.value > now }
      guard forgotten.count >= Self.capacity, let oldest = forgotten.min(by: { $0.value < $1.value }) else { return }
      forgotten[oldest.key] = nil
    }
  }
}
