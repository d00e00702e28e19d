/// A growing run of bytes whose memory stays where it is until it grows, so that C code can read it in place.
///
/// Reused from request to request by ``reset()``; belongs to one event loop.
package final class ByteArena {
  private(set) package var base: UnsafeMutableRawPointer
  private(set) package var count = 0
  private(set) package var capacity: Int

  package init(capacity: Int = 4096) {
    self.capacity = max(capacity, 64)
    base = UnsafeMutableRawPointer.allocate(byteCount: self.capacity, alignment: 16)
  }

  deinit { base.deallocate() }

  package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

  /// Forgets the content and keeps the memory, unless it has grown past `keeping` bytes.
  package func reset(keeping: Int = 256 * 1024) {
    count = 0
    guard capacity > keeping else { return }
    base.deallocate()
    capacity = 4096
    base = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
  }

  /// Overwrites the content with zeros before it is forgotten; for originals behind placeholders.
  package func wipe() {
    base.initializeMemory(as: UInt8.self, repeating: 0, count: count)
    count = 0
  }

  package func reserve(_ additional: Int) {
    let needed = count + additional
    guard needed > capacity else { return }
    let grown = max(needed, capacity * 2)
    let memory = UnsafeMutableRawPointer.allocate(byteCount: grown, alignment: 16)
    memory.copyMemory(from: base, byteCount: count)
    base.deallocate()
    base = memory
    capacity = grown
  }

  package func append(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress, bytes.count > 0 else { return }
    reserve(bytes.count)
    (base + count).copyMemory(from: start, byteCount: bytes.count)
    count += bytes.count
  }

  package func append(_ byte: UInt8) {
    reserve(1)
    base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
    count += 1
  }

  package func append(_ text: StaticString) {
    append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  package func append(_ text: String) {
    var text = text
    text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
  }

  package func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }

  /// Forgets the first `length` bytes and moves the rest to the front.
  package func dropFirst(_ length: Int) {
    let length = min(count, max(0, length))
    guard length > 0 else { return }
    base.copyMemory(from: base + length, byteCount: count - length)
    count -= length
  }

  /// Turns every LF at or behind `start` into a space; between JSON tokens both are white space.
  package func blankLineFeeds(from start: Int) {
    guard start >= 0, start < count else { return }
    for index in start..<count where base.load(fromByteOffset: index, as: UInt8.self) == 0x0A {
      base.storeBytes(of: 0x20, toByteOffset: index, as: UInt8.self)
    }
  }

  /// Cuts the content to its first `length` bytes.
  package func truncate(to length: Int) { count = min(count, max(0, length)) }
}
