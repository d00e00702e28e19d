import JSONText

/// The readable text behind encoded runs, one level deep, with the way back to the runs.
///
/// Belongs to one ``Redactor``. What is found in it takes the whole run, so no position within a run is kept.
final class DecodedText {
  private let bytes = ByteArena(capacity: 1024)
  private var segments: [TextSegment] = []
  private(set) var runs: [EncodedRun] = []
  /// Where runs of exactly 40 letters begin: the shape of an AWS secret.
  private(set) var fortyLetters: [Int] = []
  let text = NormalisedText()
  /// Bytes that were looked at for decoding; for tests of linear time.
  private(set) var work = 0

  /// Decodes what is encoded in `view`.
  /// - Parameter hasPercent: Whether a percent sign may stand in it.
  /// - Returns: Whether there is any text to scan.
  func decode(_ view: TextView, hasPercent: Bool) -> Bool {
    reset()
    var floor = view.start
    while let run = EncodedRuns.nextBase64(view, from: &floor) {
      if run.end - run.start == 40, view[run.end - 1] != 0x3D { fortyLetters.append(run.start) }
      base64(view, run)
    }
    if hasPercent {
      floor = view.start
      while let run = EncodedRuns.nextPercent(view, from: &floor) { percent(view, run) }
    }
    guard !runs.isEmpty, let base = bytes.bytes.baseAddress else { return false }
    Normaliser.normalise(base.assumingMemoryBound(to: UInt8.self), segments, into: text)
    return true
  }

  func wipe() {
    guard !runs.isEmpty || bytes.count > 0 else { return }
    bytes.wipe()
    bytes.reset()
    text.wipe()
  }

  private func reset() {
    work = 0
    bytes.reset()
    segments.removeAll(keepingCapacity: segments.capacity <= 4096)
    runs.removeAll(keepingCapacity: runs.capacity <= 4096)
    fortyLetters.removeAll(keepingCapacity: fortyLetters.capacity <= 4096)
  }

  private func add(_ run: EncodedRun, from start: Int) {
    segments.append(
      TextSegment(
        start: start, end: bytes.count, depth: 0, hasEscapes: true, isASCII: false,
        group: Int32(truncatingIfNeeded: runs.count)))
    runs.append(run)
  }

  // MARK: base64

  /// Letters before the encoded text shift it, so all four alignments are tried on the first few letters.
  private func base64(_ view: TextView, _ run: EncodedRun) {
    for offset in 0..<4 where isReadable(view, run.start + offset, min(run.end, run.start + offset + 96)) {
      let start = bytes.count
      var check = ReadableBytes()
      var bits: UInt32 = 0
      var count: UInt32 = 0
      bytes.reserve(run.end - run.start)
      for position in (run.start + offset)..<run.end {
        let value = EncodingTables.shared.base64[Int(view[position])]
        guard value < 64 else { continue }  // line breaks, padding
        bits = bits << 6 | UInt32(value)
        count += 6
        guard count >= 8 else { continue }
        count -= 8
        let byte = UInt8(truncatingIfNeeded: bits >> count)
        check.read(byte)
        bytes.append(byte)
      }
      work += run.end - run.start
      guard check.isText else {
        bytes.truncate(to: start)
        continue
      }
      return add(run, from: start)
    }
  }

  private func isReadable(_ view: TextView, _ start: Int, _ end: Int) -> Bool {
    var check = ReadableBytes()
    var bits: UInt32 = 0
    var count: UInt32 = 0
    var position = start
    while position < end {
      let value = EncodingTables.shared.base64[Int(view[position])]
      position += 1
      guard value < 64 else { continue }
      bits = bits << 6 | UInt32(value)
      count += 6
      guard count >= 8 else { continue }
      count -= 8
      check.read(UInt8(truncatingIfNeeded: bits >> count))
      if check.isHopeless { break }
    }
    work += position - start
    return !check.isHopeless
  }

  // MARK: percent-encoding

  private func percent(_ view: TextView, _ run: EncodedRun) {
    let start = bytes.count
    var check = ReadableBytes()
    var position = run.start
    bytes.reserve(run.end - run.start)
    while position < run.end {
      var byte = view[position]
      if byte == 0x25, let value = EncodedRuns.value(view, at: position) {
        byte = value
        position += 2
      } else if byte == 0x2B, position > run.start {
        byte = 0x20  // a space in forms; at the begin it may be a phone number's
      }
      check.read(byte)
      bytes.append(byte)
      position += 1
    }
    work += run.end - run.start
    guard check.isText else { return bytes.truncate(to: start) }
    add(run, from: start)
  }
}

/// Counts how many bytes are no readable UTF-8: controls, and what no character begins or goes on with.
struct ReadableBytes {
  private var count = 0
  private var bad = 0
  private var pending = 0

  /// More than a quarter is unreadable so far; of random bytes more than half is.
  var isHopeless: Bool { bad > 2 + count / 4 }
  /// Mostly readable: one odd byte in eight, and one at most in short texts.
  var isText: Bool { count > 0 && bad <= max(1, count / 32 * 4) }

  @inline(__always)
  mutating func read(_ byte: UInt8) {
    count += 1
    if pending > 0 {
      if byte & 0xC0 == 0x80 {
        pending -= 1
        return
      }
      pending = 0
      bad += 1
    }
    switch byte {
    case 0x09, 0x0A, 0x0D, 0x20...0x7E: break
    case 0xC2...0xDF: pending = 1
    case 0xE0...0xEF: pending = 2
    case 0xF0...0xF4: pending = 3
    default: bad += 1
    }
  }
}
