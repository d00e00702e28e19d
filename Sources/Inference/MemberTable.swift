internal import JSONText

/// Finds a known member by its name: the policy-relevant members of one kind of object.
///
/// A name that equals a known one only when case is ignored is a trap: servers written in Go would read it as the known
/// one (GHSA-4gph-2hhr-5mwg). Their folding also takes `ſ` for s and `K` (Kelvin) for k.
final class MemberTable<Member: RawRepresentable<String> & CaseIterable & Sendable>: Sendable {
  enum Match {
    case member(Member, Int)
    case unknown
    case twin(Member)
    /// The name holds U+0000, which a C server would read as its end.
    case cut
  }

  /// Three overlapping words hold a name of up to 24 bytes; only names of one length are compared.
  private struct Words: Equatable {
    var head: UInt64
    var middle: UInt64 = 0
    var tail: UInt64 = 0

    @inline(__always)
    init(_ name: UnsafeRawBufferPointer) {
      let count = name.count
      guard count >= 8 else {
        if count >= 4 {
          let front = name.loadUnaligned(as: UInt32.self)
          let back = name.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)
          head = UInt64(front) << 32 | UInt64(back)
        } else if count > 0 {
          head = UInt64(name[0]) << 16 | UInt64(name[count >> 1]) << 8 | UInt64(name[count - 1])
        } else {
          head = 0
        }
        return
      }
      head = name.loadUnaligned(as: UInt64.self)
      tail = name.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
      if count > 16 { middle = name.loadUnaligned(fromByteOffset: 8, as: UInt64.self) }
    }
  }

  private struct Entry {
    let words: Words
    let index: Int
  }

  private static var longest: Int { 24 }
  private let members: [Member]
  private let names: [[UInt8]]
  private let entries: [Entry]
  /// `starts[n] ..< starts[n + 1]` are the entries of length n.
  private let starts: [Int]

  init() {
    members = Array(Member.allCases)
    let names = members.map { Array($0.rawValue.utf8) }
    let order = names.indices.filter { names[$0].count <= Self.longest }.sorted { names[$0].count < names[$1].count }
    entries = order.map { place in Entry(words: names[place].withUnsafeBytes { Words($0) }, index: place) }
    starts = (0...(Self.longest + 1)).map { length in
      order.firstIndex { names[$0].count >= length } ?? order.count
    }
    self.names = names
  }

  /// The member of exactly this name.
  func exact(_ name: UnsafeRawBufferPointer) -> Member? { place(name).map { members[$0] } }

  private func place(_ name: UnsafeRawBufferPointer) -> Int? {
    guard name.count <= Self.longest else { return nil }
    var index = starts[name.count]
    let end = starts[name.count + 1]
    guard index < end else { return nil }
    let words = Words(name)
    while index < end {
      if entries[index].words == words { return entries[index].index }
      index += 1
    }
    return nil
  }

  /// Which bit ``known(_:in:)`` gives a member of this name; none for another.
  func bit(of name: String) -> UInt64 {
    guard let place = names.firstIndex(of: Array(name.utf8)) else { return 0 }
    return 1 << UInt64(place & 63)
  }

  /// Looks up a name as it stands in the body.
  func match(_ key: JSONString, in body: UnsafeRawBufferPointer) -> Match {
    let raw = key.range.of(body)
    guard !key.hasEscapes else {
      let text = ByteArena(capacity: 64)
      JSONEscape.unescape(raw, to: text)
      return withExtendedLifetime(text) { find(text.bytes) }
    }
    return find(raw)
  }

  /// The member of exactly this name, once it is unescaped, and its bit; for bodies whose names were judged before.
  func known(_ key: JSONString, in body: UnsafeRawBufferPointer) -> (member: Member, index: Int)? {
    let raw = key.range.of(body)
    guard !key.hasEscapes else {
      let text = ByteArena(capacity: 64)
      JSONEscape.unescape(raw, to: text)
      return withExtendedLifetime(text) { place(text.bytes).map { (members[$0], $0) } }
    }
    return place(raw).map { (members[$0], $0) }
  }

  private func find(_ name: UnsafeRawBufferPointer) -> Match {
    if let place = place(name) { return .member(members[place], place) }
    if name.contains(0) { return .cut }
    for (place, known) in names.enumerated() where Self.folded(name, equals: known) { return .twin(members[place]) }
    return .unknown
  }

  private static func folded(_ name: UnsafeRawBufferPointer, equals known: [UInt8]) -> Bool {
    guard name.count >= known.count else { return false }
    var position = 0
    for wanted in known {
      guard position < name.count else { return false }
      let byte = name[position]
      let left = name.count - position
      var folded = byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
      var width = 1
      if left >= 2, byte == 0xC5, name[position + 1] == 0xBF { (folded, width) = (0x73, 2) }
      if left >= 3, byte == 0xE2, name[position + 1] == 0x84, name[position + 2] == 0xAA { (folded, width) = (0x6B, 3) }
      guard folded == wanted else { return false }
      position += width
    }
    return position == name.count
  }
}
