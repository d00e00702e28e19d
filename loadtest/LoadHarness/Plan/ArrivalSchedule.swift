import Foundation

/// How requests of an open loop follow one another.
package enum ArrivalProcess: String, Sendable, Codable {
  /// At even distances.
  case uniform
  /// Independently of one another, as callers that do not know of each other do.
  case poisson
}

/// When the requests of an open loop are due: a function of plan and seed alone, so a slow answer never moves a later
/// request.
///
/// Request `i` of an even load is due at `i / rate` after the start, and each of `lanes` event loops takes every
/// `lanes`-th request. Of a Poisson process each lane has one of its own with its share of the rate.
package struct ArrivalSchedule: Sendable {
  private enum Source {
    case even(rateMillihertz: UInt64)
    case profile(RateProfile)
    /// `count` is the expected number of arrivals of all lanes until this lane's next one.
    case poisson(RateProfile, random: SeededRandom, count: Double)
  }

  private var source: Source
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
    self.init(.even(rateMillihertz: UInt64((requestsPerSecond * 1_000).rounded())), lane, lanes, limit)
  }

  /// - Parameter seed: Of a Poisson process; each lane makes its own of it.
  package init?(
    _ profile: RateProfile, _ process: ArrivalProcess, seed: UInt64, lane: Int, lanes: Int, limit: Int? = nil
  ) {
    guard lanes > 0, (0..<lanes).contains(lane) else { return nil }
    switch process {
    case .uniform: self.init(.profile(profile), lane, lanes, limit)
    case .poisson:
      var random = SeededRandom(seed: seed &+ UInt64(lane) &* 0xD1B5_4A32_D192_ED03)
      let first = Self.pause(&random) * Double(lanes)
      self.init(.poisson(profile, random: random, count: first), lane, lanes, limit)
    }
  }

  private init(_ source: Source, _ lane: Int, _ lanes: Int, _ limit: Int?) {
    self.source = source
    self.lane = UInt64(lane)
    self.lanes = UInt64(lanes)
    self.limit = limit.map { UInt64(max(0, $0)) } ?? .max
  }

  /// An exponential pause with the mean 1.
  private static func pause(_ random: inout SeededRandom) -> Double { -log(1 - random.fraction()) }

  /// Nanoseconds from the start to request `index` of all of an even load; the remotest time there is, if it cannot be
  /// counted.
  package static func dueNanoseconds(ofRequest index: UInt64, rateMillihertz: UInt64) -> UInt64 {
    let product = index.multipliedFullWidth(by: 1_000_000_000_000)
    guard product.high < rateMillihertz else { return .max }
    return rateMillihertz.dividingFullWidth(product).quotient
  }

  /// When this lane's next request is due, or nil when the limit is reached or the rate has fallen to 0.
  package var nextDueNanoseconds: UInt64? {
    let (offset, overflow) = taken.multipliedReportingOverflow(by: lanes)
    let (index, carry) = offset.addingReportingOverflow(lane)
    guard !overflow, !carry, index < limit else { return nil }
    switch source {
    case .even(let rate): return Self.dueNanoseconds(ofRequest: index, rateMillihertz: rate)
    case .profile(let profile): return Self.nanoseconds(profile.seconds(ofArrival: Double(index)))
    case .poisson(let profile, _, let count): return Self.nanoseconds(profile.seconds(ofArrival: count))
    }
  }

  private static func nanoseconds(_ seconds: Double?) -> UInt64? {
    guard let seconds, seconds < 1_000_000_000 else { return nil }
    return UInt64(seconds * 1_000_000_000)
  }

  /// Takes the next request if it is due at `elapsedNanoseconds`, and says when it was due.
  package mutating func take(atNanoseconds elapsedNanoseconds: UInt64) -> UInt64? {
    guard let due = nextDueNanoseconds, due <= elapsedNanoseconds else { return nil }
    taken += 1
    if case .poisson(let profile, var random, let count) = source {
      let next = count + Self.pause(&random) * Double(lanes)
      source = .poisson(profile, random: random, count: next)
    }
    return due
  }
}
