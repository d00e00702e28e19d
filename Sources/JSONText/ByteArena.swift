internal import Glibc

/// A growing run of bytes whose memory stays where it is until it grows, so that C code can read it in place.
///
/// Reused from request to request by ``reset()``; belongs to one event loop.
package final class ByteArena {
  // Private, so that the compiler sees every access and needs no check of exclusivity at run time.
  private var memory = ByteArena.nothing.start
  private var length = 0
  /// Bytes of `memory`; 0 while it is ``nothing``.
  private var room = 0
  private let first: Int

  /// Where arenas without memory of their own point: zeros that nobody writes to.
  private static let nothing = Nothing()
  private struct Nothing: @unchecked Sendable {
    let start = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 16)
    init() { start.initializeMemory(as: UInt8.self, repeating: 0, count: 64) }
  }

  /// - Parameter capacity: Bytes to begin with, taken at the first append: many arenas of an open stream stay empty.
  package init(capacity: Int = 4096) { first = max(capacity, 64) }

  deinit { if room > 0 { memory.deallocate() } }

  package var base: UnsafeMutableRawPointer { memory }
  package var count: Int { length }
  package var capacity: Int { room }
  /// Good as long as the arena lives and does not grow: the last mention of a local arena must not be this one.
  package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory, count: length) }
  /// The content as a copy.
  package var array: [UInt8] { withExtendedLifetime(self) { Array(bytes) } }
  /// The content as a copy; what is no UTF-8 reads as U+FFFD.
  package var text: String { withExtendedLifetime(self) { String(decoding: bytes, as: UTF8.self) } }

  /// Forgets the content and keeps the memory, unless it has grown past `keeping` bytes.
  package func reset(keeping: Int = 256 * 1024) {
    length = 0
    guard room > keeping, room > 0 else { return }
    memory.deallocate()
    room = 0
    memory = Self.nothing.start
  }

  /// Overwrites the content with zeros before it is forgotten; for originals behind placeholders.
  package func wipe() {
    memory.initializeMemory(as: UInt8.self, repeating: 0, count: length)
    length = 0
  }

  /// Overwrites the content and gives its memory back.
  package func release() {
    guard room > 0 else { return }
    explicit_bzero(memory, length)
    reset(keeping: 0)
  }

  package func reserve(_ additional: Int) {
    let needed = length + additional
    guard needed > room else { return }
    grow(max(needed, room * 2, first))
  }

  private func grow(_ size: Int) {
    let larger = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
    larger.copyMemory(from: memory, byteCount: length)
    if room > 0 {
      // Whoever wipes the arena later means this copy, too; a plain store before a free may be left out.
      explicit_bzero(memory, length)
      memory.deallocate()
    }
    memory = larger
    room = size
  }

  package func append(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress, bytes.count > 0 else { return }
    reserve(bytes.count)
    (memory + length).copyMemory(from: start, byteCount: bytes.count)
    length += bytes.count
  }

  /// Lets `write` fill up to `count` bytes behind the content; it returns how many it has filled.
  /// - Returns: What `write` returned, be it an error's negative number.
  package func extend(upTo count: Int, _ write: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
    let most = max(0, count)
    reserve(most)
    let filled = write(UnsafeMutableRawBufferPointer(start: memory + length, count: most))
    length += min(max(0, filled), most)
    return filled
  }

  package func append(_ byte: UInt8) {
    reserve(1)
    memory.storeBytes(of: byte, toByteOffset: length, as: UInt8.self)
    length += 1
  }

  package func append(_ text: StaticString) {
    append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Named apart from the one for constants: of two overloads a literal would take this one, and cost ten times as much.
  package func append(utf8 text: String) {
    var text = text
    text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
  }

  package func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }

  /// Forgets the first `count` bytes and moves the rest to the front.
  package func dropFirst(_ count: Int) {
    let count = min(length, max(0, count))
    guard count > 0 else { return }
    memory.copyMemory(from: memory + count, byteCount: length - count)
    length -= count
  }

  /// Turns every LF at or behind `start` into a space; between JSON tokens both are white space.
  package func blankLineFeeds(from start: Int) {
    guard start >= 0, start < length else { return }
    for index in start..<length where memory.load(fromByteOffset: index, as: UInt8.self) == 0x0A {
      memory.storeBytes(of: 0x20, toByteOffset: index, as: UInt8.self)
    }
  }

  /// Cuts the content to its first `count` bytes.
  package func truncate(to count: Int) { length = min(length, max(0, count)) }
}
