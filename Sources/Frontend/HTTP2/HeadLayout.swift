import Gateway
import JSONText

/// Lays the fields of an HTTP/2 request out as the HTTP/1.1 head that says the same, so that one parser reads both and no
/// difference between two of them can be used.
///
/// Only bytes that cannot end a line or a word are laid out; all else is a fault before the parser sees anything.
struct HeadLayout {
  private let bytes: ByteArena
  private let limits: Limits
  private var method: Range<Int>?
  private var path: Range<Int>?
  private var authority: Range<Int>?
  /// Where the HTTP/1.1 head begins; the pseudo-header fields lie before it.
  private var start: Int?
  private var size = 0
  private(set) var fault: HTTPFault?

  /// - Parameter bytes: Empty; belongs to the layout until the head was used.
  init(in bytes: ByteArena, limits: Limits) {
    self.bytes = bytes
    self.limits = limits
  }

  /// - Returns: False if this has become so large that the connection had better end: the sum counts what was unpacked.
  mutating func add(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool {
    size &+= name.count &+ value.count &+ 4
    guard size <= limits.headBytes else {
      fault = fault ?? .headTooLarge
      return size <= 4 * limits.headBytes
    }
    guard fault == nil else { return true }
    do throws(HTTPFault) {
      if name.first == 0x3A { try pseudo(name, value) } else { try field(name, value) }
    } catch { fault = error }
    return true
  }

  private mutating func pseudo(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws(HTTPFault) {
    guard start == nil else { throw .malformedField }
    let all = 0..<name.count
    let isVisible = value.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    if Octet.equal(name, all, ":method"), method == nil {
      guard isVisible else { throw .malformedRequestLine }
      method = keep(value)
    } else if Octet.equal(name, all, ":path"), path == nil {
      guard isVisible else { throw .malformedTarget }
      path = keep(value)
    } else if Octet.equal(name, all, ":authority"), authority == nil {
      guard isVisible else { throw .malformedHost }
      authority = keep(value)
    } else if Octet.equal(name, all, ":scheme") {
      let text = 0..<value.count
      guard Octet.matches(value, text, "http") || Octet.matches(value, text, "https") else { throw .unknownScheme }
    } else {
      throw .malformedField
    }
  }

  private func keep(_ value: UnsafeRawBufferPointer) -> Range<Int> {
    let start = bytes.count
    bytes.append(value)
    return start..<bytes.count
  }

  private mutating func begin() {
    guard start == nil else { return }
    // Reserved before anything is taken from the same memory: growing would move it away from under the copy.
    bytes.reserve((method?.count ?? 0) + (path?.count ?? 0) + (authority?.count ?? 0) + 64)
    start = bytes.count
    copy(method)
    bytes.append(" ")
    copy(path)
    bytes.append(" HTTP/1.1\r\n")
    guard authority != nil else { return }
    bytes.append("host: ")
    copy(authority)
    bytes.append("\r\n")
  }

  private func copy(_ range: Range<Int>?) {
    if let range { bytes.append(UnsafeRawBufferPointer(rebasing: bytes.bytes[range])) }
  }

  /// Fields by which HTTP/1.1 frames messages or speaks of its connection; HTTP/2 has none of them.
  private static let foreign: [StaticString] = [
    "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade",
  ]

  private mutating func field(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws(HTTPFault) {
    begin()
    let all = 0..<name.count
    guard !name.isEmpty, name.allSatisfy({ Octet.isToken($0) && !(0x41...0x5A).contains($0) }),
      value.allSatisfy({ $0 >= 0x20 && $0 < 0x7F || $0 == 0x09 }),
      !Self.foreign.contains(where: { Octet.equal(name, all, $0) })
    else { throw .malformedField }
    if let authority, Octet.equal(name, all, "host") {
      // The same thing said twice is one thing; anything else would leave it to others which one counts.
      guard bytes.bytes[authority].elementsEqual(value) else { throw .duplicateField }
      return
    }
    bytes.append(name)
    bytes.append(": ")
    bytes.append(value)
    bytes.append("\r\n")
  }

  /// What `:path` said, if it came; until more is laid out.
  var target: UnsafeRawBufferPointer? { path.map { UnsafeRawBufferPointer(rebasing: bytes.bytes[$0]) } }

  /// The head as HTTP/1.1 has it, whole.
  mutating func finish() -> UnsafeRawBufferPointer {
    begin()
    bytes.append("\r\n")
    return UnsafeRawBufferPointer(rebasing: bytes.bytes[(start ?? 0)...])
  }
}
