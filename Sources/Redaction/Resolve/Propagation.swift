/// Finds every further place of the values that are acted on: whole words, five bytes and more, in any ASCII case.
///
/// Values are looked up by the hash of their first five bytes. Comparisons are counted and limited, so that many values
/// with one beginning cost no more than a linear search.
final class Propagation {
  static let shortest = 5
  /// Comparisons allowed for each 16 bytes of text, and once.
  private static let budgetPer16Bytes = 64
  private static let budgetBase = 65536

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
  private var known: Set<Int> = []
  private(set) var work = 0

  init() {
    heads.initialize(repeating: -1, count: 4096)
    filter.initialize(repeating: 0, count: 1024)
    firsts.initialize(repeating: false, count: 256)
  }

  deinit {
    heads.deallocate()
    filter.deallocate()
    firsts.deallocate()
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
    let given = findings.count
    let firsts = self.firsts
    let filter = self.filter
    var position = text.start
    for index in 0...given {
      let stop = index < given ? findings[index].start : text.end
      while position < stop {
        guard firsts[Int(text[position])] else {
          position += 1
          continue
        }
        let hash = Self.hash(text, position)
        guard filter[hash >> 6] >> UInt64(hash & 63) & 1 != 0, !Self.goesOn(text, position),
          let match = try longest(text, position, hash, stop, budget)
        else {
          position += 1
          continue
        }
        let found = findings[values[match].finding]
        let end = position + values[match].end - values[match].start
        findings.append(
          Finding(
            start: position, end: end, label: found.label, rank: found.rank, action: found.action,
            isEncoded: found.isEncoded))
        position = end
      }
      if index < given { position = findings[index].end }
    }
    return findings.count > given
  }

  private func add(_ text: TextView, _ finding: Finding, _ index: Int) {
    var hasher = Hasher()
    hasher.combine(bytes: UnsafeRawBufferPointer(start: text.bytes + finding.start, count: finding.end - finding.start))
    guard known.insert(hasher.finalize()).inserted else { return }
    let hash = Self.hash(text, finding.start)
    firsts[Int(ASCII.lower(text[finding.start]))] = true
    firsts[Int(ASCII.upper(text[finding.start]))] = true
    filter[hash >> 6] |= 1 << UInt64(hash & 63)
    values.append(Value(start: finding.start, end: finding.end, finding: index, next: heads[hash & 4095]))
    heads[hash & 4095] = Int32(truncatingIfNeeded: values.count - 1)
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
      let hash = Self.hash(text, value.start)
      filter[hash >> 6] = 0
      firsts[Int(ASCII.lower(text[value.start]))] = false
      firsts[Int(ASCII.upper(text[value.start]))] = false
      heads[hash & 4095] = -1
    }
    values.removeAll(keepingCapacity: values.capacity <= 4096)
    known.removeAll(keepingCapacity: known.capacity <= 4096)
  }
}
