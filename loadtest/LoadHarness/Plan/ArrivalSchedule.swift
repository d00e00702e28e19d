/// When the requests of an open loop are due: a pure function of the rate, so a slow answer never moves a later request.
///
/// Request `i` of all is due at `i / rate` after the start. Each of `lanes` event loops takes every `lanes`-th request.
package struct ArrivalSchedule: Sendable {
  private let rateMillihertz: UInt64
  private let lane: UInt64
  private let lanes: UInt64
  private var taken: UInt64 = 0
  private let limit: UInt64

  /// - Parameters:
  ///   - requestsPerSecond: The rate of all lanes together, in thousandths at the finest.
  ///   - limit: Requests of all lanes together; nil for no bound.
  package init?(requestsPerSecond: Double, lane: Int, lanes: Int, limit: Int? = nil) {
    guard requestsPerSecond >= 0.001, requestsPerSecond <= 1_000_000, lanes > 0, (0..<lanes).contains(lane) else {
      return nil
    }
    rateMillihertz = UInt64((requestsPerSecond * 1_000).rounded())
    self.lane = UInt64(lane)
    self.lanes = UInt64(lanes)
    self.limit = limit.map { UInt64(max(0, $0)) } ?? .max
  }

  /// Nanoseconds from the start to request `index` of all; the remotest time there is, if it cannot be counted.
  package func dueNanoseconds(ofRequest index: UInt64) -> UInt64 {
    let product = index.multipliedFullWidth(by: 1_000_000_000_000)
    guard product.high < rateMillihertz else { return .max }
    return rateMillihertz.dividingFullWidth(product).quotient
  }

  /// When this lane's next request is due, or nil when the limit is reached.
  package var nextDueNanoseconds: UInt64? {
    let (offset, overflow) = taken.multipliedReportingOverflow(by: lanes)
    let (index, carry) = offset.addingReportingOverflow(lane)
    guard !overflow, !carry, index < limit else { return nil }
    return dueNanoseconds(ofRequest: index)
  }

  /// Takes the next request if it is due at `elapsedNanoseconds`, and says when it was due.
  package mutating func take(atNanoseconds elapsedNanoseconds: UInt64) -> UInt64? {
    guard let due = nextDueNanoseconds, due <= elapsedNanoseconds else { return nil }
    taken += 1
    return due
  }
}
