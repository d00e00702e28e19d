public import JSONText

/// Puts originals back into one stream of answer text, however it is cut; holds at most 40 bytes.
///
/// One per choice × block × field. Reads and writes the raw bytes of JSON string content: depth 1 for message text, 2 for
/// tool-call arguments, 0 for plain text. A pure value: what comes out does not depend on where the pieces are cut.
public struct Restorer: Sendable {
  /// Which placeholders come back within URLs.
  public enum URLRule: Sendable {
    /// Only where this URL up to and including the placeholder stood in the redacted request.
    case asSent
    case always
  }

  private var held: (UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0)
  /// Bytes that may yet become a placeholder.
  public private(set) var heldCount = 0
  private var url = URLTracker()
  private let urls: URLRule
  private let isExact: Bool
  /// Placeholders that were restored.
  public private(set) var restored = 0
  /// Placeholders left as they were because they stood in a URL that was not sent.
  public private(set) var leftInURL = 0
  /// Bytes of originals that may still be written: a few bytes of an answer can stand for very many.
  public var room = Int.max
  /// There was no room for an original: its placeholder was left as it was.
  public private(set) var isFull = false

  /// - Parameter exactOnly: For signed text: only the spelling that was issued.
  public init(urls: URLRule = .asSent, exactOnly: Bool = false) {
    self.urls = urls
    isExact = exactOnly
  }

  /// Takes a piece and appends what is decided to `out`.
  public mutating func feed(
    _ escaped: UnsafeRawBufferPointer, depth: Int, issued: IssuedPlaceholders, into out: ByteArena
  ) {
    guard !issued.isEmpty || heldCount > 0 else { return out.append(escaped) }
    run(escaped, depth: depth, issued, out, isFinal: false)
  }

  /// Appends what is held: nothing follows any more.
  public mutating func finish(depth: Int, issued: IssuedPlaceholders, into out: ByteArena) {
    run(UnsafeRawBufferPointer(start: nil, count: 0), depth: depth, issued, out, isFinal: true)
    url = URLTracker()
  }

  private mutating func run(
    _ piece: UnsafeRawBufferPointer, depth: Int, _ issued: IssuedPlaceholders, _ out: ByteArena, isFinal: Bool
  ) {
    let before = heldCount
    guard before > 0 else {
      guard let base = piece.baseAddress, piece.count > 0 else { return }
      return process(base.assumingMemoryBound(to: UInt8.self), piece.count, depth, issued, out, isFinal)
    }
    withUnsafeTemporaryAllocation(byteCount: before + piece.count, alignment: 8) { joined in
      guard let base = joined.baseAddress else { return }
      withUnsafeBytes(of: held) { joined.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[0..<before])) }
      if let source = piece.baseAddress { (base + before).copyMemory(from: source, byteCount: piece.count) }
      process(base.assumingMemoryBound(to: UInt8.self), joined.count, depth, issued, out, isFinal)
    }
  }

  private mutating func process(
    _ bytes: UnsafePointer<UInt8>, _ count: Int, _ depth: Int, _ issued: IssuedPlaceholders, _ out: ByteArena,
    _ isFinal: Bool
  ) {
    heldCount = 0
    let first = issued.firstBytes
    let second = issued.secondBytes
    var written = 0
    var position = 0
    while position < count {
      if !url.isInside {
        let next = issued.beginnings.next(bytes, from: position, count)
        if next > position {
          url.readPlain()
          position = next
        }
      }
      let byte = bytes[position]
      var length = 1
      var scalar = UInt32(byte)
      if byte == 0x5C, depth > 0 {
        let unit = EscapedText.unit(bytes, position, count, depth: depth)
        // Its other half may follow, be it that only the begin of the escape is there.
        let isHalf = unit.scalar & 0xFFFF_FC00 == 0xD800
        if unit.length <= 0 || isHalf, !isFinal, count - position < PlaceholderMatcher.longest {
          hold(bytes, &written, position, count, out)
          return
        }
        length = max(unit.length, 1)
        scalar = unit.scalar
      }
      if scalar < 0x80, IssuedPlaceholders.contains(first, UInt8(scalar)),
        !(ASCII.isLetter(byte) && position + 1 < count)
          || IssuedPlaceholders.contains(second, bytes[position + 1])
      {
        let matcher = PlaceholderMatcher(
          bytes, start: position, count: count, depth: depth, isFinal: isFinal, isExact: isExact)
        switch matcher.match(at: position, issued) {
        case .none: break
        case .unfinished:
          hold(bytes, &written, position, count, out)
          return
        case .match(let entry, let bodyStart, let end):
          var ahead = url
          let found = issued.entries[entry]
          let wasInside = url.isInside
          if wasInside { ahead.read(label: issued.label(found.label), tag: found.tag) }
          if wasInside, urls == .asSent, !issued.urls.contains(ahead.hash) {
            leftInURL &+= 1
            break
          }
          let original = issued.original(entry)
          guard original.count <= room else {
            isFull = true
            break
          }
          room &-= original.count
          url = ahead
          out.append(UnsafeRawBufferPointer(start: bytes + written, count: bodyStart - written))
          EscapedWriter.append(original, depth: depth, into: out)
          restored &+= 1
          written = end
          position = end
          continue
        }
      }
      url.read(scalar)
      position += length
    }
    out.append(UnsafeRawBufferPointer(start: bytes + written, count: count - written))
  }

  private mutating func hold(
    _ bytes: UnsafePointer<UInt8>, _ written: inout Int, _ position: Int, _ count: Int, _ out: ByteArena
  ) {
    out.append(UnsafeRawBufferPointer(start: bytes + written, count: position - written))
    written = count
    heldCount = count - position
    withUnsafeMutableBytes(of: &held) { buffer in
      buffer.copyMemory(from: UnsafeRawBufferPointer(start: bytes + position, count: min(heldCount, buffer.count)))
    }
  }
}
