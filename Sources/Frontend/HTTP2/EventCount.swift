/// Counts what a client may do a few times but not all the time.
struct EventCount {
  private let limit: Int
  private let milliseconds: Int64
  private var began: Int64?
  private var count = 0

  /// - Parameter milliseconds: The stretch of time for which `limit` holds; the next one begins with the first event
  ///   behind it.
  init(limit: Int, milliseconds: Int) {
    self.limit = limit
    self.milliseconds = Int64(milliseconds)
  }

  /// - Returns: False if this one is too many.
  mutating func add(_ now: Int64) -> Bool {
    if began.map({ now &- $0 > milliseconds }) ?? true {
      began = now
      count = 0
    }
    count &+= 1
    return count <= limit
  }
}
