/// What was counted of one tenant, or of one class of requests.
struct GroupCount: Sendable {
  /// Requests that were sent.
  var offered = 0
  var succeeded = 0
  var failed = 0
  /// Given up by the client on purpose.
  var aborted = 0
  /// Of successes after the warm-up; nil where there are so many groups that histograms would fill the memory.
  var latency: LatencyRecorder?

  static func list(_ count: Int) -> [GroupCount] {
    let recorder: LatencyRecorder? = count <= 256 ? LatencyRecorder(isCoarse: true) : nil
    return Array(repeating: GroupCount(latency: recorder), count: count)
  }

  mutating func add(_ other: GroupCount) {
    offered += other.offered
    succeeded += other.succeeded
    failed += other.failed
    aborted += other.aborted
    if let more = other.latency { latency?.add(more) }
  }
}

/// What one event loop counted; merged at the end of a run.
struct LaneResult: Sendable {
  var latency = LatencyRecorder()
  var firstByte = LatencyRecorder()
  var eventGap = LatencyRecorder()
  var succeeded = 0
  var measured = 0
  var aborted = 0
  var errors: [String: Int] = [:]
  var streamsComplete = 0
  var events = 0
  var measuredEvents = 0
  var reconnects = 0
  var keys: [LoadTally]
  var targets: [LoadTally]
  var tenants: [GroupCount]
  var classes: [GroupCount]

  init(keys: Int, targets: Int, tenants: Int, classes: Int) {
    self.keys = Array(repeating: LoadTally(), count: keys)
    self.targets = Array(repeating: LoadTally(), count: targets)
    self.tenants = GroupCount.list(tenants)
    self.classes = GroupCount.list(classes)
  }

  mutating func add(_ other: LaneResult) {
    latency.add(other.latency)
    firstByte.add(other.firstByte)
    eventGap.add(other.eventGap)
    succeeded += other.succeeded
    measured += other.measured
    aborted += other.aborted
    errors.merge(other.errors, uniquingKeysWith: +)
    streamsComplete += other.streamsComplete
    events += other.events
    measuredEvents += other.measuredEvents
    reconnects += other.reconnects
    for index in keys.indices where index < other.keys.count {
      keys[index].succeeded += other.keys[index].succeeded
      keys[index].failed += other.keys[index].failed
    }
    for index in targets.indices where index < other.targets.count {
      targets[index].succeeded += other.targets[index].succeeded
      targets[index].failed += other.targets[index].failed
    }
    for index in tenants.indices where index < other.tenants.count { tenants[index].add(other.tenants[index]) }
    for index in classes.indices where index < other.classes.count { classes[index].add(other.classes[index]) }
  }
}

/// What one lane counted since it was last asked: a point of the timeline.
struct LaneInterval: Sendable {
  var requests = 0
  var failed = 0
  var latency = LatencyRecorder(isCoarse: true)

  mutating func add(_ other: LaneInterval) {
    requests += other.requests
    failed += other.failed
    latency.add(other.latency)
  }
}
