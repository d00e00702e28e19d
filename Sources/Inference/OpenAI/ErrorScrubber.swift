internal import JSONText

/// Makes a provider's error text fit for a client: no addresses, hosts, keys or account ids, one line, at most 1 KiB.
enum ErrorScrubber {
  static let longest = 1024

  /// - Parameter raw: The raw content of a JSON string.
  static func scrub(_ raw: UnsafeRawBufferPointer) -> String {
    let text = ByteArena(capacity: 512)
    JSONEscape.unescape(ByteRange(0, min(raw.count, 16_384)).of(raw), to: text)
    // Controls and what only looks like a space would let one word pass as two.
    let flat = text.text.unicodeScalars.map { scalar -> Character in
      scalar.value < 0x20 || scalar.value == 0x7F || scalar.properties.isDefaultIgnorableCodePoint
        || scalar.properties.isWhitespace ? " " : Character(scalar)
    }
    var out = ""
    for word in flat.split(separator: " ") {
      if !out.isEmpty { out += " " }
      out += clean(word)
      if out.utf8.count > longest { break }
    }
    return shortened(out)
  }

  private static func clean(_ word: ArraySlice<Character>) -> String {
    let text = String(word)
    let bare = text.trimmingPunctuation()
    if isAccount(bare) { return "[removed]" }
    if isAddress(bare) { return text.replacing(bare, with: "[address]") }
    // `host=…` and `(at:…)`.
    let values = bare.split { "=,;\"'()<>{}[]".contains($0) }
    if values.count > 1, values.contains(where: { isAddress($0) }) { return "[address]" }
    guard isKeyLike(bare) else {
      // `key=…`, `org:…` and `("…")`: the pieces between punctuation stand alone.
      let pieces = text.split(omittingEmptySubsequences: false) { "=:,;\"'()<>{}[]".contains($0) }
      guard pieces.count > 1, pieces.contains(where: { isKeyLike($0) }) else { return text }
      return "[removed]"
    }
    return text.replacing(bare, with: "[removed]")
  }

  /// Names of accounts and projects at a provider: ARNs, project numbers, other long numbers.
  private static func isAccount(_ word: Substring) -> Bool {
    let lower = word.lowercased()
    if lower.contains("arn:") || lower.contains("projects/") || lower.contains("project_number") { return true }
    var run = 0
    for byte in word.utf8 {
      run = (0x30...0x39).contains(byte) ? run + 1 : 0
      if run >= 9 { return true }
    }
    return false
  }

  /// URLs, mail addresses, hosts and IP addresses.
  private static func isAddress(_ word: Substring) -> Bool {
    let lower = word.lowercased()
    if lower.contains("://") || lower.contains("www.") || lower.contains("@") { return true }
    let host = lower.split(separator: "/", omittingEmptySubsequences: false).first ?? ""
    let name = host.split(separator: ":").first ?? ""
    let labels = name.split(separator: ".", omittingEmptySubsequences: false)
    let port = host.split(separator: ":", omittingEmptySubsequences: false).dropFirst().first ?? ""
    if (2...5).contains(port.count), port.allSatisfy({ $0.isNumber }), name.contains(where: { $0.isLetter }) {
      return true
    }
    if name == "localhost" { return true }
    if labels.count == 4, labels.allSatisfy({ UInt8($0) != nil }) { return true }
    if lower.filter({ $0 == ":" }).count >= 2, lower.allSatisfy({ $0.isHexDigit || $0 == ":" }) { return true }
    let endings: Set<Substring> = [
      "com", "net", "org", "io", "ai", "dev", "eu", "de", "ch", "at", "li", "fr", "it", "nl", "uk", "us", "info",
      "cloud",
      "internal", "intra", "local", "lan", "home", "corp", "svc", "app", "example", "test",
    ]
    guard labels.count >= 2, let last = labels.last, endings.contains(last) else { return false }
    return labels.allSatisfy { label in !label.isEmpty && label.allSatisfy { $0.isLetter || $0.isNumber || $0 == "-" } }
  }

  /// Known prefixes of credentials and accounts, masked keys, and long runs without a vowel's rhythm.
  private static func isKeyLike(_ word: Substring) -> Bool {
    let lower = word.lowercased()
    let prefixes = [
      "sk-", "sk_", "pk-", "rk-", "org-", "proj_", "proj-", "req_", "key-", "aiza", "gsk_", "xai-", "hf_", "th_", "eyj",
      "user-", "acct_", "ghp_", "akia",
    ]
    if prefixes.contains(where: { lower.hasPrefix($0) && lower.utf8.count >= $0.utf8.count + 6 }) { return true }
    if word.contains("***") { return true }
    // Names of what lies with a provider.
    if ["file-", "file_", "batch_"].contains(where: { lower.hasPrefix($0) && lower.utf8.count >= $0.utf8.count + 6 }),
      word.contains(where: \.isNumber)
    {
      return true
    }
    guard word.utf8.count >= 20 else { return false }
    let body = word.filter { $0.isASCII && ($0.isLetter || $0.isNumber || "-_+/=.".contains($0)) }
    guard body.count == word.count else { return false }
    return word.contains { $0.isNumber } && word.contains { $0.isLetter } || word.allSatisfy { $0.isHexDigit }
  }

  private static func shortened(_ text: String) -> String {
    guard text.utf8.count > longest else { return text }
    var out = ""
    var bytes = 0
    for character in text {
      bytes += character.utf8.count
      guard bytes <= longest - 3 else { break }
      out.append(character)
    }
    return out + "…"
  }
}

extension String {
  /// Without the punctuation that surrounds a word in a sentence.
  fileprivate func trimmingPunctuation() -> Substring {
    let marks: Set<Character> = [".", ",", ";", ":", "!", "?", "\"", "'", "(", ")", "[", "]", "<", ">", "{", "}", "`"]
    var text = self[...]
    while let first = text.first, marks.contains(first) { text.removeFirst() }
    while let last = text.last, marks.contains(last) { text.removeLast() }
    return text
  }

  /// With the first occurrence of `part` replaced; itself where `part` is empty.
  fileprivate func replacing(_ part: Substring, with other: String) -> String {
    guard !part.isEmpty else { return self }
    return String(self[..<part.startIndex]) + other + String(self[part.endIndex...])
  }
}
