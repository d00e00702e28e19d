/// Text that looks like a placeholder of ours: a finding, so that nobody reads a value by typing its token.
extension Scanner {
  /// All built-in labels by the low five bits of their first letter, which are the same in either case.
  private static let labels: [[[UInt8]]] = (0..<32).map { bits in
    LabelBytes.builtin.filter { Int($0[0] & 31) == bits }
  }

  /// The word `start ..< end` begins a label. Returns where the scan goes on.
  mutating func typedPlaceholder(wordAt start: Int, _ end: Int) -> Int? {
    let next = text[end]
    guard next == 0x5F || next == 0x2D || next == 0x20 else { return nil }
    for label in Self.labels[Int(text[start] & 31)] {
      if let stop = spelling(of: label, at: start) { return add(start, stop) }
    }
    return nil
  }

  /// A bracket stands at `position`; looks for a label of the tenant's own.
  mutating func typedPlaceholder(bracketAt position: Int) {
    guard text[position] != 0x28 else { return }
    for label in customLabels {
      if let stop = spelling(of: label, at: position + 1) {
        _ = add(position + 1, stop)
        return
      }
    }
  }

  private func spelling(of label: [UInt8], at start: Int) -> Int? {
    guard start + label.count + 1 + PlaceholderTag.length <= text.end else { return nil }
    var hasDigit = false
    var isLoose = false
    for index in label.indices {
      let byte = text[start + index]
      if label[index] == 0x5F {
        guard byte == 0x5F || byte == 0x2D || byte == 0x20 else { return nil }
      } else {
        guard ASCII.upper(byte) == label[index] else { return nil }
      }
    }
    var position = start + label.count
    switch text[position] {
    case 0x5F: break
    case 0x2D, 0x20: isLoose = true
    default: return nil
    }
    position += 1
    for _ in 0..<PlaceholderTag.length {
      guard PlaceholderTag.value(text[position]) != nil else { return nil }
      if ASCII.isDigit(text[position]) { hasDigit = true }
      position += 1
    }
    guard !text.isWord(at: position) else { return nil }
    // "phone chargers" is prose: with a loose separator a digit must be in it.
    return isLoose && !hasDigit ? nil : position
  }

  private mutating func add(_ start: Int, _ end: Int) -> Int {
    var from = start
    var to = end
    if let opener = openerLength(before: start), let closer = closerLength(at: end) {
      from -= opener
      to += closer
      if closer > 1 { hasPercent = true }
    }
    found(.text, from, to, .certain, rank: Candidate.Rank.placeholder)
    return to
  }

  private func openerLength(before position: Int) -> Int? {
    if text[position - 1] == 0x5B || text[position - 1] == 0x3C { return 1 }
    return text.matches("%5b", at: position - 3) ? 3 : nil
  }

  private func closerLength(at position: Int) -> Int? {
    if text[position] == 0x5D || text[position] == 0x3E { return 1 }
    return text.matches("%5d", at: position) ? 3 : nil
  }
}
