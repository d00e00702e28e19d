/// Secrets that are known by the word before them, and credentials in URLs.
extension Scanner {
  /// A word for a password or key ends at `end`: reads `: value`, `= value`, `ist value` and their like behind it.
  mutating func keywordSecret(_ start: Int, _ end: Int, _ mask: UInt32) {
    let isPassword = mask & Context.password != 0
    guard isPassword ? wants(.password) : wants(.highEntropy) || wants(.apiKey) else { return }
    guard let value = assignedValue(behind: end, isPassword: isPassword) else { return }
    work += value.end - end
    guard !isReference(value.start, value.end) else { return }
    if isPassword {
      guard !StopList.isExample(text, value.start, value.end) else { return }
      guard (4...128).contains(value.end - value.start), holdsDigitOrSymbol(value.start, value.end) else { return }
      found(.password, value.start, value.end, .likely, rank: Candidate.Rank.secret)
    } else if let entropy = Entropy.perByte(text, value.start, value.end), entropy.isSecret {
      let isAWS = value.end - value.start == 40 && !entropy.isHex
      // The shape of an AWS secret counts as a vendor's prefix does: the stop list says nothing about it.
      guard
        isAWS
          ? !StopList.isUniform(text, value.start, value.end) : !StopList.isExample(text, value.start, value.end)
      else { return }
      let type: FindingType = isAWS || !wants(.highEntropy) ? .apiKey : .highEntropy
      guard wants(type) else { return }
      found(type, value.start, value.end, .likely, rank: Candidate.Rank.secret - 1)
    }
  }

  private func assignedValue(behind end: Int, isPassword: Bool) -> (start: Int, end: Int)? {
    var position = end
    let limit = min(text.end, end + 48)
    // Closing quotes and brackets of the name, a note in parentheses, spaces.
    while position < limit, isFiller(text[position]) { position += 1 }
    var isAssigned = false
    while position < limit, text[position] == 0x3A || text[position] == 0x3D || text[position] == 0x3E {
      isAssigned = true
      position += 1
    }
    if !isAssigned, isPassword, position > end, let verb = Self.verbs.first(where: { text.matches($0, at: position) }) {
      position += verb.utf8CodeUnitCount
      isAssigned = true
    }
    guard isAssigned else { return nil }
    while position < limit, isMarkup(text[position]) { position += 1 }
    if text.matches("bearer ", at: position) { position += 7 }
    let quote = text[position] == 0x22 || text[position] == 0x27 ? text[position] : 0
    if quote != 0 { position += 1 }
    let start = position
    let last = min(text.end, start + 257)
    if quote != 0 {
      while position < last, text[position] != quote, text[position] >= 0x20 { position += 1 }
      return position > start ? (start, position) : nil
    }
    while position < last, !endsValue(text[position]) {
      // In "key=name=value" the second name begins a value of its own.
      if !isPassword, text[position] == 0x3D, text.isWord(at: position + 1) { break }
      position += 1
    }
    var stop = position
    // A full stop or a bracket that ends the sentence is no part of it.
    while stop > start, isSentenceEnd(text[stop - 1]) { stop -= 1 }
    return stop > start ? (start, stop) : nil
  }

  private static let verbs: [StaticString] = ["ist: ", "lautet: ", "ist ", "lautet ", "is ", "est ", "è "]

  /// What stands between a sign of assignment and the value: spaces, Markdown's signs.
  private func isMarkup(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x60 || byte == 0x2A }

  private func endsValue(_ byte: UInt8) -> Bool {
    byte <= 0x20 || byte == 0x22 || byte == 0x2C || byte == 0x3B || byte == 0x3C || byte == 0x29
  }

  private func isFiller(_ byte: UInt8) -> Bool {
    byte == 0x22 || byte == 0x27 || byte == 0x20 || byte == 0x5D || byte == 0x2A || byte == 0x60 || byte == 0x09
  }

  private func isSentenceEnd(_ byte: UInt8) -> Bool {
    byte == 0x2E || byte == 0x2C || byte == 0x27 || byte == 0x60 || byte == 0x5D || byte == 0x7D || byte == 0x2A
  }

