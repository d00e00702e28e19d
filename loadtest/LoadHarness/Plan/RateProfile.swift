import Foundation

/// How the rate of an open loop changes over time: phases one after the other, each rising or falling evenly.
///
/// After the last phase its final rate holds on.
package struct RateProfile: Sendable, Equatable {
  package struct Phase: Sendable, Equatable {
    package let seconds: Double
    /// Requests per second at its begin and its end.
    package let from: Double
    package let to: Double

    package init(seconds: Double, from: Double, to: Double) {
      self.seconds = seconds
      self.from = from
      self.to = to
    }

    var arrivals: Double { (from + to) / 2 * seconds }
  }

  private static let rates = 0.0...1_000_000
  private let phases: [Phase]

  /// Nil unless there are 1 to 1,000 phases of up to a day each, with rates of up to 1,000,000/s, not all of them 0.
  package init?(_ phases: [Phase]) {
    guard (1...1_000).contains(phases.count), phases.contains(where: { $0.arrivals > 0 }) else { return nil }
    for phase in phases {
      guard phase.seconds > 0, phase.seconds <= 86_400, Self.rates.contains(phase.from), Self.rates.contains(phase.to)
      else { return nil }
    }
    self.phases = phases
  }

  /// The seconds after which `count` requests are due; nil if the rate falls to 0 before.
  package func seconds(ofArrival count: Double) -> Double? {
    var left = max(0, count)
    var begin = 0.0
    for phase in phases {
      if left < phase.arrivals {
        let slope = (phase.to - phase.from) / phase.seconds
        let root = max(0, phase.from * phase.from + 2 * slope * left).squareRoot()
        // This form of the quadratic's solution divides by no slope, so an even phase needs no case of its own.
        return phase.from + root > 0 ? begin + 2 * left / (phase.from + root) : begin
      }
      left -= phase.arrivals
      begin += phase.seconds
    }
    guard let last = phases.last, last.to > 0 else { return nil }
    return begin + left / last.to
  }
}
