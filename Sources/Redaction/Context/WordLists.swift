/// A tenant's lists: whole words and phrases, folded, the longest match; linear in the text whatever the lists hold.
///
/// Every prefix of an entry that ends with a word is in one hash set, so a phrase is followed word by word.
final class WordLists: Sendable {
  struct Entry {
    let text: [UInt8]
    let label: UInt8
  }

  static let maximumEntries = 100_000
  static let maximumBytes = 8 << 20
  /// Words of an entry that are told apart; longer entries are refused.
  static let maximumWords = 8

  /// Hash of a phrase to its label + 1, or 0 for a prefix that is no entry.
  private let phrases: [UInt64: UInt8]

  init(_ entries: [Entry]) throws(RedactionError) {
    guard entries.count <= Self.maximumEntries, entries.reduce(0, { $0 + $1.text.count }) <= Self.maximumBytes else {
      throw .invalidProfile("lists hold more than 100,000 entries or 8 MiB")
    }
    var phrases: [UInt64: UInt8] = [:]
    phrases.reserveCapacity(entries.count * 2)
    for entry in entries {
      let padded = [UInt8](repeating: 0, count: 4) + entry.text + [UInt8](repeating: 0, count: 8)
      let done = padded.withUnsafeBufferPointer { buffer -> Bool in
        guard let base = buffer.baseAddress else { return false }
        let text = TextView(bytes: base, start: 4, end: 4 + entry.text.count)
        var hashes: [UInt64] = []
        var first = text.start
        while first < text.end, !text.isWord(at: first) { first += 1 }
        guard first < text.end else { return false }
        Self.walk(text, from: first) { _, hash in
          hashes.append(hash)
          return true
        }
        guard let last = hashes.last, hashes.count <= Self.maximumWords else { return false }
        for hash in hashes.dropLast() where phrases[hash] == nil { phrases[hash] = 0 }
        phrases[last] = entry.label + 1
        return true
      }
      guard done else { throw .invalidProfile("a list holds an entry without words, or with more than 8") }
    }
    self.phrases = phrases
  }

  /// Adds a candidate for every longest match.
  func find(in text: TextView, into candidates: inout [Candidate]) {
    var position = text.start
    while position < text.end {
      guard text.isWord(at: position) else {
        position += 1
        continue
      }
      var best = 0
      var label: UInt8 = 0
      Self.walk(text, from: position) { end, hash in
        guard let found = self.phrases[hash] else { return false }
        if found > 0 {
          best = end
          label = found - 1
        }
        return true
      }
      if best > position {
        candidates.append(Candidate(label: label, position, best, .certain, rank: Candidate.Rank.list))
        position = best
      } else {
        position = Self.wordEnd(text, position)
      }
    }
  }

  private static func wordEnd(_ text: TextView, _ start: Int) -> Int {
    var position = start
    while position < text.end, text.isWord(at: position) || text[position] & 0xC0 == 0x80 { position += 1 }
    return max(position, start + 1)
  }

  /// Calls with the end and folded hash of one word, two words, … from `start` on, until the closure says no.
  private static func walk(_ text: TextView, from start: Int, _ body: (Int, UInt64) -> Bool) {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    var position = start
    for _ in 0...maximumWords {
      let end = min(wordEnd(text, position), start + 512)
      while position < end {
        Fold.forEach(text, &position) { hash = (hash ^ UInt64($0)) &* 0x100_0000_01B3 }
      }
      guard body(position, hash) else { return }
      // One separator run of up to four bytes parts the words of a phrase.
      var next = position
      while next < text.end, next - position < 4, !text.isWord(at: next), text[next] != 0 { next += 1 }
      guard next > position, next < text.end, text.isWord(at: next), next - start < 512 else { return }
      hash = (hash ^ 0x20) &* 0x100_0000_01B3
      position = next
    }
  }
}

/// The fold for look-ups: lower case, ß = ss, ä = ae, accents off. Never used for placeholders.
enum Fold {
  private static let latin = Array(
    "aaaaaaaceeeeiiiidnooooo\u{0}ouuuuytsaaaaaaaceeeeiiiidnooooo\u{0}ouuuuyty".utf8)  // U+00C0–00FF

  @inline(__always)
  static func forEach(_ text: TextView, _ position: inout Int, _ body: (UInt8) -> Void) {
    let byte = text[position]
    position += 1
    if byte < 0x80 { return body(ASCII.lower(byte)) }
    guard byte == 0xC3 else { return body(byte) }
    let next = text[position]
    position += 1
    switch next | 0x20 {
    case 0xA4, 0xA6:
      body(0x61)
      body(0x65)
    case 0xB6:
      body(0x6F)
      body(0x65)
    case 0xBC:
      body(0x75)
      body(0x65)
    case 0xBF where next == 0x9F:
      body(0x73)
      body(0x73)
    default: body(latin[Int(next & 0x3F)])
    }
  }
}
