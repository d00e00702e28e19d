/// Appends integers as the log's formats have them: least significant byte first.
extension [UInt8] {
  mutating func append(little value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }

  /// An id: most significant byte first, as its text reads.
  mutating func append(id value: UInt128) {
    Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
  }

  /// Copies from a block of zeros: a repeated element would be appended byte by byte.
  mutating func append(zeros count: Int) {
    reserve(count)
    var left = count
    while left > 0 {
      let part = Swift.min(left, Zeros.block.count)
      append(contentsOf: UnsafeRawBufferPointer(rebasing: Zeros.block[..<part]))
      left -= part
    }
  }

  /// Room for `count` more, growing by doubling: `reserveCapacity` alone would grow to just what is asked for, each time.
  private mutating func reserve(_ count: Int) {
    let needed = self.count + count
    if needed > capacity { reserveCapacity(Swift.max(needed, 2 * capacity)) }
  }
}

private enum Zeros {
  /// Never written.
  nonisolated(unsafe) static let block = UnsafeRawBufferPointer(
    UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16).zeroed())
}

extension UnsafeMutableRawBufferPointer {
  fileprivate func zeroed() -> Self {
    initializeMemory(as: UInt8.self, repeating: 0)
    return self
  }
}

/// Reads a format from bytes that nobody vouches for; running out of bytes is an error, never a trap.
struct LittleEndianReader {
  private let bytes: ArraySlice<UInt8>
  private(set) var position: Int

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
  }

  init(_ bytes: [UInt8]) { self.init(bytes[...]) }

  var remaining: Int { bytes.endIndex - position }

  mutating func take(_ count: Int) throws(SealedLogError) -> [UInt8] {
    guard count >= 0, count <= remaining else { throw .malformed("needs \(count) bytes, has \(remaining)") }
    defer { position += count }
    return Array(bytes[position..<position + count])
  }

  mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type) throws(SealedLogError) -> Value {
    let count = MemoryLayout<Value>.size
    guard count <= remaining else { throw .malformed("needs \(count) bytes, has \(remaining)") }
    var value: Value = 0
    for index in 0..<count { value |= Value(truncatingIfNeeded: bytes[position + index]) << Value(8 * index) }
    position += count
    return value
  }

  mutating func id() throws(SealedLogError) -> UInt128 {
    var value: UInt128 = 0
    for byte in try take(16) { value = value << 8 | UInt128(byte) }
    return value
  }

  mutating func rest() -> [UInt8] {
    defer { position = bytes.endIndex }
    return Array(bytes[position...])
  }
}
