internal import Synchronization

/// The checkpoints of one stream: the newest that was signed, and what the next one will state.
final class StreamNotes: Sendable {
  /// A durable state of the tree that no checkpoint states yet.
  struct Offer: Sendable {
    let tree: CompactRange
    let segment: SegmentName
  }

  private struct State: Sendable {
    var newest: CheckpointNote?
    var offer: Offer?
    var signedAt: UInt64?
    var isQueued = false
  }

  let stream: StreamName
  private let state = Mutex(State())

  init(stream: StreamName) { self.stream = stream }

  var newest: CheckpointNote? { state.withLock { $0.newest } }

  /// - Returns: Whether the keeper must be told.
  func offer(_ offer: Offer) -> Bool {
    state.withLock { state in
      if let open = state.offer, open.tree.end >= offer.tree.end { return false }
      state.offer = offer
      defer { state.isQueued = true }
      return !state.isQueued
    }
  }

  /// Takes the offer if the last checkpoint is old enough.
  func takeOffer(now: UInt64, interval: UInt64) -> Offer? {
    state.withLock { state in
      if let last = state.signedAt, now &- last < interval { return nil }
      defer {
        state.offer = nil
        state.isQueued = false
        state.signedAt = now
      }
      return state.offer
    }
  }

  func keep(_ note: CheckpointNote) { state.withLock { $0.newest = note } }
}
