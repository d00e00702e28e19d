import Synchronization
public import Tenancy

/// Wrong API keys, of all loops, by where they come from and whose id they bear: beyond a number in a minute they are
/// refused as too many, and reported (`threats.md` section 2, row 4). A right key is never refused for others' failures:
/// keys are checked first, and only what is wrong comes here.
public final class FailedKeys: Sendable {
  private struct State {
    var throttle: FailureThrottle<NetworkAddress, UInt128>
    var reading = Reading()
    var report = Report()
  }

  private let state: Mutex<State>

  init(_ limits: Limits) { state = Mutex(State(throttle: FailureThrottle(perMinute: limits.failedKeysPerMinute))) }

  /// - Parameters:
  ///   - id: The key's public half, where it could be read.
  ///   - now: Nanoseconds of the monotonic clock.
  /// - Returns: Seconds to wait if there have been too many; nil: this one is told that its key is wrong.
  func failed(from address: NetworkAddress, id: UInt128?, now: Int64) -> Int? {
    state.withLock { state in
      state.reading.failures &+= 1
      guard let wait = state.throttle.failed(source: address.source, account: id, now: now) else { return nil }
      if wait.source != nil { state.reading.refusedBySource &+= 1 } else { state.reading.refusedByID &+= 1 }
      state.report.note(address.source, wait.source == nil ? id : nil)
      return wait.seconds
    }
  }

  public struct Reading: Sendable, Equatable {
    /// Since the start, the refused ones included.
    public var failures = 0
    /// Refused because of too many failures from their source, and with their key's id.
    public var refusedBySource = 0
    public var refusedByID = 0
  }

  public var reading: Reading { state.withLock { $0.reading } }

  /// What was refused since the last report.
  public func takeReport() -> Report {
    state.withLock { state in
      defer { state.report = Report() }
      return state.report
    }
  }

  public struct Report: Sendable, Equatable {
    /// By source, how many; and by key, under attack from many sources.
    public private(set) var sources: [NetworkAddress: Int] = [:]
    public private(set) var keys: [KeyID: Int] = [:]
    /// Those of further sources and keys.
    public private(set) var others = 0

    /// Who has many networks must not fill the memory, nor the operator's screen.
    static let most = 16

    /// - Parameter id: Of the key whose limit it was; nil: it was the source's.
    mutating func note(_ source: NetworkAddress, _ id: UInt128?) {
      others &+= id.map { Self.count(KeyID($0), in: &keys) } ?? Self.count(source, in: &sources)
    }

    /// The one with the fewest makes room, so that decoys hide nobody.
    /// - Returns: How many are no longer named.
    private static func count<Name: Hashable>(_ name: Name, in table: inout [Name: Int]) -> Int {
      var left = 0
      if table.count >= most, table[name] == nil, let least = table.min(by: { $0.value < $1.value }) {
        left = least.value
        table[least.key] = nil
      }
      table[name, default: 0] &+= 1
      return left
    }

    /// Lines for the operator: those with the most first; none where nothing was refused.
    public var lines: [String] {
      func lines<Name: CustomStringConvertible>(_ table: [Name: Int], _ before: String) -> [String] {
        table.map { (name: "\($0.key)", count: $0.value) }.sorted { ($1.count, $0.name) < ($0.count, $1.name) }
          .map { "\($0.count) requests with keys that are not valid were refused as too many, \(before) \($0.name)" }
      }
      let rest = others > 0 ? ["\(others) more of other sources or with other ids"] : []
      return lines(sources, "from") + lines(keys, "with the id of key") + rest
    }
  }
}
