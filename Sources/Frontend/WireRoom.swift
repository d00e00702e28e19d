import EventLoop
import Gateway
import JSONText

/// What the wires of one loop share: the loop, the limits, buffers, and the flush at each turn's end.
final class WireRoom {
  let loop: EventLoop
  let limits: Limits
  /// What is received is used, or copied by who wants to keep it, before the next client's bytes come.
  let readBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
  /// A record's plain bytes, for as long as their user looks at them.
  let openBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 * 1024, alignment: 16)
  /// Where runs of bytes come together that share a record: as large as the largest one.
  let joinBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 * 1024, alignment: 16)
  /// Records between OpenSSL and the kernel; empty between any two calls of a ``TLSStream``'s owner.
  let records = ByteArena(capacity: 4096)
  private var arenas: [ByteArena] = []
  private var toFlush: [ClientWire] = []
  private var flushing: [ClientWire] = []
  /// Wires with more to read than a turn should, in the order in which they were reported.
  private var line: [ClientWire] = []

  init(loop: EventLoop, limits: Limits) {
    self.loop = loop
    self.limits = limits
  }

  deinit {
    readBuffer.deallocate()
    openBuffer.deallocate()
    joinBuffer.deallocate()
  }

  /// The wire is read when its turn has come; it is not in line yet.
  func readLater(_ wire: ClientWire) { line.append(wire) }

  /// Once a turn: reads on from those who have stood in line longest, as much as a turn bears. Who has more to say is
  /// reported again, and stands behind the others then.
  func readLine() {
    var served = 0
    var left = limits.turnReadBytes
    while served < line.count, left > 0 {
      left -= line[served].readInLine()
      served += 1
    }
    line.removeFirst(served)
  }

  func flushAtEndOfTurn(_ wire: ClientWire) { toFlush.append(wire) }

  /// Writes what the turn has left in the wires.
  /// - Returns: False if there was nothing.
  func flushAll() -> Bool {
    guard !toFlush.isEmpty else { return false }
    swap(&toFlush, &flushing)
    for wire in flushing { wire.turnEnded() }
    flushing.removeAll(keepingCapacity: true)
    return true
  }

  /// A buffer for bytes that a client has not taken.
  func takeArena() -> ByteArena { arenas.popLast() ?? ByteArena(capacity: 2048) }

  func give(_ arena: ByteArena) {
    arena.reset(keeping: 16 * 1024)
    if arenas.count < 64 { arenas.append(arena) }
  }
}