  private func holdsDigitOrSymbol(_ start: Int, _ end: Int) -> Bool {
    for position in start..<end {
      let byte = text[position]
      if byte < 0x80, !ASCII.isLetter(byte) { return true }
    }
    return false
  }

  /// Whether the value only names a secret that stands elsewhere, or begins as a placeholder does.
  private func isReference(_ start: Int, _ end: Int) -> Bool {
    switch text[start] {
    case 0x24 where text[start + 1] == 0x7B || text[start + 1] == 0x28 || ASCII.isUpper(text[start + 1]): return true
    case 0x3C, 0x5B, 0x7B: return true
    default: break
    }
    for name: StaticString in ["os.environ", "process.env", "os.getenv", "getenv(", "env.", "secrets."]
    where text.matches(name, at: start) {
      return true
    }
    return false
  }

  /// `scheme://user:password@host` (RFC 3986): the finding is `user:password`.
  mutating func urlCredentials(at colon: Int) {
    let start = colon + 3
    guard ASCII.isLetter(text[colon - 1]) else { return }
    let limit = min(text.end, start + 256)
    var position = start
    var separator = 0
    while position < limit {
      let byte = text[position]
      if byte == 0x40 { break }
      if byte == 0x3A, separator == 0 { separator = position }
      if byte <= 0x20 || byte == 0x2F || byte == 0x22 || byte == 0x27 || byte == 0x3C || byte == 0x3F || byte == 0x23 {
        return
      }
      position += 1
    }
    work += position - start
    guard position < limit, separator > 0, position > separator + 1,
      text.isWord(at: position + 1) || text[position + 1] == 0x5B
    else { return }
    guard !isReference(separator + 1, position), !StopList.isExample(text, separator + 1, position) else { return }
    found(.urlCredentials, start, position, .certain, rank: Candidate.Rank.secret)
  }
}

/// Shannon entropy of a token, in bits per byte.
struct Entropy {
  let bits: Double
  let isHex: Bool
  let hasDigit: Bool

  var isSecret: Bool { hasDigit && bits >= (isHex ? 3.0 : 3.5) }

  /// Nil if it is shorter than 20 bytes or holds what no token holds.
  static func perByte(_ text: TextView, _ start: Int, _ end: Int) -> Entropy? {
    let count = end - start
    guard count >= 20, count <= 256 else { return nil }
    var isHex = true
    var hasDigit = false
    for position in start..<end {
      let byte = text[position]
      guard SecretAlphabet.base64.contains(byte) || SecretAlphabet.dotted.contains(byte) || byte == 0x7E else {
        return nil
      }
      if ASCII.isDigit(byte) { hasDigit = true }
      if !SecretAlphabet.hex.contains(byte) { isHex = false }
    }
    var bits = 0.0
    withUnsafeTemporaryAllocation(of: UInt16.self, capacity: 128) { counts in
      counts.initialize(repeating: 0)
      for position in start..<end { counts[Int(text[position] & 0x7F)] &+= 1 }
      bits = Logarithm.entropy(UnsafeBufferPointer(counts), total: count)
    }
    return Entropy(bits: bits, isHex: isHex, hasDigit: hasDigit)
  }
}

/// Logarithms of the counts that occur here, so that no C library is needed.
enum Logarithm {
  /// log2 of 0 to 256, by summing; index 0 is 0.
  private static let table: [Double] = (0...256).map { binary(Double($0)) }

  static func entropy(_ counts: UnsafeBufferPointer<UInt16>, total: Int) -> Double {
    var sum = 0.0
    for count in counts where count > 0 { sum += Double(count) * table[min(Int(count), 256)] }
    return table[min(total, 256)] - sum / Double(total)
  }

  /// Binary logarithm by repeated squaring, 30 fractional bits.
  private static func binary(_ value: Double) -> Double {
    guard value >= 1 else { return 0 }
    var rest = value.significand
    var result = Double(value.exponent)
    var step = 0.5
    for _ in 0..<30 {
      rest *= rest
      if rest >= 2 {
        rest /= 2
        result += step
      }
      step /= 2
    }
    return result
  }
}
