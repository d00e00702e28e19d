import Synchronization

/// What one loop counts; summed over the loops on scrape. Single writer: its loop.
public final class LoopCounters: Sendable {
  private let requests = Atomic<UInt64>(0)
  private let statuses: [Counter] = (0..<6).map { _ in Counter() }
  private let inputTokens = Atomic<UInt64>(0)
  private let outputTokens = Atomic<UInt64>(0)
  private let findings = Atomic<UInt64>(0)
  private let inFlight = Atomic<Int64>(0)
  private let gatewayNanoseconds = Atomic<UInt64>(0)
  /// From a request's last byte to the hand-over to the provider, and from the answer's last byte to the client's.
  let requestOverhead = OverheadHistogram()
  let answerOverhead = OverheadHistogram()
  private let calmed = Atomic<UInt64>(0)
  private let fired: [Counter] = FiredLimit.allCases.map { _ in Counter() }
  private let late = Atomic<Bool>(false)
  /// How long the loop's turns have taken: what came meanwhile waited for their end.
  public let turns = OverheadHistogram()

  /// A boxed atomic, so that an array of them can be held.
  private final class Counter: Sendable { let value = Atomic<UInt64>(0) }

  public init() {}

  func began() {
    requests.wrappingAdd(1, ordering: .relaxed)
    inFlight.wrappingAdd(1, ordering: .relaxed)
  }

  func ended(status: UInt16) {
    inFlight.wrappingAdd(-1, ordering: .relaxed)
    let index = Int(status / 100)
    if index >= 1, index <= 5 { statuses[index].value.wrappingAdd(1, ordering: .relaxed) }
  }

  func settled(input: Int64, output: Int64) {
    inputTokens.wrappingAdd(UInt64(clamping: input), ordering: .relaxed)
    outputTokens.wrappingAdd(UInt64(clamping: output), ordering: .relaxed)
  }

  func found(_ count: Int) { findings.wrappingAdd(UInt64(clamping: count), ordering: .relaxed) }

  func worked(nanoseconds: Int64) { gatewayNanoseconds.wrappingAdd(UInt64(clamping: nanoseconds), ordering: .relaxed) }

  /// An HTTP/2 connection was ended for what its client does too often.
  public func calmedConnection() { calmed.wrappingAdd(1, ordering: .relaxed) }

  /// A limit has ended or refused something.
  public func fired(_ limit: FiredLimit) { fired[limit.rawValue].value.wrappingAdd(1, ordering: .relaxed) }

  public func turned(nanoseconds: Int64, isLate: Bool) {
    turns.add(nanoseconds: nanoseconds)
    late.store(isLate, ordering: .relaxed)
  }

  /// Whether the loop refuses new requests because it is late.
  public var isLate: Bool { late.load(ordering: .relaxed) }

  /// A reading of all counters.
  public struct Reading: Sendable {
    public var requests: UInt64 = 0
    public var inFlight: Int64 = 0
    /// Answers by hundreds of the status; index 2 is 2xx.
    public var statuses = [UInt64](repeating: 0, count: 6)
    public var inputTokens: UInt64 = 0
    public var outputTokens: UInt64 = 0
    public var findings: UInt64 = 0
    public var gatewayNanoseconds: UInt64 = 0
    public var requestOverhead = OverheadHistogram.Reading()
    public var answerOverhead = OverheadHistogram.Reading()
    /// HTTP/2 connections that were ended for what their clients did too often.
    public var calmed: UInt64 = 0
    public var turns = OverheadHistogram.Reading()
    /// By ``FiredLimit``'s raw value.
    public var fired = [UInt64](repeating: 0, count: FiredLimit.allCases.count)

    public init() {}
  }

  public func add(to reading: inout Reading) {
    reading.requests &+= requests.load(ordering: .relaxed)
    reading.inFlight &+= inFlight.load(ordering: .relaxed)
    for index in 0..<6 { reading.statuses[index] &+= statuses[index].value.load(ordering: .relaxed) }
    reading.inputTokens &+= inputTokens.load(ordering: .relaxed)
    reading.outputTokens &+= outputTokens.load(ordering: .relaxed)
    reading.findings &+= findings.load(ordering: .relaxed)
    reading.gatewayNanoseconds &+= gatewayNanoseconds.load(ordering: .relaxed)
    reading.requestOverhead.add(requestOverhead)
    reading.answerOverhead.add(answerOverhead)
    reading.calmed &+= calmed.load(ordering: .relaxed)
    reading.turns.add(turns)
    for index in fired.indices { reading.fired[index] &+= fired[index].value.load(ordering: .relaxed) }
  }
}
