/// Reads one placeholder in any spelling that models give it, of those that were issued.
struct PlaceholderMatcher {
  enum Outcome: Equatable {
    case none
    /// The bytes end before it is decided.
    case unfinished
    /// The entry, and the raw bytes that stand for it.
    case match(entry: Int, bodyStart: Int, end: Int)
  }

  /// The longest accepted spelling, in raw bytes.
  static let longest = 40

  private enum Step {
    case yes(Int)
    case no
    case unfinished
  }

  let bytes: UnsafePointer<UInt8>
  let limit: Int
  let depth: Int
  /// Whether more bytes may follow at `limit`.
  let isOpen: Bool
  /// Only `[TYPE_xxxxxxxx]` as it was issued.
  let isExact: Bool

  init(_ bytes: UnsafePointer<UInt8>, start: Int, count: Int, depth: Int, isFinal: Bool, isExact: Bool) {
    self.bytes = bytes
    self.depth = depth
    self.isExact = isExact
    let reach = start + Self.longest
    limit = min(count, reach)
    isOpen = !isFinal && count < reach
  }

  func match(at start: Int, _ issued: IssuedPlaceholders) -> Outcome {
    if ASCII.isLetter(bytes[start]) { return isExact ? .none : core(at: start, issued) }
    for pair in Self.pairs {
      if isExact, pair.open != [0x5B] { continue }
      switch sequence(at: start, pair.open) {
      case .no: continue
      case .unfinished: return .unfinished
      case .yes(let body): return bracketed(at: start, body, pair, issued)
      }
    }
    return isExact ? .none : core(at: start, issued)
  }

  /// Brackets as models write them, opening and closing; a pair belongs together.
  private static let pairs: [(open: [UInt32], close: [UInt32])] = [
    ([0x5B], [0x5D]), ([0x3C], [0x3E]), ([0x5C, 0x5B], [0x5C, 0x5D]), ([0x25, 0x35, 0x62], [0x25, 0x35, 0x64]),
    ([0x26, 0x23, 0x39, 0x31, 0x3B], [0x26, 0x23, 0x39, 0x33, 0x3B]),
  ]

  private func bracketed(
    at start: Int, _ body: Int, _ pair: (open: [UInt32], close: [UInt32]), _ issued: IssuedPlaceholders
  ) -> Outcome {
    let inner = core(at: body, issued)
    guard case .match(let entry, _, let end) = inner else { return inner }
    switch sequence(at: end, pair.close) {
    case .unfinished: return .unfinished
    case .yes(let closed): return .match(entry: entry, bodyStart: start, end: closed)
    // An opening bracket alone belongs to the text around; the scan comes back to what stands behind it.
    case .no: return .none
    }
  }

  /// Label, separator and tag without brackets.
  private func core(at body: Int, _ issued: IssuedPlaceholders) -> Outcome {
    var result = Outcome.none
    for label in issued.labels {
      switch name(label.bytes, at: body) {
      case .unfinished: return .unfinished
      case .no: continue
      case .yes(let end):
        guard case .none = result else { continue }
        switch tag(at: end) {
        case .unfinished: return .unfinished
        case .none: continue
        case .read(let tag, let stop):
          guard let entry = issued.entry(label: label.number, tag: tag) else { continue }
          result = .match(entry: entry, bodyStart: body, end: stop)
        }
      }
    }
    return result
  }

  private func scalar(at position: Int) -> (UInt32, Int)? {
    guard position < limit else { return nil }
    let unit = EscapedText.unit(bytes, position, limit, depth: depth)
    return unit.length > 0 ? (unit.scalar, position + unit.length) : nil
  }

  /// What to say where the bytes end or are cut within an escape.
  private var atEnd: Step { isOpen ? .unfinished : .no }

  private func sequence(at position: Int, _ expected: [UInt32]) -> Step {
    var position = position
    for wanted in expected {
      guard let (scalar, next) = scalar(at: position) else { return atEnd }
      guard lower(scalar) == wanted else { return .no }
      position = next
    }
    return .yes(position)
  }

  private func lower(_ scalar: UInt32) -> UInt32 { scalar &- 0x41 < 26 ? scalar | 0x20 : scalar }

  /// The label and the separator behind it.
  private func name(_ label: [UInt8], at start: Int) -> Step {
    var position = start
    for byte in label {
      if byte == 0x5F {
        guard case .yes(let next) = separator(at: position) else { return separator(at: position) }
        position = next
        continue
      }
      guard let (scalar, next) = scalar(at: position) else { return atEnd }
      guard scalar == UInt32(byte) || (!isExact && lower(scalar) == UInt32(ASCII.lower(byte))) else { return .no }
      position = next
    }
    return separator(at: position)
  }

  private func separator(at position: Int) -> Step {
    guard let (first, next) = scalar(at: position) else { return atEnd }
    if first == 0x5F { return .yes(next) }
    if isExact { return .no }
    switch first {
    case 0x2D, 0x20, 0x2010, 0x2011, 0xA0: return .yes(next)
    case 0x5C: return sequence(at: next, [0x5F])
    default: return .no
    }
  }

  private enum Tag {
    case none
    case unfinished
    case read(UInt64, Int)
  }

  private func tag(at start: Int) -> Tag {
    var tag: UInt64 = 0
    var position = start
    for _ in 0..<PlaceholderTag.length {
      guard let (scalar, next) = scalar(at: position) else { return isOpen ? .unfinished : .none }
      guard scalar < 0x80, let value = PlaceholderTag.value(UInt8(scalar)) else { return .none }
      if isExact, scalar &- 0x41 < 26 { return .none }
      tag = tag << 5 | value
      position = next
    }
    return .read(tag, position)
  }
}
