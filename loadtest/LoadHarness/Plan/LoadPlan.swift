/// What a run does: where to, how much, how long.
package struct LoadPlan: Sendable {
  package enum Pace: Equatable, Sendable {
    /// Each connection sends its next request when it has the answer to the last: finds the most that a target can do.
    case closed
    /// Requests are due at a fixed rate whether or not answers come; latency counts from the time a request was due.
    case open(requestsPerSecond: Double)
    /// The same with a rate that changes, or with arrivals at random.
    case scheduled(RateProfile, ArrivalProcess)
  }

  /// Connections take the targets in turn.
  package var targets: [LoopbackTarget]
  /// What is sent; requests are drawn by weight.
  package var classes = [RequestClass()]
  /// Who sends it. In a closed loop each tenant has its share of the connections for itself, so that one who is served
  /// slowly does not slow the others' callers; in an open loop requests are drawn by weight.
  package var tenants = [LoadTenant()]
  package var pace = Pace.closed
  package var connections = 16
  package var loops = 1
  /// Of everything that is drawn.
  package var seed: UInt64 = 1
  /// Seconds that are measured, after the warm-up.
  package var durationSeconds = 5.0
  package var warmUpSeconds = 1.0
  /// Between one sample of the timeline and the next, in seconds.
  package var sampleSeconds = 0.2
  /// Requests in all; the run ends with the first of the two bounds.
  package var requestLimit: Int?
  package var extraHeaders: [String] = []
  /// How long one answer may take in all.
  package var timeoutSeconds = 60.0
  /// How long the run waits for open answers after its end.
  package var drainSeconds = 10.0
  /// Processes whose CPU and memory are measured, with their children.
  package var processes: [Int32] = []

  package init(targets: [LoopbackTarget]) { self.targets = targets }

  /// Whether each connection belongs to one tenant.
  var bindsConnections: Bool { pace == .closed && tenants.count > 1 && connections >= tenants.count }

  /// - Throws: ``LoadError`` with code `bad_plan`, naming the bound that is broken.
  package func check() throws(LoadError) {
    guard !targets.isEmpty else { throw LoadError(.badPlan, "At least one target is needed.") }
    guard (1...20_000).contains(connections) else { throw LoadError(.badPlan, "Connections must be 1 to 20000.") }
    guard (1...64).contains(loops) else { throw LoadError(.badPlan, "Loops must be 1 to 64.") }
    guard durationSeconds > 0, durationSeconds <= 86_400 else {
      throw LoadError(.badPlan, "The duration must be more than 0 and at most 86400 seconds.")
    }
    guard warmUpSeconds >= 0, warmUpSeconds <= 600 else {
      throw LoadError(.badPlan, "The warm-up must be 0 to 600 seconds.")
    }
    guard sampleSeconds >= 0.05, sampleSeconds <= 3_600, durationSeconds / sampleSeconds <= 1_000_000 else {
      throw LoadError(.badPlan, "A sample every 0.05 to 3600 seconds, and at most 1000000 of them.")
    }
    guard timeoutSeconds > 0, timeoutSeconds <= 3_600, drainSeconds >= 0, drainSeconds <= 3_600 else {
      throw LoadError(.badPlan, "Timeout and drain must be at most 3600 seconds.")
    }
    if case .open(let rate) = pace, !(rate >= 0.001 && rate <= 1_000_000) {
      throw LoadError(.badPlan, "The rate must be 0.001 to 1000000 requests per second.")
    }
    if let requestLimit, requestLimit < 1 { throw LoadError(.badPlan, "The request count must be at least 1.") }
    try checkMix()
  }

  private func checkMix() throws(LoadError) {
    guard (1...64).contains(classes.count), classes.contains(where: { $0.weight > 0 }) else {
      throw LoadError(.badPlan, "A plan has 1 to 64 classes, one of them with a weight above 0.")
    }
    for one in classes { try one.check() }
    let isWeighed = tenants.allSatisfy { $0.weight > 0 && $0.weight <= 1_000_000 }
    guard (1...100_000).contains(tenants.count), isWeighed else {
      throw LoadError(.badPlan, "A plan has 1 to 100000 tenants with weights above 0.")
    }
    let names = Set(tenants.map(\.name))
    if let one = classes.first(where: { !$0.tenants.isSubset(of: names) }) {
      throw LoadError(.badPlan, "Class \(one.name) is of tenants that the plan does not have.")
    }
    if let idle = tenants.first(where: { tenant in !classes.contains { $0.weight > 0 && $0.isSent(by: tenant) } }) {
      throw LoadError(.badPlan, "Tenant \(idle.name) has no class of requests with a weight above 0.")
    }
    guard extraHeaders.allSatisfy(Self.isHeader), tenants.allSatisfy({ $0.keys.allSatisfy(Self.isFieldValue) }) else {
      throw LoadError(.badPlan, "Headers are NAME: VALUE, and neither they nor keys hold line ends.")
    }
  }

  private static func isHeader(_ line: String) -> Bool { line.contains(":") && isFieldValue(line) }

  private static func isFieldValue(_ text: String) -> Bool { text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } }
}
