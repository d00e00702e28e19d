internal import CRE2
package import Redaction

/// A profile's patterns compiled by RE2: linear in the text for every pattern, memory-capped, safe on any thread.
package final class RE2PatternSet: PatternSet {
  /// Limits of one tenant's set.
  package enum Limit {
    package static let patternBytes = 1024
    package static let patterns = 100
    package static let memory: Int64 = 8 << 20
    /// RE2 instructions of one pattern; an instruction takes about 16 bytes.
    package static let program: Int32 = 65536
  }

  // RE2's matching is const and locked inside; the pointer is freed once, on deinit.
  nonisolated(unsafe) private let set: OpaquePointer  // <th_re2_set>
  package let count: Int

  /// - Parameter patterns: In the order of the profile's rules.
  /// - Throws: ``RedactionError`` with code `invalid_profile` that names the pattern and RE2's reason.
  package init(_ patterns: [RedactionRule.Pattern]) throws(RedactionError) {
    guard patterns.count <= Limit.patterns else {
      throw .invalidProfile("a tenant may have \(Limit.patterns) patterns, here are \(patterns.count)")
    }
    guard let set = th_re2_set_new(Limit.memory, Limit.program) else { throw .failed("re2") }
    do throws(RedactionError) {
      for pattern in patterns { try Self.add(pattern, to: set) }
      guard th_re2_set_compile(set) == TH_RE2_OK.code else {
        throw .invalidProfile("the patterns together are too large")
      }
    } catch {
      th_re2_set_free(set)
      throw error
    }
    self.set = set
    count = patterns.count
  }

  deinit { th_re2_set_free(set) }

  private static func add(_ pattern: RedactionRule.Pattern, to set: OpaquePointer) throws(RedactionError) {
    var regex = pattern.regex
    guard regex.utf8.count <= Limit.patternBytes else {
      throw .invalidProfile("pattern \(pattern.name): longer than \(Limit.patternBytes) bytes")
    }
    var reason = [CChar](repeating: 0, count: 200)
    let result = regex.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) { th_re2_set_add(set, $0.baseAddress, $0.count, &reason, reason.count) }
    }
    switch result {
    case TH_RE2_OK.code: return
    case TH_RE2_SYNTAX.code:
      let text = String(decoding: reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      throw .invalidProfile("pattern \(pattern.name): \(text); the syntax is RE2's, without look-around and references")
    case TH_RE2_TOO_LARGE.code: throw .invalidProfile("pattern \(pattern.name): too large; use smaller repeats")
    case TH_RE2_EMPTY.code: throw .invalidProfile("pattern \(pattern.name): matches the empty text")
    default: throw .failed("re2")
    }
  }

  package func match(_ text: UnsafeRawBufferPointer, into hits: inout [PatternHit]) throws(RedactionError) {
    guard let base = text.baseAddress?.assumingMemoryBound(to: CChar.self), count > 0 else { return }
    try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: count) { (which) throws(RedactionError) in
      which.initialize(repeating: 0)
      guard th_re2_set_which(set, base, text.count, which.baseAddress) == TH_RE2_OK.code else { throw .failed("re2") }
      for pattern in 0..<count where which[pattern] != 0 { try find(pattern, base, text.count, &hits) }
    }
  }

  private func find(
    _ pattern: Int, _ base: UnsafePointer<CChar>, _ length: Int, _ hits: inout [PatternHit]
  ) throws(RedactionError) {
    var from = 0
    while from < length {
      var start = 0
      var end = 0
      let found = th_re2_set_find(set, Int32(pattern), base, length, from, &start, &end)
      guard found >= 0 else { throw .failed("re2") }
      if found == 0 { return }
      if end > start {
        hits.append(PatternHit(pattern: pattern, start: start, end: end))
        guard hits.count <= Redactor.maximumFindings else { throw .tooMany }
      }
      from = max(end, from + 1)
    }
  }
}

extension RawRepresentable where RawValue: BinaryInteger {
  fileprivate var code: Int32 { Int32(truncatingIfNeeded: rawValue) }
}
