/// Finds every further place of the values that are acted on: whole words, five bytes and more, in any ASCII case.
///
/// Values are looked up by the hash of their first five bytes, and that only near a sample of the text that stands within
/// the first bytes of one: as many bytes as all values have, so the longer the shortest value, the fewer samples there
/// are. Comparisons are counted and limited, so that many values with one beginning cost no more than a linear search.
final class Propagation {
  static let shortest = 5
  /// Comparisons allowed for each 16 bytes of text, and once.
  private static let budgetPer16Bytes = 64
  private static let budgetBase = 65536
  /// First bytes of a value that samples lie in, at most.
  private static let longestReach = 16
  /// So many values are told apart by comparing them all; only more make a table worth its hashes.
  private static let few = 8

  private struct Value {
    var start: Int
    var end: Int
    var finding: Int
    var next: Int32
  }

  private var values: [Value] = []
  private let heads = UnsafeMutablePointer<Int32>.allocate(capacity: 4096)
  private let filter = UnsafeMutablePointer<UInt64>.allocate(capacity: 1024)
  /// For each byte whether a value begins with it, in any case.
  private let firsts = UnsafeMutablePointer<Bool>.allocate(capacity: 256)
  /// A bit for each hash of a sample that stands within a value's first ``reach`` bytes.
  private let samples = UnsafeMutablePointer<UInt64>.allocate(capacity: 1024)
  private var reach = Propagation.shortest
  private var known = Buckets()
  private(set) var work = 0

  init() {
    heads.initialize(repeating: -1, count: 4096)
    filter.initialize(repeating: 0, count: 1024)
    firsts.initialize(repeating: false, count: 256)
    samples.initialize(repeating: 0, count: 1024)
  }

  deinit {
    heads.deallocate()
    filter.deallocate()
    firsts.deallocate()
    samples.deallocate()
  }

  /// Adds further findings behind those given; all text outside of them is searched.
  /// - Parameter findings: Sorted, not overlapping.
  /// - Returns: Whether any was added.
  func run(_ text: TextView, _ findings: inout [Finding]) throws(RedactionError) -> Bool {
    defer { clear(text) }
    work = 0
    let budget = Self.budgetBase + (text.end - text.start) / 16 * Self.budgetPer16Bytes
    for index in findings.indices {
      let finding = findings[index]
      guard finding.action != .flag, finding.end - finding.start >= Self.shortest,
        finding.label != FindingType.text.index
      else { continue }
      add(text, finding, index)
    }
    guard !values.isEmpty else { return false }
    noteSamples(text)
    let given = findings.count
    var position = text.start
    for index in 0...given {
      let stop = index < given ? findings[index].start : text.end
      while let match = try next(text, from: position, stop, budget) {
        let found = findings[values[match.value].finding]
        position = match.start + values[match.value].end - values[match.value].start
        findings.append(
          Finding(
            start: match.start, end: position, label: found.label, rank: found.rank, action: found.action,
            isEncoded: found.isEncoded))
      }
      if index < given { position = findings[index].end }
    }
    return findings.count > given
  }

  /// The first place at or behind `from` where a value stands that ends at `stop` at the latest.
  private func next(
    _ text: TextView, from: Int, _ stop: Int, _ budget: Int
  ) throws(RedactionError) -> (start: Int, value: Int)? {
    let samples = self.samples
    let mask = sampleMask
    let stride = self.stride
    let last = stop - sampleWidth
    var position = from
    while position <= last {
      let sample = Self.sample(text, position, mask)
      guard samples[sample &>> 6] &>> UInt64(truncatingIfNeeded: sample & 63) & 1 != 0 else {
        position &+= stride
        continue
      }
      // Each place belongs to the one sample that begins in its first `stride` bytes.
      for start in max(from, position - stride + 1)...position {
        if let value = try value(text, at: start, stop, budget) { return (start, value) }
      }
      position += stride
    }
    return nil
  }

  // MARK: samples

  /// Two letters say little about a place, but four within short values would leave few places to skip.
  private var sampleWidth: Int { reach < 8 ? 2 : 4 }
  private var sampleMask: UInt32 { reach < 8 ? 0xFFFF : .max }
  /// A value has a sample at each of so many first bytes, so one of them begins at every such distance.
  private var stride: Int { reach - sampleWidth + 1 }

  /// Sixteen bits of the two or four bytes at `position`, case off.
  @inline(__always)
  private static func sample(_ text: TextView, _ position: Int, _ mask: UInt32) -> Int {
    let word = UnsafeRawPointer(text.bytes).loadUnaligned(fromByteOffset: position, as: UInt32.self)
    return Int(truncatingIfNeeded: (((UInt32(littleEndian: word) | 0x2020_2020) & mask) &* 0x9E37_79B1) &>> 16)
  }

