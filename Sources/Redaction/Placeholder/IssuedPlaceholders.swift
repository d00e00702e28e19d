import Cryptography
import JSONText

/// The placeholders of one exchange and the values behind them: nothing else is ever restored.
///
/// Belongs to one exchange on one event loop; ``wipe()`` at its end overwrites the values. Reusable afterwards.
public final class IssuedPlaceholders {
  struct Entry {
    var label: UInt8
    var tag: UInt64
    var keyFrom: Int
    var keyTo: Int
    var originalFrom: Int
    var originalTo: Int
    var next: Int32
  }

  struct Label {
    var number: UInt8
    var bytes: [UInt8]
  }

  /// So many values are found by comparing them all; only more make a table worth its hashes.
  private static let few = 8

  /// Grows to what is needed: each open stream holds one.
  private let values = ByteArena(capacity: 64)
  private(set) var entries: [Entry] = []
  /// Labels in use, longest first.
  private(set) var labels: [Label] = []
  /// Bit per byte value: may begin a spelling of an issued placeholder.
  private(set) var firstBytes: (UInt64, UInt64) = (0, 0)
  /// Bit per byte value: may stand behind the first letter of a label.
  private(set) var secondBytes: (UInt64, UInt64) = (0, 0)
  /// Where a spelling may begin, for skipping text that holds none.
  let beginnings = PlaceholderBeginnings()
  private var byValue = Buckets()
  private var byTag = Buckets()
  /// Hashes of the URLs that stood in the redacted request, up to and including a placeholder.
  private(set) var urls: Set<UInt64> = []

  public init() {}

  /// Whether the request issued nothing, so that the answer passes untouched.
  public var isEmpty: Bool { entries.isEmpty }
  public var count: Int { entries.count }

  private static let keptBytes = 16 * 1024

  /// Overwrites all values with zeros and forgets them. The memory stays where it is little: exchanges are kept by hundreds.
  public func wipe() {
    if values.capacity > Self.keptBytes { values.release() } else { values.wipe() }
    entries.removeAll(keepingCapacity: entries.capacity <= 256)
    labels.removeAll(keepingCapacity: true)
    urls.removeAll(keepingCapacity: urls.capacity <= 256)
    firstBytes = (0, 0)
    secondBytes = (0, 0)
    beginnings.reset()
    byValue.reset()
    byTag.reset()
  }

  /// The tag of a value that was issued before under this label.
  func tag(label: UInt8, key: UnsafeRawBufferPointer) -> UInt64? {
    if entries.count <= Self.few {
      for index in entries.indices
      where entries[index].label == label && Self.equal(key, stored(entries[index].keyFrom, entries[index].keyTo)) {
        return entries[index].tag
      }
      return nil
    }
    guard let index = byValue.first(Self.hash(label, key)) else { return nil }
    var current = index
    while current >= 0 {
      let entry = entries[Int(current)]
      if entry.label == label, Self.equal(key, stored(entry.keyFrom, entry.keyTo)) { return entry.tag }
      current = entry.next
    }
    return nil
  }

  /// Whether a tag stands for a value already.
  func isTaken(label: UInt8, tag: UInt64) -> Bool { entry(label: label, tag: tag) != nil }

  /// Issues a placeholder. `original` is appended by the closure: the surface form as it comes back.
  func add(
    label: UInt8, labelBytes: [UInt8], tag: UInt64, key: UnsafeRawBufferPointer, original: (ByteArena) -> Void
  ) {
    let keyFrom = values.count
    values.append(key)
    let keyTo = values.count
    original(values)
    entries.append(
      Entry(
        label: label, tag: tag, keyFrom: keyFrom, keyTo: keyTo, originalFrom: keyTo, originalTo: values.count,
        next: -1))
    if entries.count == Self.few + 1 {
      for index in entries.indices { enter(index) }
    } else if entries.count > Self.few {
      enter(entries.count - 1)
    }
    if !labels.contains(where: { $0.number == label }) { use(label, labelBytes) }
  }

  /// Puts an entry into both tables.
  private func enter(_ index: Int) {
    let entry = entries[index]
    let number = Int32(truncatingIfNeeded: index)
    entries[index].next = byValue.insert(Self.hash(entry.label, stored(entry.keyFrom, entry.keyTo)), number)
    byTag.insertUnchained(Self.hash(entry.label, entry.tag), number)
  }

  private func use(_ label: UInt8, _ labelBytes: [UInt8]) {
    labels.append(Label(number: label, bytes: labelBytes))
    var at = labels.count - 1
    while at > 0, labels[at - 1].bytes.count < labelBytes.count {
      labels.swapAt(at, at - 1)
      at -= 1
    }
    Self.mark(labelBytes[0], ASCII.lower(labelBytes[0]), &firstBytes)
    Self.mark(0x5B, 0x3C, &firstBytes)
    Self.mark(0x25, 0x26, &firstBytes)
    let second = labelBytes.count > 1 ? labelBytes[1] : 0x5F
    Self.mark(second, ASCII.lower(second), &secondBytes)
    if second == 0x5F { Self.mark(0x2D, 0x20, &secondBytes) }
    beginnings.add(labelBytes)
  }

