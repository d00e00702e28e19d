import JSONText

/// The text of one request as the scanner reads it, all segments behind one another, with the way back to raw bytes.
///
/// Belongs to one ``Redactor`` and is reused. Eight zero bytes stand before the text and 64 behind it, so that a look at a
/// neighbour needs no check.
final class NormalisedText {
  /// From `norm` on, text bytes and raw bytes run in step if `rawLength` is 0; otherwise all text bytes up to the next run
  /// stand for the `rawLength` bytes from `raw`, and are replaced together.
  struct Run {
    var norm: Int32
    var raw: Int32
    var rawLength: Int32
  }

  struct Span {
    var start: Int
    var end: Int
    var segment: Int
  }

  static let margin = 8
  static let tail = 64

  private let arena = ByteArena(capacity: 16 * 1024)
  private(set) var runs: [Run] = []
  private(set) var spans: [Span] = []
  private(set) var end = NormalisedText.margin

  /// Text position 0 is the first margin byte; the text begins at ``margin``.
  var bytes: UnsafePointer<UInt8> { UnsafePointer(arena.base.assumingMemoryBound(to: UInt8.self)) }

  func reset() {
    arena.reset()
    runs.removeAll(keepingCapacity: runs.capacity < 65536)
    spans.removeAll(keepingCapacity: spans.capacity < 65536)
    appendZeros(Self.margin)
  }

  /// Overwrites the text with zeros.
  func wipe() {
    arena.wipe()
    runs.removeAll(keepingCapacity: true)
    spans.removeAll(keepingCapacity: true)
    end = Self.margin
  }

  var position: Int { arena.count }

  /// Room for a text of `count` raw bytes: normalising never lengthens it.
  func reserve(_ count: Int) { arena.reserve(count + Self.tail + 64) }

  func open(segment: Int) { spans.append(Span(start: arena.count, end: arena.count, segment: segment)) }
  func close() {
    guard !spans.isEmpty else { return }
    spans[spans.count - 1].end = arena.count
  }

  func separate(_ byte: UInt8) { arena.append(byte) }

  func finish() {
    end = arena.count
    appendZeros(Self.tail)
  }

  private func appendZeros(_ count: Int) {
    let zeros: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0, 0)
    withUnsafeBytes(of: zeros) { arena.append(UnsafeRawBufferPointer(rebasing: $0[0..<count])) }
  }

  @inline(__always)
  func appendLinear(_ source: UnsafePointer<UInt8>, _ from: Int, _ to: Int) {
    guard to > from else { return }
    runs.append(Run(norm: Int32(truncatingIfNeeded: arena.count), raw: Int32(truncatingIfNeeded: from), rawLength: 0))
    arena.append(UnsafeRawBufferPointer(start: source + from, count: to - from))
  }

  /// Opens a run whose text bytes follow by ``append(_:)``.
  @inline(__always)
  func openAtomic(_ from: Int, _ to: Int) {
    runs.append(
      Run(
        norm: Int32(truncatingIfNeeded: arena.count), raw: Int32(truncatingIfNeeded: from),
        rawLength: Int32(truncatingIfNeeded: to - from)))
  }

  @inline(__always) func append(_ byte: UInt8) { arena.append(byte) }

  func append(scalar: UInt32) {
    switch scalar {
    case 0..<0x80: arena.append(UInt8(scalar))
    case 0x80..<0x800:
      arena.append(UInt8(0xC0 | scalar >> 6))
      arena.append(UInt8(0x80 | scalar & 0x3F))
    case 0x800..<0x10000:
      arena.append(UInt8(0xE0 | scalar >> 12))
      arena.append(UInt8(0x80 | scalar >> 6 & 0x3F))
      arena.append(UInt8(0x80 | scalar & 0x3F))
    case 0x10000..<0x110000:
      arena.append(UInt8(0xF0 | scalar >> 18))
      arena.append(UInt8(0x80 | scalar >> 12 & 0x3F))
      arena.append(UInt8(0x80 | scalar >> 6 & 0x3F))
      arena.append(UInt8(0x80 | scalar & 0x3F))
    default: break
    }
  }

  /// The last byte of the open segment's text; 0 if it is empty.
  var lastByte: UInt8 {
    guard let span = spans.last, arena.count > span.start else { return 0 }
    return bytes[arena.count - 1]
  }

  /// Takes back the last text byte for composition with a mark, if it is an ASCII letter of the open segment.
  /// - Returns: The letter and where its raw bytes begin.
  func takeLetter() -> (letter: UInt8, raw: Int)? {
    guard let span = spans.last, let run = runs.last, arena.count > span.start, arena.count > Int(run.norm) else {
      return nil
    }
    let letter = bytes[arena.count - 1]
    guard ASCII.isLetter(letter), run.rawLength == 0 else { return nil }
    let raw = Int(run.raw) + arena.count - 1 - Int(run.norm)
    arena.truncate(to: arena.count - 1)
    if arena.count == Int(run.norm) { runs.removeLast() }
    return (letter, raw)
  }

  // MARK: the way back

  /// Where the raw bytes of the text byte at `position` begin.
  func rawStart(_ position: Int) -> Int {
    let run = runs[index(of: position)]
    return run.rawLength == 0 ? Int(run.raw) + position - Int(run.norm) : Int(run.raw)
  }

  /// Where the raw bytes of the text byte before `position` end.
  func rawEnd(_ position: Int) -> Int {
    let run = runs[index(of: position - 1)]
    return run.rawLength == 0 ? Int(run.raw) + position - Int(run.norm) : Int(run.raw) + Int(run.rawLength)
  }

  private func index(of position: Int) -> Int {
    var low = 0
    var high = runs.count - 1
    while low < high {
      let middle = (low + high + 1) / 2
      if Int(runs[middle].norm) <= position { low = middle } else { high = middle - 1 }
    }
    return low
  }

  /// The span that holds `position`, or the next one; nil behind the last.
  func span(at position: Int) -> Int? {
    var low = 0
    var high = spans.count
    while low < high {
      let middle = (low + high) / 2
      if spans[middle].end <= position { low = middle + 1 } else { high = middle }
    }
    return low < spans.count ? low : nil
  }
}
