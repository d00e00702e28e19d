import Synchronization

/// How many connections are open: of all loops together, and from each source. Touched when one is accepted and when one
/// closes, never in between, so one short lock is enough for all loops.
public final class ConnectionCount: Sendable {
  private struct State {
    var open = 0
    var perSource: [SourceAddress: Int] = [:]
    var refused = 0
    var refusedPerSource = 0
  }

  private let limit: Int
  private let limitPerSource: Int
  private let state = Mutex(State())

  /// - Parameters:
  ///   - limit: Connections of the whole process.
  ///   - perSource: Of them, from one source.
  public init(limit: Int, perSource: Int) {
    self.limit = limit
    limitPerSource = perSource
  }

  /// Whether one more may stay. Each that may is taken off again by ``left(_:)``.
  /// - Parameter isMany: The connection carries many sources, as a trusted proxy's does: only the whole number counts.
  func admits(_ source: SourceAddress, isMany: Bool = false) -> Bool {
    state.withLock { state in
      guard state.open < limit else {
        state.refused &+= 1
        return false
      }
      let ofSource = state.perSource[source, default: 0]
      guard isMany || ofSource < limitPerSource else {
        state.refusedPerSource &+= 1
        return false
      }
      state.open += 1
      state.perSource[source] = ofSource + 1
      return true
    }
  }

  func left(_ source: SourceAddress) {
    state.withLock { state in
      state.open -= 1
      let rest = state.perSource[source, default: 1] - 1
      state.perSource[source] = rest > 0 ? rest : nil
    }
  }

  /// What is open now, and what was closed at once since the start because a limit was reached.
  public struct Reading: Sendable, Equatable {
    public var open = 0
    public var refused = 0
    public var refusedPerSource = 0
  }

  public var reading: Reading {
    state.withLock { Reading(open: $0.open, refused: $0.refused, refusedPerSource: $0.refusedPerSource) }
  }

  /// Sources that are remembered; none when nothing is open.
  var sources: Int { state.withLock { $0.perSource.count } }
}