  private static func mark(_ one: UInt8, _ other: UInt8, _ set: inout (UInt64, UInt64)) {
    mark(one, &set)
    mark(other, &set)
  }

  private static func mark(_ byte: UInt8, _ set: inout (UInt64, UInt64)) {
    if byte < 64 { set.0 |= 1 << UInt64(byte) } else { set.1 |= 1 << UInt64(byte & 63) }
  }

  /// Whether a label can go on with a raw byte; escapes and characters beyond ASCII are left to the matcher.
  @inline(__always)
  static func contains(_ set: (UInt64, UInt64), _ byte: UInt8) -> Bool {
    byte >= 0x80 || byte == 0x5C || (byte < 64 ? set.0 : set.1) >> UInt64(byte & 63) & 1 != 0
  }

  func entry(label: UInt8, tag: UInt64) -> Int? {
    if entries.count <= Self.few { return entries.firstIndex { $0.label == label && $0.tag == tag } }
    return byTag.find(Self.hash(label, tag)) { entries[Int($0)].label == label && entries[Int($0)].tag == tag }
  }

  /// The value behind an entry; valid until the next call that changes.
  func original(_ entry: Int) -> UnsafeRawBufferPointer {
    stored(entries[entry].originalFrom, entries[entry].originalTo)
  }

  func label(_ number: UInt8) -> [UInt8] { labels.first { $0.number == number }?.bytes ?? [] }

  func allowURL(_ hash: UInt64) { urls.insert(hash) }

  private func stored(_ from: Int, _ to: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: values.bytes[from..<to])
  }

  private static func equal(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
    left.count == right.count && left.elementsEqual(right)
  }

  private static func hash(_ label: UInt8, _ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var hasher = Hasher()  // seeded per process: nobody can aim at one bucket
    hasher.combine(label)
    hasher.combine(bytes: bytes)
    return UInt64(bitPattern: Int64(hasher.finalize()))
  }

  private static func hash(_ label: UInt8, _ tag: UInt64) -> UInt64 {
    (tag ^ UInt64(label) << 48) &* 0x9E37_79B9_7F4A_7C15
  }
}

/// An open-addressed table of entry numbers by 64-bit hash; takes memory with its first entry.
struct Buckets {
  private struct Slot {
    var hash: UInt64 = 0
    var index: Int32 = -1
  }

  private var slots: [Slot] = []
  private var used = 0

  mutating func reset() {
    if used > 0 { slots = [] }
    used = 0
  }

  func first(_ hash: UInt64) -> Int32? {
    guard used > 0 else { return nil }
    var position = Int(truncatingIfNeeded: hash >> 20) & (slots.count - 1)
    while slots[position].index >= 0 {
      if slots[position].hash == hash { return slots[position].index }
      position = (position + 1) & (slots.count - 1)
    }
    return nil
  }

  func find(_ hash: UInt64, _ matches: (Int32) -> Bool) -> Int? {
    guard used > 0 else { return nil }
    var position = Int(truncatingIfNeeded: hash >> 20) & (slots.count - 1)
    while slots[position].index >= 0 {
      if slots[position].hash == hash, matches(slots[position].index) { return Int(slots[position].index) }
      position = (position + 1) & (slots.count - 1)
    }
    return nil
  }

  /// Puts `index` at the head of the chain for `hash`; returns the head before it, or -1.
  mutating func insert(_ hash: UInt64, _ index: Int32) -> Int32 {
    growIfNeeded()
    var position = Int(truncatingIfNeeded: hash >> 20) & (slots.count - 1)
    while slots[position].index >= 0 {
      if slots[position].hash == hash {
        let before = slots[position].index
        slots[position].index = index
        return before
      }
      position = (position + 1) & (slots.count - 1)
    }
    slots[position] = Slot(hash: hash, index: index)
    used += 1
    return -1
  }

  mutating func insertUnchained(_ hash: UInt64, _ index: Int32) {
    growIfNeeded()
    var position = Int(truncatingIfNeeded: hash >> 20) & (slots.count - 1)
    while slots[position].index >= 0 { position = (position + 1) & (slots.count - 1) }
    slots[position] = Slot(hash: hash, index: index)
    used += 1
  }

  private mutating func growIfNeeded() {
    guard used * 2 >= slots.count else { return }
    let old = slots
    slots = [Slot](repeating: Slot(), count: max(64, old.count * 2))
    for slot in old where slot.index >= 0 {
      var position = Int(truncatingIfNeeded: slot.hash >> 20) & (slots.count - 1)
      while slots[position].index >= 0 { position = (position + 1) & (slots.count - 1) }
      slots[position] = slot
    }
  }
}
