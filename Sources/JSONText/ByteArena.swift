internal import Glibc

/// A growing run of bytes whose memory stays where it is until it grows, so that C code can read it in place.
///
/// Reused from request to request by ``reset()``; belongs to one event loop.
public final class ByteArena {
  // For this file alone; other modules see it because short appends are inlined there.
  @usableFromInline var memory = ByteArena.nothing.start
  /// Never more than `room`.
  @usableFromInline var length = 0
  /// Bytes of `memory`; 0 while it is ``nothing``.
  @usableFromInline var room = 0
  private let first: Int

  /// Where arenas without memory of their own point: zeros that nobody writes to.
  private static let nothing = Nothing()
  private struct Nothing: @unchecked Sendable {
    let start = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 16)
    init() { start.initializeMemory(as: UInt8.self, repeating: 0, count: 64) }
  }

  /// - Parameter capacity: Bytes to begin with, taken at the first append: many arenas of an open stream stay empty.
  public init(capacity: Int = 4096) { first = max(capacity, 64) }

  deinit { if room > 0 { memory.deallocate() } }

  public var base: UnsafeMutableRawPointer { memory }
  public var count: Int { length }
  public var capacity: Int { room }
  /// Good as long as the arena lives and does not grow: the last mention of a local arena must not be this one.
  public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory, count: length) }
  /// The content as a copy.
  public var array: [UInt8] { withExtendedLifetime(self) { Array(bytes) } }
  /// The content as a copy; what is no UTF-8 reads as U+FFFD.
  public var text: String { withExtendedLifetime(self) { String(decoding: bytes, as: UTF8.self) } }

  /// Forgets the content and keeps the memory, unless it has grown past `keeping` bytes.
  public func reset(keeping: Int = 256 * 1024) {
    length = 0
    guard room > keeping, room > 0 else { return }
    memory.deallocate()
    room = 0
    memory = Self.nothing.start
  }

  /// Overwrites the content with zeros before it is forgotten; for originals behind placeholders.
  public func wipe() {
    memory.initializeMemory(as: UInt8.self, repeating: 0, count: length)
    length = 0
  }

  /// Overwrites the content and gives its memory back.
  public func release() {
    guard room > 0 else { return }
    explicit_bzero(memory, length)
    reset(keeping: 0)
  }

  @inlinable @inline(__always)
  public func reserve(_ additional: Int) { if additional > room &- length { grow(by: additional) } }

  @usableFromInline @inline(never)
  func grow(by additional: Int) {
    let size = max(length + additional, room * 2, first)
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

  @inlinable @inline(__always)
  public func append(_ bytes: UnsafeRawBufferPointer) {
    let count = bytes.count
    guard let start = bytes.baseAddress, count > 0 else { return }
    reserve(count)
    (memory + length).copyMemory(from: start, byteCount: count)
    length &+= count
  }

  /// Lets `write` fill up to `count` bytes behind the content; it returns how many it has filled.
  /// - Returns: What `write` returned, be it an error's negative number.
  public func extend(upTo count: Int, _ write: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
    let most = max(0, count)
    reserve(most)
    let filled = write(UnsafeMutableRawBufferPointer(start: memory + length, count: most))
    length += min(max(0, filled), most)
    return filled
  }

  @inlinable @inline(__always)
  public func append(_ byte: UInt8) {
    reserve(1)
    memory.storeBytes(of: byte, toByteOffset: length, as: UInt8.self)
    length &+= 1
  }

  /// Inlined, a constant of some words is stored as such.
  @inlinable @inline(__always)
  public func append(_ text: StaticString) {
    append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Named apart from the one for constants: of two overloads a literal would take this one, and cost ten times as much.
  public func append(utf8 text: String) { text.withBytes { append($0) } }

  /// Appends a number in decimal digits.
  public func append(number: Int64) {
    var rest = number.magnitude
    // The sign and 19 digits.
    reserve(20)
    if number < 0 { append(0x2D) }
    var digits = 1
    var bound: UInt64 = 10
    while digits < 19, rest >= bound {
      digits += 1
      bound &*= 10
    }
    for place in (0..<digits).reversed() {
      memory.storeBytes(of: 0x30 + UInt8(truncatingIfNeeded: rest % 10), toByteOffset: length + place, as: UInt8.self)
      rest /= 10
    }
    length += digits
  }

  @inlinable
  public func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }

  /// Forgets the first `count` bytes and moves the rest to the front.
  public func dropFirst(_ count: Int) {
    let count = min(length, max(0, count))
    guard count > 0 else { return }
    memory.copyMemory(from: memory + count, byteCount: length - count)
    length -= count
  }

  /// Turns every LF at or behind `start` into a space; between JSON tokens both are white space.
  public func blankLineFeeds(from start: Int) {
    guard start >= 0, start < length else { return }
    for index in start..<length where memory.load(fromByteOffset: index, as: UInt8.self) == 0x0A {
      memory.storeBytes(of: 0x20, toByteOffset: index, as: UInt8.self)
    }
  }

  /// Cuts the content to its first `count` bytes.
  public func truncate(to count: Int) { length = min(length, max(0, count)) }
}

extension String {
  /// Runs `body` on the text's UTF-8 where it lies: `withUTF8` may change its string, so it wants a copy, and that is
  /// retained and released.
  @inline(__always)
  func withBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
    let isDone: Void? = utf8.withContiguousStorageIfAvailable { body(UnsafeRawBufferPointer($0)) }
    guard isDone == nil else { return }
    Array(utf8).withUnsafeBytes { body($0) }
  }
}
