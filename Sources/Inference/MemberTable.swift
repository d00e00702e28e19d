internal import JSONText

/// Finds a known member by its name: the policy-relevant members of one kind of object.
///
/// A name that equals a known one only when case is ignored is a trap: servers written in Go would read it as the known
/// one (GHSA-4gph-2hhr-5mwg). Their folding also takes `ſ` for s and `K` (Kelvin) for k.
struct MemberTable<Member: RawRepresentable<String> & CaseIterable & Sendable>: Sendable {
  enum Match {
    case member(Member, Int)
    case unknown
    case twin(Member)
    /// The name holds U+0000, which a C server would read as its end.
    case cut
  }

  private struct Entry {
    let member: Member
    let name: [UInt8]
    let head: UInt64
    let index: Int
  }

  private let entries: [Entry]
  /// `starts[n] ..< starts[n + 1]` are the entries of length n.
  private let starts: [Int]
  private let longest: Int

  init() {
    var all: [Entry] = []
    for (index, member) in Member.allCases.enumerated() {
      let name = Array(member.rawValue.utf8)
      all.append(Entry(member: member, name: name, head: name.withUnsafeBytes { Self.head($0) }, index: index))
    }
    all.sort { $0.name.count < $1.name.count }
    let longest = all.last?.name.count ?? 0
    entries = all
    starts = (0...(longest + 1)).map { length in all.firstIndex { $0.name.count >= length } ?? all.count }
    self.longest = longest
  }

  private static func head(_ name: UnsafeRawBufferPointer) -> UInt64 {
    if name.count >= 8 { return name.loadUnaligned(as: UInt64.self) }
    var head: UInt64 = 0
    for byte in name { head = head << 8 | UInt64(byte) }
    return head
  }

  /// Looks up a name as it stands in the body.
  func match(_ key: JSONString, in body: UnsafeRawBufferPointer) -> Match {
    let raw = key.range.of(body)
    guard !key.hasEscapes else {
      let text = ByteArena(capacity: 64)
      JSONEscape.unescape(raw, to: text)
      return find(text.bytes)
    }
    return find(raw)
  }

  /// The member of exactly this name.
  func exact(_ name: UnsafeRawBufferPointer) -> Member? { entry(name).map { entries[$0].member } }

  private func entry(_ name: UnsafeRawBufferPointer) -> Int? {
    guard name.count <= longest else { return nil }
    let head = Self.head(name)
    for index in starts[name.count]..<starts[name.count + 1] where entries[index].head == head {
      if name.count <= 8 || hasTail(name, index) { return index }
    }
    return nil
  }

  private func find(_ name: UnsafeRawBufferPointer) -> Match {
    if let index = entry(name) { return .member(entries[index].member, entries[index].index) }
    if name.contains(0) { return .cut }
    for entry in entries where Self.folded(name, equals: entry.name) { return .twin(entry.member) }
    return .unknown
  }

  private func hasTail(_ name: UnsafeRawBufferPointer, _ index: Int) -> Bool {
    let known = entries[index].name
    for position in 8..<name.count where name[position] != known[position] { return false }
    return true
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
