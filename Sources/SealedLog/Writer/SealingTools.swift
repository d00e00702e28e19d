/// What all segments of a writer share, so that an open one keeps little and a batch over many of them runs over the same
/// few cache lines. Used by whoever runs the writer's core.
final class SealingTools {
  let hasher: MerkleHasher
  let nonces: NoncePool
  let buffers = FrameBuffers()

  init(random: @escaping @Sendable (Int) throws(SealedLogError) -> [UInt8]) throws(SealedLogError) {
    hasher = try MerkleHasher()
    nonces = NoncePool(random)
  }
}

/// The random part of frames' nonces, fetched for many frames of a batch at a time.
///
/// It is for machines that are copied while they run: the copy has the same keys and counts on from the same frame. So
/// none is kept from batch to batch, where most of such copies would find it.
final class NoncePool {
  private static let fetchedBytes = 128
  private let random: @Sendable (Int) throws(SealedLogError) -> [UInt8]
  private var bytes: [UInt8] = []
  private var used = 0

  init(_ random: @escaping @Sendable (Int) throws(SealedLogError) -> [UInt8]) { self.random = random }

  /// What was fetched is used for nothing more.
  func forget() { used = bytes.count }

  /// Never the same bytes twice.
  func next() throws(SealedLogError) -> UInt32 {
    if used + 4 > bytes.count {
      bytes = try random(Self.fetchedBytes)
      used = 0
      guard bytes.count >= 4 else { throw SealedLogError(.cryptoFailed, "No random bytes.") }
    }
    defer { used += 4 }
    return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: used, as: UInt32.self).littleEndian }
  }
}

/// Buffers for sealed frames until they are written: one is in use at a time, and a second one where others' frames are
/// written in the middle of something large.
final class FrameBuffers {
  private static let kept = 2
  private static let largestKept = 1 << 20
  private var spare: [[UInt8]] = []

  func take() -> [UInt8] { spare.popLast() ?? [] }

  /// Empties `buffer`, which keeps no memory.
  func give(_ buffer: inout [UInt8]) {
    var given: [UInt8] = []
    swap(&given, &buffer)
    guard spare.count < Self.kept, given.capacity > 0, given.capacity < Self.largestKept else { return }
    given.removeAll(keepingCapacity: true)
    spare.append(given)
  }
}
