internal import Cryptography

/// A flat open-addressing table from lookup id to digest and entry. Ids are random, so their own bits are the hash.
struct TokenTable<Entry: Sendable>: Sendable {
  private struct Slot: Sendable {
    var id: UInt128 = 0  // 0: free
    var digest = Digest256()
    var entry: Int32 = -1
  }

  private let slots: [Slot]
  private let mask: Int
  private let entries: [Entry]
  /// Stands for the digest of an unknown id, so that both ways do the same work.
  private let dummy = Digest256()

  var count: Int { entries.count }

  func contains(_ id: UInt128) -> Bool {
    guard id != 0 else { return false }
    var index = Int(truncatingIfNeeded: id) & mask
    while slots[index].id != 0 {
      if slots[index].id == id { return true }
      index = (index &+ 1) & mask
    }
    return false
  }

  func forEach(_ body: (Entry) -> Void) { entries.forEach(body) }

  typealias Row = (id: UInt128, digest: Digest256, entry: Entry)

  /// Of rows with the same id the first counts; id 0 is nobody's.
  init(_ parts: [[Row]]) {
    let count = parts.reduce(0) { $0 + $1.count }
    var size = 16
    while size < count * 2 { size *= 2 }
    var slots = [Slot](repeating: Slot(), count: size)
    var entries: [Entry] = []
    entries.reserveCapacity(count)
    for row in parts.joined() where row.id != 0 && entries.count < Int(Int32.max) {
      var index = Int(truncatingIfNeeded: row.id) & (size - 1)
      while slots[index].id != 0, slots[index].id != row.id { index = (index + 1) & (size - 1) }
      guard slots[index].id == 0 else { continue }
      slots[index] = Slot(id: row.id, digest: row.digest, entry: Int32(entries.count))
      entries.append(row.entry)
    }
    self.slots = slots
    self.mask = size - 1
    self.entries = entries
  }

  /// The entry whose id is `id` and whose stored digest is the HMAC of the credential. Unknown id and wrong secret cost
  /// the same: one HMAC, one comparison.
  func verify(_ id: UInt128, bytes: UnsafeRawBufferPointer, pepper: HMACKey) -> Entry? {
    guard let presented = try? KeyToken.digest(of: bytes, pepper: pepper) else { return nil }
    var found: Int32 = -1
    var stored = dummy
    slots.withUnsafeBufferPointer { slots in
      var index = Int(truncatingIfNeeded: id) & mask
      while slots[index].id != 0 {
        if slots[index].id == id {
          found = slots[index].entry
          stored = slots[index].digest
          break
        }
        index = (index &+ 1) & mask
      }
    }
    let equal = stored.constantTimeEquals(presented)
    guard equal, found >= 0 else { return nil }
    return entries[Int(found)]
  }
}
