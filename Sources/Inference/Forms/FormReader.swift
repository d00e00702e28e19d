internal import JSONText

/// A field of a form, and where it lies in the body.
struct FormPart: Equatable {
  /// From the first dash of the line in front of it to its content: what is written anew for another reader.
  var head: ByteRange
  var name: ByteRange
  var fileName: ByteRange?
  var mediaType: ByteRange?
  var content: ByteRange
}

/// Reads a body of `multipart/form-data`, strictly: nothing in front of the first field or behind the last, and no header
/// field that could change what a field means. What one reader takes otherwise than another is refused.
struct FormReader {
  static let mostParts = 64
  static let mostHeadBytes = 2048
  static let mostHeaders = 8

  private(set) var parts: [FormPart] = []
  /// From the first dash of the last line on.
  private(set) var tail = ByteRange(0, 0)

  private let body: UnsafeRawBufferPointer
  private let boundary: [UInt8]

  /// Why a body is no form, in words.
  struct Fault: Error { let reason: StaticString }

  init(_ body: UnsafeRawBufferPointer, boundary: [UInt8]) throws(Fault) {
    self.body = body
    self.boundary = boundary
    guard !boundary.isEmpty else { throw Fault(reason: "its Content-Type names no usable boundary") }
    guard isDelimiter(at: 0) else { throw Fault(reason: "it does not begin with its boundary") }
    var position = 0
    while true {
      let behind = position + 2 + boundary.count
      if has("--", at: behind) {
        guard behind + 2 == body.count || has("\r\n", at: behind + 2) && behind + 4 == body.count else {
          throw Fault(reason: "something stands behind its end")
        }
        tail = ByteRange(position, body.count)
        return
      }
      guard has("\r\n", at: behind) else { throw Fault(reason: "a boundary's line has no end") }
      guard parts.count < Self.mostParts else { throw Fault(reason: "it has more than 64 fields") }
      var part = try head(from: behind + 2)
      part.head = ByteRange(position, part.content.start)
      guard let end = delimiter(from: part.content.start) else { throw Fault(reason: "it has no end") }
      part.content = ByteRange(part.content.start, end)
      parts.append(part)
      position = end + 2
    }
  }

  /// The header fields of a part; its content begins behind them.
  private func head(from start: Int) throws(Fault) -> FormPart {
    var part = FormPart(head: ByteRange(0, 0), name: ByteRange(0, 0), content: ByteRange(0, 0))
    var position = start
    var hasDisposition = false
    for _ in 0...Self.mostHeaders {
      let end = body.firstIndex(of: 0x0D, from: position)
      guard end < body.count, end - start <= Self.mostHeadBytes, has("\r\n", at: end) else {
        throw Fault(reason: "a field's head is too long or has no end")
      }
      if end == position {
        guard hasDisposition else { throw Fault(reason: "a field has no Content-Disposition") }
        part.content = ByteRange(end + 2, end + 2)
        return part
      }
      let line = ByteRange(position, end)
      try header(line, &part, &hasDisposition)
      position = end + 2
    }
    throw Fault(reason: "a field has too many header fields")
  }

  private func header(_ line: ByteRange, _ part: inout FormPart, _ hasDisposition: inout Bool) throws(Fault) {
    let text = line.of(body)
    guard text.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }), let colon = text.firstIndex(of: 0x3A) else {
      throw Fault(reason: "a field's head is malformed")
    }
    let name = ByteRange(0, colon).of(text)
    var start = colon + 1
    while start < text.count, text[start] == 0x20 || text[start] == 0x09 { start += 1 }
    let value = ByteRange(line.start + start, line.end)
    if name.equalsLowercase("content-disposition") {
      guard !hasDisposition else { throw Fault(reason: "a field has two Content-Dispositions") }
      hasDisposition = true
      try disposition(value, &part)
    } else if name.equalsLowercase("content-type") {
      guard part.mediaType == nil else { throw Fault(reason: "a field has two Content-Types") }
      part.mediaType = value
    } else if name.equalsLowercase("content-length") {
      // Some clients say it; the boundary is what counts.
    } else if name.equalsLowercase("content-transfer-encoding") {
      let coding = value.of(body)
      guard coding.equalsLowercase("binary") || coding.equalsLowercase("8bit") || coding.equalsLowercase("7bit") else {
        throw Fault(reason: "a field's content is encoded")
      }
    } else {
      throw Fault(reason: "a field has a header field that is not known")
    }
  }

  private func disposition(_ value: ByteRange, _ part: inout FormPart) throws(Fault) {
    let kind: StaticString = "form-data"
    let text = value.of(body)
    let count = kind.utf8CodeUnitCount
    guard text.count > count, ByteRange(0, count).of(text).begins(withLowercase: kind) else {
      throw Fault(reason: "a field is no form-data")
    }
    var parameters = FormParameters(text, from: count)
    var hasName = false
    while let parameter = parameters.next() {
      let range = ByteRange(value.start + parameter.value.start, value.start + parameter.value.end)
      let name = parameter.name.of(text)
      if name.equalsLowercase("name"), !hasName {
        hasName = true
        part.name = range
      } else if name.equalsLowercase("filename"), part.fileName == nil {
        part.fileName = range
      } else if name.equalsLowercase("filename*") {
        if part.fileName == nil { part.fileName = range }
      } else {
        throw Fault(reason: "a field's Content-Disposition says too much")
      }
    }
    guard parameters.isWhole, hasName else { throw Fault(reason: "a field has no name") }
  }

  /// The CRLF in front of the next boundary. A line that only begins like one is what readers differ on.
  private func delimiter(from start: Int) -> Int? {
    var position = start
    while true {
      position = body.firstIndex(of: 0x0D, from: position)
      guard position < body.count else { return nil }
      if has("\r\n", at: position), isDelimiter(at: position + 2) { return position }
      position += 1
    }
  }

  private func isDelimiter(at position: Int) -> Bool {
    guard has("--", at: position), position + 2 + boundary.count <= body.count else { return false }
    for offset in 0..<boundary.count where body[position + 2 + offset] != boundary[offset] { return false }
    return true
  }

  private func has(_ text: StaticString, at position: Int) -> Bool {
    position >= 0 && position <= body.count
      && ByteRange(position, min(body.count, position + text.utf8CodeUnitCount)).of(body).equals(text)
  }
}
