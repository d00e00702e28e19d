import Cryptography
import Testing

@testable import SealedLog

/// RFC 6962 section 2.1, word by word.
private func reference(_ leaves: ArraySlice<Digest256>, _ hasher: MerkleHasher) throws -> Digest256 {
  if leaves.count == 1, let only = leaves.first { return only }
  if leaves.isEmpty { return try SHA256Hasher().hash([UInt8]()) }
  var split = 1
  while split * 2 < leaves.count { split *= 2 }
  return try hasher.node(
    try reference(leaves.prefix(split), hasher), try reference(leaves.dropFirst(split), hasher))
}

private func leaf(_ number: Int) throws -> Digest256 { try SHA256Hasher().hash(Array("leaf \(number)".utf8)) }

@Test func rootIsTheOneOfRFC6962AtEverySize() throws {
  let hasher = try MerkleHasher()
  let leaves = try (0..<70).map(leaf)
  var tree = CompactRange(startingAt: 0)
  for size in 0...70 {
    #expect(try hasher.root(of: tree) == reference(leaves[..<size], hasher))
    if size < 70 { try tree.append(leaf: leaves[size], hasher: hasher) }
  }
}

@Test func aTreeContinuedByRangesIsTheWholeTree() throws {
  let hasher = try MerkleHasher()
  let leaves = try (0..<40).map(leaf)
  for first in 0...20 {
    for second in first...40 {
      var tree = CompactRange(startingAt: 0)
      for index in 0..<first { try tree.append(leaf: leaves[index], hasher: hasher) }
      var range = CompactRange(startingAt: UInt64(first))
      for index in first..<second { try range.append(leaf: leaves[index], hasher: hasher) }
      try tree.append(range, hasher: hasher)
      #expect(try hasher.root(of: tree) == reference(leaves[..<second], hasher))
      var reader = LittleEndianReader(range.encodedHashes)
      #expect(try CompactRange(begin: UInt64(first), end: UInt64(second), reading: &reader) == range)
    }
  }
}

@Test func rangesThatDoNotFitAreRefused() throws {
  let hasher = try MerkleHasher()
  var tree = CompactRange(startingAt: 0)
  try tree.append(leaf: try leaf(1), hasher: hasher)
  #expect(throws: SealedLogError.self) { try tree.append(CompactRange(startingAt: 3), hasher: hasher) }
  for (begin, end) in [(UInt64(0), UInt64(3)), (2, 1), (0, .max), (.max, .max)] {
    var reader = LittleEndianReader(tree.encodedHashes)
    #expect(throws: SealedLogError.self) { try CompactRange(begin: begin, end: end, reading: &reader) }
  }
  #expect(throws: SealedLogError.self) { try hasher.root(of: CompactRange(startingAt: 5)) }
}
