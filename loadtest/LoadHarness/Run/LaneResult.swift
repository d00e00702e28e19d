/// What one event loop counted; merged at the end of a run.
struct LaneResult: Sendable {
  var latency = LatencyRecorder()
  var firstByte = LatencyRecorder()
  var eventGap = LatencyRecorder()
  var succeeded = 0
  var measured = 0
  var errors: [String: Int] = [:]
  var streamsComplete = 0
  var events = 0
  var measuredEvents = 0
  var reconnects = 0
  var keys: [LoadTally]
  var targets: [LoadTally]

  init(keys: Int, targets: Int) {
    self.keys = Array(repeating: LoadTally(), count: keys)
    self.targets = Array(repeating: LoadTally(), count: targets)
  }

  mutating func add(_ other: LaneResult) {
    latency.add(other.latency)
    firstByte.add(other.firstByte)
    eventGap.add(other.eventGap)
    succeeded += other.succeeded
    measured += other.measured
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
  }
}
