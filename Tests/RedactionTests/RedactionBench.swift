import Cryptography
import JSONText

@testable import Redaction

/// Redacts and restores for tests.
struct Bench {
  let profile: RedactionProfile
  let redactor = Redactor()
  let key: HMACKey
  let issued = IssuedPlaceholders()
  var scope: [UInt8] = []

  struct Outcome {
    var text: String
    var counts: FindingCounts
  }

  init(_ profile: RedactionProfile, key: UInt8 = 7) throws {
    self.profile = profile
    self.key = try HMACKey([UInt8](repeating: key, count: 32))
  }

  /// All types, reversible, from a level on.
  static func everything(_ action: RedactionAction = .pseudonymise, minimum: FindingLevel = .likely) throws -> Bench {
    let types = FindingType.all.filter { $0.group != nil }
    return try Bench(
      RedactionProfile(
        name: "all",
        rules: [
          RedactionRule(id: "all", detect: types, action: action, minimum: minimum, reversibleSecrets: true)
        ]))
  }

  func redact(bytes: [UInt8], _ segments: [TextSegment]) throws -> (bytes: [UInt8], counts: FindingCounts) {
    var edits = EditList()
    var counts = FindingCounts()
    let out = ByteArena()
    var applied = false
    try bytes.withUnsafeBytes { body in
      try redactor.redact(
        body: body, segments: segments, profile: profile, key: key, scope: scope, issued: issued, edits: &edits,
        findings: &counts)
      applied = edits.apply(to: body, into: out)
    }
    guard applied else { throw RedactionError.failed("edits overlap") }
    return (Array(out.bytes), counts)
  }

  /// Raw content escaped `depth` times as one segment.
  func redact(_ raw: String, depth: UInt8 = 0) throws -> Outcome {
    let bytes = Array(raw.utf8)
    let segment = TextSegment(
      start: 0, end: bytes.count, depth: depth, hasEscapes: bytes.contains(0x5C),
      isASCII: bytes.allSatisfy { $0 < 0x80 })
    let (redacted, counts) = try redact(bytes: bytes, [segment])
    return Outcome(text: String(decoding: redacted, as: UTF8.self), counts: counts)
  }

  /// Restores `text` cut before each of the given offsets.
  func restore(_ text: String, depth: Int = 0, cuts: [Int] = [], urls: Restorer.URLRule = .asSent) -> String {
    var restorer = Restorer(urls: urls)
    let out = ByteArena()
    let bytes = Array(text.utf8)
    var from = 0
    for cut in cuts + [bytes.count] where cut >= from {
      bytes[from..<min(cut, bytes.count)].withUnsafeBytes {
        restorer.feed($0, depth: depth, issued: issued, into: out)
      }
      from = min(cut, bytes.count)
    }
    restorer.finish(depth: depth, issued: issued, into: out)
    return String(decoding: out.bytes, as: UTF8.self)
  }

  /// What the first finding in `text` was replaced by, as its type's label; nil if nothing was found.
  func found(_ text: String) throws -> [String: Int] {
    issued.wipe()
    let outcome = try redact(text)
    var found: [String: Int] = [:]
    outcome.counts.forEach { name, _, count in found[name, default: 0] += count }
    return found
  }
}
