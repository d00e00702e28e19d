import JSONText

/// What libcurl has brought in a turn of the loop, until the turn's end tells the pipeline.
///
/// Apart from the pool, so that transfers can hold it as their own: libcurl's callbacks come with every header line, and
/// each look at an unowned owner counts references.
final class TurnNews {
  private var transfers: [Transfer] = []
  private var buffers: [ByteArena] = []

  var isEmpty: Bool { transfers.isEmpty }

  /// Of each transfer once a turn.
  func add(_ transfer: Transfer) {
    guard !transfer.isDirty else { return }
    transfer.isDirty = true
    transfers.append(transfer)
  }

  /// All that have news; `spare` takes the place of the list, so that neither is allocated anew.
  func take(into spare: inout [Transfer]) { swap(&transfers, &spare) }

  func forget() { transfers.removeAll() }

  /// Where what libcurl brings waits for the turn's end: few of many open streams have news in one turn.
  func takeBuffer() -> ByteArena { buffers.popLast() ?? ByteArena(capacity: 1024) }

  func give(_ buffer: ByteArena) {
    buffer.reset(keeping: 16 * 1024)
    if buffers.count < 128 { buffers.append(buffer) }
  }
}
