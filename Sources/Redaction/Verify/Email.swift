/// Mail addresses (RFC 5321, 5322, 5890, 6531), also with ` @ `, `(at)`, `[at]` and `%40`.
extension Scanner {
  /// The sign for "at" stands at `at` and is `width` bytes wide.
  mutating func email(at: Int, width: Int) {
    var localEnd = at
    var domainStart = at + width
    if text[at - 1] == 0x20, text[domainStart] == 0x20 || width == 4 { localEnd -= 1 }
    if text[domainStart] == 0x20, localEnd < at || width == 4 { domainStart += 1 }
    let isSpaced = localEnd < at
    guard let localStart = localPart(endingAt: localEnd), let domainEnd = domain(from: domainStart) else { return }
    work += domainEnd - localStart
    // " @ " may be prose, "call me @ home.now": it needs a usual top-level domain or a word beside it.
    let isLoose = isSpaced && width == 1
    let level: FindingLevel = !isLoose ? .certain : hasUsualEnd(domainEnd) ? .likely : .possible
    found(
      .email, localStart, domainEnd, level, rank: Candidate.Rank.email, raisedBy: isLoose ? Context.mail : 0)
  }

  private func hasUsualEnd(_ end: Int) -> Bool {
    for suffix: StaticString in [".ch", ".de", ".at", ".li", ".com", ".org", ".net", ".eu", ".fr", ".it"]
    where text.matches(suffix, at: end - suffix.utf8CodeUnitCount) {
      return true
    }
    return false
  }

  private func localPart(endingAt end: Int) -> Int? {
    var position = end
    let lowest = max(text.start, end - 64)
    while position > lowest {
      let byte = text[position - 1]
      if byte < 0x80 {
        guard Self.isAtom(byte) else { break }
        position -= 1
      } else {
        var lead = position - 1
        while lead > lowest, text[lead] & 0xC0 == 0x80 { lead -= 1 }
        guard ScanTables.isLetterLead(text[lead]) else { break }
        position = lead
      }
    }
    // A local part does not begin with these: they belong to what stands before it.
    while position < end, !text.isWord(at: position), text[position] != 0x5F { position += 1 }
    guard position < end, text[end - 1] != 0x2E else { return nil }
    return position
  }

  private static func isAtom(_ byte: UInt8) -> Bool {
    if ASCII.isAlphanumeric(byte) { return true }
    switch byte {
    case 0x2E, 0x2D, 0x5F, 0x2B, 0x25, 0x26, 0x27, 0x21, 0x23, 0x24, 0x2A, 0x2F, 0x3D, 0x3F, 0x5E, 0x60, 0x7B...0x7E:
      return true
    default: return false
    }
  }

  /// The end of a domain whose last label has 2 to 24 letters.
  private func domain(from start: Int) -> Int? {
    var position = start
    let limit = min(text.end, start + 255)
    var labelStart = start
    var good: Int?
    while position <= limit {
      let byte = text[position]
      if position < limit, ASCII.isAlphanumeric(byte) || byte == 0x2D {
        position += 1
        continue
      }
      if position < limit, byte >= 0x80, ScanTables.isLetterLead(byte) {
        position += 1
        while position < limit, text[position] & 0xC0 == 0x80 { position += 1 }
        continue
      }
      guard position > labelStart, text[labelStart] != 0x2D else { break }
      if labelStart > start, isTopLevel(labelStart, position) { good = position }
      guard byte == 0x2E, position < limit else { break }
      position += 1
      labelStart = position
    }
    return good
  }

  private func isTopLevel(_ start: Int, _ end: Int) -> Bool {
    guard (2...24).contains(end - start) else { return false }
    if text.matches("xn--", at: start) { return true }
    for position in start..<end where !(ASCII.isLetter(text[position]) || text[position] >= 0x80) { return false }
    return true
  }
}