  private func noteSamples(_ text: TextView) {
    reach = Self.longestReach
    for value in values { reach = min(reach, value.end - value.start) }
    for value in values {
      for offset in 0..<stride {
        let sample = Self.sample(text, value.start + offset, sampleMask)
        samples[sample >> 6] |= 1 << UInt64(sample & 63)
      }
    }
  }

  private func value(_ text: TextView, at start: Int, _ stop: Int, _ budget: Int) throws(RedactionError) -> Int? {
    guard firsts[Int(text[start])] else { return nil }
    let hash = Self.hash(text, start)
    guard filter[hash >> 6] >> UInt64(hash & 63) & 1 != 0, !Self.goesOn(text, start) else { return nil }
    return try longest(text, start, hash, stop, budget)
  }

  private func add(_ text: TextView, _ finding: Finding, _ index: Int) {
    guard !isKnown(text, finding) else { return }
    let hash = Self.hash(text, finding.start)
    firsts[Int(ASCII.lower(text[finding.start]))] = true
    firsts[Int(ASCII.upper(text[finding.start]))] = true
    filter[hash >> 6] |= 1 << UInt64(hash & 63)
    values.append(Value(start: finding.start, end: finding.end, finding: index, next: heads[hash & 4095]))
    heads[hash & 4095] = Int32(truncatingIfNeeded: values.count - 1)
    if values.count == Self.few + 1 {
      for value in values { known.insertUnchained(Self.identity(text, value.start, value.end), 0) }
    } else if values.count > Self.few {
      known.insertUnchained(Self.identity(text, finding.start, finding.end), 0)
    }
  }

  /// Whether the same bytes are a value already.
  private func isKnown(_ text: TextView, _ finding: Finding) -> Bool {
    guard values.count <= Self.few else {
      return known.first(Self.identity(text, finding.start, finding.end)) != nil
    }
    let length = finding.end - finding.start
    for value in values where value.end - value.start == length {
      var offset = 0
      while offset < length, text[value.start &+ offset] == text[finding.start &+ offset] { offset &+= 1 }
      if offset == length { return true }
    }
    return false
  }

  private static func identity(_ text: TextView, _ start: Int, _ end: Int) -> UInt64 {
    var hasher = Hasher()
    hasher.combine(bytes: UnsafeRawBufferPointer(start: text.bytes + start, count: end - start))
    return UInt64(bitPattern: Int64(hasher.finalize()))
  }

  /// The longest value that stands at `position` and ends at `stop` at the latest.
  private func longest(
    _ text: TextView, _ position: Int, _ hash: Int, _ stop: Int, _ budget: Int
  ) throws(RedactionError) -> Int? {
    var best: Int?
    var current = heads[hash & 4095]
    while current >= 0 {
      let value = values[Int(current)]
      let length = value.end - value.start
      work += 1
      guard work <= budget else { throw .tooMany }
      if position + length <= stop, best.map({ values[$0].end - values[$0].start < length }) ?? true,
        Self.equal(text, value.start, position, length), !Self.isCut(text, position, length)
      {
        best = Int(current)
      }
      current = value.next
    }
    return best
  }

  /// Whether a word goes on over the begin of a match.
  private static func goesOn(_ text: TextView, _ position: Int) -> Bool {
    text.isWord(at: position) && text.isWordBefore(position)
  }

  private static func isCut(_ text: TextView, _ position: Int, _ length: Int) -> Bool {
    text.isWordBefore(position + length) && text.isWord(at: position + length)
  }

  private static func equal(_ text: TextView, _ left: Int, _ right: Int, _ length: Int) -> Bool {
    var index = length - 1  // values with one beginning differ at the end
    while index >= 0 {
      if ASCII.lower(text[left + index]) != ASCII.lower(text[right + index]) { return false }
      index -= 1
    }
    return true
  }

  /// Sixteen bits of the first five bytes, case off.
  @inline(__always)
  private static func hash(_ text: TextView, _ position: Int) -> Int {
    let start = UnsafeRawPointer(text.bytes + position)
    let word = start.loadUnaligned(as: UInt64.self) & 0xFF_FFFF_FFFF | 0x20_2020_2020
    return Int(truncatingIfNeeded: (word &* 0x9E37_79B9_7F4A_7C15) >> 48)
  }

  private func clear(_ text: TextView) {
    for value in values {
      for offset in 0..<stride { samples[Self.sample(text, value.start + offset, sampleMask) >> 6] = 0 }
      let hash = Self.hash(text, value.start)
      filter[hash >> 6] = 0
      firsts[Int(ASCII.lower(text[value.start]))] = false
      firsts[Int(ASCII.upper(text[value.start]))] = false
      heads[hash & 4095] = -1
    }
    values.removeAll(keepingCapacity: values.capacity <= 4096)
    known.reset()
  }
}
