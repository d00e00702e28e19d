/// Finds every further place of the values that are acted on: whole words, five bytes and more, in any ASCII case.
///
/// Values are looked up by the hash of their first five bytes. Comparisons are counted and limited, so that many values
/// with one beginning cost no more than a linear search.
struct Propagation {
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
  private var heads = [Int32](repeating: -1, count: 4096)
  private var filter = [UInt64](repeating: 0, count: 1024)
  private var known: Set<Int> = []
  private(set) var work = 0

  /// Adds further findings behind those given; all text outside of them is searched.
  /// - Parameter findings: Sorted, not overlapping.
  /// - Returns: Whether any was added.
  mutating func run(_ text: TextView, _ findings: inout [Finding]) throws(RedactionError) -> Bool {
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
    var position = text.start
    var finding = 0
    while position + Self.shortest <= text.end {
      if finding < given, position >= findings[finding].start {
        position = max(position, findings[finding].end)
        finding += 1
        continue
      }
      let hash = Self.hash(text, position)
      if filter[hash >> 6] >> UInt64(hash & 63) & 1 != 0, !Self.goesOn(text, position),
        let match = try longest(text, position, hash, budget)
      {
        let found = findings[values[match].finding]
        let end = position + values[match].end - values[match].start
        findings.append(
          Finding(start: position, end: end, label: found.label, rank: found.rank, action: found.action))
        position = end
        continue
      }
      position += 1
    }
    return findings.count > given
  }

  private mutating func add(_ text: TextView, _ finding: Finding, _ index: Int) {
    var hasher = Hasher()
    hasher.combine(bytes: UnsafeRawBufferPointer(start: text.bytes + finding.start, count: finding.end - finding.start))
    guard known.insert(hasher.finalize()).inserted else { return }
    let hash = Self.hash(text, finding.start)
    filter[hash >> 6] |= 1 << UInt64(hash & 63)
    values.append(Value(start: finding.start, end: finding.end, finding: index, next: heads[hash & 4095]))
    heads[hash & 4095] = Int32(truncatingIfNeeded: values.count - 1)
  }

  private mutating func longest(_ text: TextView, _ position: Int, _ hash: Int, _ budget: Int) throws(RedactionError)
    -> Int?
  {
    var best: Int?
    var current = heads[hash & 4095]
    while current >= 0 {
      let value = values[Int(current)]
      let length = value.end - value.start
      work += 1
      guard work <= budget else { throw .tooMany }
      if position + length <= text.end, best.map({ values[$0].end - values[$0].start < length }) ?? true,
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

  private mutating func clear(_ text: TextView) {
    for value in values {
      let hash = Self.hash(text, value.start)
      filter[hash >> 6] = 0
      heads[hash & 4095] = -1
    }
    values.removeAll(keepingCapacity: values.capacity <= 4096)
    known.removeAll(keepingCapacity: known.capacity <= 4096)
  }
}
