/// A stretch of text that a verifier accepted, in text positions.
struct Candidate {
  var start: Int
  var end: Int
  /// The type's number, or ``FindingType/count`` + the number of a tenant's pattern or list.
  var label: UInt8
  var level: FindingLevel
  /// Which verifier wins where two overlap; higher wins.
  var rank: UInt8
  /// Context words that raise the level by one; 0 for none.
  var raisedBy: UInt32 = 0
  /// Context words that refuse it unless a raising one stands beside.
  var refusedBy: UInt32 = 0
  /// Found in what the stretch decodes to; the value is then the encoded text as it stands.
  var isEncoded = false

  init(_ type: FindingType, _ start: Int, _ end: Int, _ level: FindingLevel, rank: UInt8) {
    self.start = start
    self.end = end
    label = type.index
    self.level = level
    self.rank = rank
  }

  init(label: UInt8, _ start: Int, _ end: Int, _ level: FindingLevel, rank: UInt8) {
    self.start = start
    self.end = end
    self.label = label
    self.level = level
    self.rank = rank
  }

  /// By start, the longest first; the scanner mostly finds them so.
  static func sort(_ candidates: inout [Candidate]) {
    var index = 1
    while index < candidates.count, !precedes(candidates[index], candidates[index - 1]) { index += 1 }
    guard index < candidates.count else { return }
    candidates.sort(by: precedes)
  }

  private static func precedes(_ left: Candidate, _ right: Candidate) -> Bool {
    (left.start, right.end) < (right.start, left.end)
  }

  enum Rank {
    static let placeholder: UInt8 = 100
    static let secret: UInt8 = 90
    static let prefixed: UInt8 = 80
    static let checksum: UInt8 = 70
    static let list: UInt8 = 60
    static let pattern: UInt8 = 50
    static let email: UInt8 = 40
    static let phone: UInt8 = 30
    static let ip: UInt8 = 20
  }
}

/// A context word: where it ends and which types it speaks for.
struct KeywordHit {
  var start: Int
  var end: Int
  var mask: UInt32
}
