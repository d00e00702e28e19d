/// Cuts UTF-8 text into deltas without cutting a scalar.
struct DeltaCuts {
  private enum Rule { case scalars(Int), count(Int, scalars: Int) }

  private let text: [UInt8]
  private let rule: Rule
  private var position = 0
  private var made = 0

  /// - Parameters:
  ///   - scalars: Unicode scalars per delta, at least 1.
  ///   - count: Deltas in all; some are empty if the text has fewer scalars.
  init(_ text: [UInt8], scalars: Int, count: Int?) {
    self.text = text
    if let count, count > 0 {
      let total = text.reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
      rule = .count(count, scalars: total)
    } else {
      rule = .scalars(max(1, scalars))
    }
  }

  /// The next delta's bytes, or nil after the last.
  mutating func next() -> ArraySlice<UInt8>? {
    switch rule {
    case .scalars(let scalars):
      guard position < text.count else { return nil }
      return take(scalars)
    case .count(let count, let total):
      guard made < count else { return nil }
      let share = total * (made + 1) / count - total * made / count
      made += 1
      return made == count ? takeRest() : take(share)
    }
  }

  private mutating func take(_ scalars: Int) -> ArraySlice<UInt8> {
    let start = position
    var left = scalars
    while position < text.count {
      if text[position] & 0xC0 != 0x80 {
        if left == 0 { break }
        left -= 1
      }
      position += 1
    }
    return text[start..<position]
  }

  private mutating func takeRest() -> ArraySlice<UInt8> {
    let start = position
    position = text.count
    return text[start...]
  }
}
