/// Appends bytes to memory that its owner has made large enough; keeps within its capacity in any case.
struct ByteWriter {
  let base: UnsafeMutablePointer<UInt8>
  let capacity: Int
  private(set) var count = 0

  init(_ base: UnsafeMutablePointer<UInt8>, capacity: Int) {
    self.base = base
    self.capacity = capacity
  }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

  @inline(__always)
  mutating func append(_ byte: UInt8) {
    guard count < capacity else { return }
    base[count] = byte
    count += 1
  }

  mutating func append(_ source: UnsafeRawBufferPointer) {
    guard let start = source.baseAddress, source.count <= capacity - count else { return }
    UnsafeMutableRawPointer(base + count).copyMemory(from: start, byteCount: source.count)
    count += source.count
  }

  mutating func append(_ source: [UInt8]) { source.withUnsafeBytes { append($0) } }

  /// What `form` makes of each byte of `source`; nil leaves one out. Nothing, if there is not room for all.
  @inline(__always)
  mutating func append(_ source: UnsafeRawBufferPointer, _ form: (UInt8) -> UInt8?) {
    guard source.count <= capacity - count else { return }
    var next = count
    for byte in source {
      guard let formed = form(byte) else { continue }
      base[next] = formed
      next &+= 1
    }
    count = next
  }

  /// A length as four bytes, most significant first.
  mutating func append(length: Int) {
    guard capacity - count >= 4 else { return }
    let bytes = UInt32(truncatingIfNeeded: length).bigEndian
    UnsafeMutableRawPointer(base).storeBytes(of: bytes, toByteOffset: count, as: UInt32.self)
    count += 4
  }
}
