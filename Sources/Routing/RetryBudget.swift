/// How many attempts beyond the first a provider may be given: a share of its requests and a small floor, so that
/// retries never become the load that keeps a failing provider down. A pure value.
public struct RetryBudget: Hashable, Sendable {
  public struct Settings: Hashable, Sendable {
    /// Retries per hundred requests.
    public var sharePercent: Int
    /// Retries per minute that are there without any request.
    public var floorPerMinute: Int
    /// The most that are saved up.
    public var most: Int

    public init(sharePercent: Int = 10, floorPerMinute: Int = 12, most: Int = 20) {
      self.sharePercent = min(100, max(0, sharePercent))
      self.floorPerMinute = min(60_000, max(0, floorPerMinute))
      self.most = min(1_000_000, max(1, most))
    }
  }

  private let settings: Settings
  /// In 1/6,000,000 of a retry: a request and a millisecond then give whole numbers.
  private var held: Int64
  private var seen: UInt64 = 0
  private var filledAt: Int64?
  private static let whole: Int64 = 6_000_000

  /// Begins with what the floor gives in a quarter of a minute.
  public init(_ settings: Settings = Settings()) {
    self.settings = settings
    held = min(Int64(settings.most), Int64(settings.floorPerMinute / 4)) * Self.whole
  }

  /// Asks for one retry; a `true` has taken it.
  /// - Parameters:
  ///   - requests: First attempts at this provider so far.
  ///   - now: Milliseconds of a clock that never runs backwards.
  public mutating func takes(requests: UInt64, at now: Int64) -> Bool {
    let full = Int64(settings.most) * Self.whole
    // Bounded before they are multiplied: what is beyond the bucket's size is lost anyway.
    let earned = Int64(clamping: min(requests >= seen ? requests - seen : 0, 100_000_000))
    let elapsed = min(max(0, now &- (filledAt ?? now)), 86_400_000)
    let gain = earned * (Self.whole / 100) * Int64(settings.sharePercent)
    let drip = elapsed * (Self.whole / 60_000) * Int64(settings.floorPerMinute)
    held = min(full, held + min(full, gain) + min(full, drip))
    seen = requests
    filledAt = now
    guard held >= Self.whole else { return false }
    held -= Self.whole
    return true
  }
}
