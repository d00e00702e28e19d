internal import Cryptography

/// The least set of subtree roots that covers leaves `begin..<end` of an RFC 6962 tree, left to right.
///
/// With `begin` 0 these are the peaks of the whole tree, largest first.
struct CompactRange: Sendable, Equatable {
  let begin: UInt64
  private(set) var end: UInt64
  private(set) var hashes: [Digest256] = []

  /// The empty range before leaf `begin`.
  init(startingAt begin: UInt64) {
    self.begin = begin
    end = begin
  }

  var count: UInt64 { end - begin }

  /// Takes over the value of another range that begins where this one does, in its own memory.
  mutating func become(_ other: CompactRange) {
    guard other.begin == begin else { return self = other }
    end = other.end
    hashes.removeAll(keepingCapacity: true)
    hashes.append(contentsOf: other.hashes)
  }

  /// Adds the next leaf.
  mutating func append(leaf: Digest256, hasher: MerkleHasher) throws(SealedLogError) {
    try append(node: leaf, level: 0, hasher: hasher)
  }

  /// Adds a range that starts where this one ends.
  mutating func append(_ next: CompactRange, hasher: MerkleHasher) throws(SealedLogError) {
    guard next.begin == end else { throw .malformed("tree ranges do not meet") }
    var at = next.begin
    for hash in next.hashes {
      let level = Self.level(at: at, before: next.end)
      try append(node: hash, level: level, hasher: hasher)
      at = at &+ (1 << level)
    }
  }

  private mutating func append(node: Digest256, level: UInt64, hasher: MerkleHasher) throws(SealedLogError) {
    let (newEnd, overflow) = end.addingReportingOverflow(1 << level)
    guard !overflow else { throw .malformed("tree size") }
    var node = node
    var level = level
    var index = end >> level
    while index & 1 == 1, (index - 1) << level >= begin, let left = hashes.popLast() {
      node = try hasher.node(left, node)
      index >>= 1
      level += 1
    }
    hashes.append(node)
    end = newEnd
  }

  /// The largest aligned subtree that starts at `at` and ends by `end`: its level.
  private static func level(at: UInt64, before end: UInt64) -> UInt64 {
    guard end > at else { return 0 }
    let room = UInt64(63 - (end - at).leadingZeroBitCount)
    return at == 0 ? room : min(room, UInt64(at.trailingZeroBitCount))
  }

  /// `u8 count | 32 B each`.
  var encodedHashes: [UInt8] {
    var bytes: [UInt8] = [UInt8(truncatingIfNeeded: hashes.count)]
    for hash in hashes { bytes += hash.bytes }
    return bytes
  }

  /// Reads what ``encodedHashes`` wrote; the count must be the one that `begin..<end` has.
  init(begin: UInt64, end: UInt64, reading reader: inout LittleEndianReader) throws(SealedLogError) {
    guard begin <= end, end < 1 << 62 else { throw .malformed("tree size") }
    var expected = 0
    var at = begin
    while at < end {
      at += 1 << Self.level(at: at, before: end)
      expected += 1
    }
    guard Int(try reader.integer(UInt8.self)) == expected else { throw .malformed("tree hashes") }
    for _ in 0..<expected { hashes.append(Digest256(bytes: try reader.take(32))) }
    self.begin = begin
    self.end = end
  }
}

/// Hashes of an RFC 6962 tree. One per thread.
final class MerkleHasher {
  private let hasher: SHA256Hasher

  init() throws(SealedLogError) {
    hasher = try sealing { () throws(CryptographyError) in try SHA256Hasher() }
  }

  /// SHA-256(00 | 48 header bytes | SHA-256(body)); `body` is ciphertext and tag, or the body of a clear frame.
  func leaf(header: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer) throws(SealedLogError) -> Digest256 {
    do throws(CryptographyError) {
      let inner = try hasher.hash(body)
      try hasher.start()
      try prefix(0)
      try hasher.update(header)
      try inner.withBytes(hasher)
      return try hasher.finish()
    } catch { throw SealedLogError(error) }
  }

  /// SHA-256(01 | left | right).
  func node(_ left: Digest256, _ right: Digest256) throws(SealedLogError) -> Digest256 {
    do throws(CryptographyError) {
      try hasher.start()
      try prefix(1)
      try left.withBytes(hasher)
      try right.withBytes(hasher)
      return try hasher.finish()
    } catch { throw SealedLogError(error) }
  }

  /// The root of a range that begins at 0; of the empty tree SHA-256 of nothing.
  func root(of tree: CompactRange) throws(SealedLogError) -> Digest256 {
    guard tree.begin == 0 else { throw .malformed("root of a part") }
    guard var root = tree.hashes.last else {
      return try sealing { () throws(CryptographyError) in try hasher.hash([UInt8]()) }
    }
    for left in tree.hashes.dropLast().reversed() { root = try node(left, root) }
    return root
  }

  private func prefix(_ byte: UInt8) throws(CryptographyError) {
    var failure: CryptographyError?
    withUnsafeBytes(of: byte) { bytes in
      do throws(CryptographyError) { try hasher.update(bytes) } catch { failure = error }
    }
    if let failure { throw failure }
  }
}

extension Digest256 {
  fileprivate func withBytes(_ hasher: SHA256Hasher) throws(CryptographyError) {
    let failure: CryptographyError? = withUnsafeBytes { bytes in
      do throws(CryptographyError) {
        try hasher.update(bytes)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
  }
}
