/// Secrets that are known by how they begin, and JSON web tokens.
extension Scanner {
  /// The pair table says that a prefix may begin at `start`, the begin of a word.
  /// - Returns: Where the scan goes on, if a secret was found.
  mutating func secret(at start: Int) -> Int? {
    if text[start] == 0x65, text[start + 1] == 0x79, text[start + 2] == 0x4A {
      return wants(.jwt) ? jwt(at: start) : nil
    }
    guard wants(.apiKey) else { return nil }
    let first = Int(text[start])
    let head = UnsafeRawPointer(text.bytes + start).loadUnaligned(as: UInt64.self)
    var index = tables.prefixStarts[first]
    let last = tables.prefixStarts[first + 1]
    while index < last {
      let row = tables.prefixes + index
      index += 1
      guard head & row.pointee.mask == row.pointee.head else { continue }
      if let end = secret(at: start, row.pointee) { return end }
    }
    return nil
  }

  private mutating func secret(at start: Int, _ row: PrefixRow) -> Int? {
    let body = start + row.count
    guard body < text.end else { return nil }
    for offset in stride(from: 8, to: row.count, by: 1)
    where text[start + offset] != tables.prefixTails[row.tail + offset - 8] {
      return nil
    }
    let limit = min(text.end, body + row.longest + 1)
    var (end, read) = run.end(text, body, limit, row.alphabet)
    work += read + row.count
    guard end - body <= row.longest else { return nil }
    if row.longest > row.shortest || row.alphabet == .dotted {
      while end > body, text[end - 1] == 0x2E || text[end - 1] == 0x2D { end -= 1 }
    }
    // A vendor's prefix with the right shape counts even where it says EXAMPLE: real keys hold any word by chance, and
    // nobody can see from outside which one is live.
    guard end - body >= row.shortest, !text.isWord(at: end), !StopList.isUniform(text, body, end) else { return nil }
    let level: FindingLevel = row.context == 0 ? .certain : .possible
    found(.apiKey, start, end, level, rank: Candidate.Rank.secret, raisedBy: row.context)
    return end
  }

  /// A JSON web token (RFC 7519): three base64url parts, the first being JSON with `alg`. Moves the cursor.
  private mutating func jwt(at start: Int) -> Int? {
    var end = start
    var dots = 0
    var parts: (Int, Int) = (0, 0)
    while end < text.end, SecretAlphabet.dotted.contains(text[end]) {
      if text[end] == 0x2E {
        if dots == 0 { parts.0 = end } else if dots == 1 { parts.1 = end }
        dots += 1
        if dots == 3 { break }
      }
      end += 1
    }
    work += end - start
    while end > start, text[end - 1] == 0x2E { end -= 1 }
    // Without a shape nothing within this run can be one, so the scan goes on behind it, or the run would be read again.
    guard dots >= 2, parts.0 - start >= 14, parts.1 - parts.0 >= 4, headerNamesAlgorithm(start, parts.0) else {
      return end - start > 256 ? end : nil
    }
    found(.jwt, start, end, .certain, rank: Candidate.Rank.secret)
    return end
  }

  /// Whether `"alg"` stands in the base64url bytes; looked for in all three alignments.
  private func headerNamesAlgorithm(_ start: Int, _ end: Int) -> Bool {
    var bits: UInt32 = 0
    var count = 0
    var window: UInt64 = 0
    for position in start..<min(end, start + 512) {
      guard let value = base64(text[position]) else { return false }
      bits = bits << 6 | value
      count += 6
      if count >= 8 {
        count -= 8
        window = window << 8 | UInt64(bits >> UInt32(count) & 0xFF)
        if window & 0xFF_FFFF_FFFF == 0x22_616C_6722 { return true }
      }
    }
    return false
  }

  private func base64(_ byte: UInt8) -> UInt32? {
    switch byte {
    case 0x41...0x5A: UInt32(byte) - 0x41
    case 0x61...0x7A: UInt32(byte) - 0x47
    case 0x30...0x39: UInt32(byte) + 4
    case 0x2B, 0x2D: 62
    case 0x2F, 0x5F: 63
    default: nil
    }
  }

  /// A PEM block with a private key (RFC 7468), from BEGIN to END or to the text's end. Moves the cursor.
  mutating func pem(at start: Int) -> Int {
    let label = start + 11
    var position = label
    var isPrivate = false
    while position < min(text.end, label + 40), text[position] != 0x2D {
      if text.matches("private key", at: position) { isPrivate = true }
      position += 1
    }
    guard isPrivate, text.matches("-----", at: position) else { return start + 5 }
    hasPercent = true  // what the cursor moves over is not looked at
    let body = position + 5
    position = body
    // Texts of one request lie behind one another, parted by zero bytes.
    while position < text.end, text[position] != 0, !(text[position] == 0x2D && text.matches("-----end ", at: position))
    {
      position += 1
    }
    var end = position
    if position < text.end, text[position] != 0 {
      position += 9
      while position < min(text.end, end + 60), text[position] != 0x2D { position += 1 }
      while position < text.end, text[position] == 0x2D { position += 1 }
      end = position
    }
    work += end - start
    guard end - body >= 16 else { return start + 5 }
    found(.privateKey, start, end, .certain, rank: Candidate.Rank.secret)
    return end
  }
}

/// Values that only show where a secret would stand.
enum StopList {
  /// Whether the value names itself an example; for values that only a word beside them makes a secret.
  static func isExample(_ text: TextView, _ start: Int, _ end: Int) -> Bool {
    var position = start
    while position < end {
      switch text[position] | 0x20 {
      case 0x65 where text.matches("example", at: position): return true
      case 0x78 where text.matches("xxxx", at: position): return true
      case 0x63 where text.matches("changeme", at: position): return true
      case 0x70 where text.matches("placeholder", at: position): return true
      default: break
      }
      position += 1
    }
    return isUniform(text, start, end)
  }

  /// Whether the value consists of so few different characters that it is a filled-in blank.
  static func isUniform(_ text: TextView, _ start: Int, _ end: Int) -> Bool {
    var seen: UInt64 = 0
    for position in start..<max(start, end) { seen |= 1 << UInt64(text[position] & 63) }
    return seen.nonzeroBitCount < min(5, (end - start + 1) / 2)
  }
}
