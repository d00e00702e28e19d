import Foundation
import Policies
import Testing

/// Steele, Lea, Flood 2014: the same seed, the same run.
private struct SplitMix {
  private var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next(below bound: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int((mixed ^ (mixed >> 31)) % UInt64(max(1, bound)))
  }
}

private let splices: [String] = [
  "&a ", "*a", "!!binary ", "<<: ", "? ", "- ", ": ", "{", "}", "[", "]", "\n", "  ", "\t", "'", "\"", "|\n", ">\n",
  "%YAML 1.1\n", "---\n", "...\n", "#", "\u{85}", "\u{2028}", "ü", "😀", "~", "null", "NO", "1_000", "0x1F", "2M",
  "999999999999999999999", "-1", "@", "`", ",", "\u{0}", "\u{FEFF}", "\\x", "\\u00", "&a {k: *a}",
]

/// Cuts, doubles, swaps and splices; what comes out is read or refused, and nothing else.
@Test(arguments: 0..<6)
func mutatedPoliciesAreReadOrRefused(seed: Int) throws {
  let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "policies")
  var sources = [Array(PolicyFixture.base.utf8)]
  for name in ["fiduciary.yaml", "redaction.yaml", "roles.yaml", "fiduciary.test.yaml", "detection.yaml"] {
    sources.append(Array(try Data(contentsOf: folder.appending(path: name))))
  }
  var random = SplitMix(seed: UInt64(seed))
  var refused = 0
  for round in 0..<150 {
    var bytes = sources[round % sources.count]
    for _ in 0...random.next(below: 4) {
      let at = random.next(below: bytes.count)
      let length = min(random.next(below: 40), bytes.count - at)
      switch random.next(below: 5) {
      case 0: bytes.removeSubrange(at..<(at + length))
      case 1: bytes.insert(contentsOf: bytes[at..<(at + length)], at: random.next(below: bytes.count))
      case 2: bytes[at] = UInt8(random.next(below: 256))
      case 3: bytes.removeSubrange(at...)
      default: bytes.insert(contentsOf: Array(splices[random.next(below: splices.count)].utf8), at: at)
      }
      if bytes.isEmpty { bytes = [0x61] }
    }
    do throws(PolicyError) {
      _ = try PolicyLoader.load(files: [PolicyFile(name: "fuzz.yaml", bytes: bytes)])
    } catch {
      refused += 1
      #expect(error.code == .invalid)
      #expect(!error.diagnostics.isEmpty)
      #expect(error.diagnostics.allSatisfy { $0.place.line >= 1 && $0.place.column >= 1 })
    }
  }
  #expect(refused > 20)
}

@Test(arguments: ["", "? [*a30]\n: x\n"])
func aliasesDoNotExplode(key: String) {
  // Thirty levels of doubling: as text this would be a thousand million nodes.
  var text = "a0: &a0 [x]\n"
  for level in 1...30 { text += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
  do throws(PolicyError) {
    _ = try PolicyLoader.load(files: [PolicyFixture.file(text + key)])
    Issue.record("accepted")
  } catch { #expect(error.diagnostics.map(\.message) == ["anchors and aliases are not allowed"]) }
}

@Test func ampersandsInTextAreNoAnchors() throws {
  let set = try PolicyFixture.load(
    """
    kind: Policy
    id: p@1
    about: {en: "Sun & Moon *all* *of* *it* *and* *more* *than* *eight* *times* *over*"}

    """)
  #expect(set.policies["p@1"] != nil)
}
