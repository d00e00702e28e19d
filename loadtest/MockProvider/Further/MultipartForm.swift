/// A body of `multipart/form-data` (RFC 7578), read in one pass.
struct MultipartForm {
  struct Field {
    let name: String
    let fileName: String?
    let content: Range<Int>
  }

  private static let fieldLimit = 64

  let fields: [Field]

  /// - Parameter type: The request's content type, which names the boundary.
  /// - Throws: ``Refused`` if it is another type, or the body is not made as it says.
  init(_ bytes: UnsafeRawBufferPointer, type: String?) throws(Refused) {
    guard let type, type.lowercased().hasPrefix("multipart/form-data"),
      let boundary = Self.parameter("boundary", in: type),
      (1...70).contains(boundary.utf8.count)
    else { throw .invalid("Expected multipart/form-data with a boundary.", code: "invalid_content_type") }
    let line = Array("--\(boundary)".utf8)
    var fields: [Field] = []
    var position = 0
    guard Self.has(line, at: 0, in: bytes) else { throw Self.broken }
    position = line.count
    while !Self.has([0x2D, 0x2D], at: position, in: bytes) {
      guard Self.has([0x0D, 0x0A], at: position, in: bytes), fields.count < Self.fieldLimit,
        let headEnd = Self.find([0x0D, 0x0A, 0x0D, 0x0A], from: position, in: bytes),
        let end = Self.find([0x0D, 0x0A] + line, from: headEnd + 4, in: bytes)
      else { throw Self.broken }
      let head = String(decoding: bytes[position..<headEnd], as: UTF8.self)
      guard let name = Self.parameter("name", in: head) else { throw Self.broken }
      fields.append(Field(name: name, fileName: Self.parameter("filename", in: head), content: (headEnd + 4)..<end))
      position = end + 2 + line.count
    }
    self.fields = fields
  }

  subscript(_ name: String) -> Field? { fields.first { $0.name == name } }

  private static let broken = Refused(message: "The multipart body could not be parsed.", code: "invalid_multipart")

  private static func has(_ mark: [UInt8], at position: Int, in bytes: UnsafeRawBufferPointer) -> Bool {
    position >= 0 && position + mark.count <= bytes.count
      && mark.indices.allSatisfy { bytes[position + $0] == mark[$0] }
  }

  private static func find(_ mark: [UInt8], from start: Int, in bytes: UnsafeRawBufferPointer) -> Int? {
    var position = start
    while let hit = bytes.index(of: 0x0D, from: position, to: bytes.count) {
      if has(mark, at: hit, in: bytes) { return hit }
      position = hit + 1
    }
    return nil
  }

  /// The value of `name="…"` or `name=…`; a longer name that ends the same is another.
  private static func parameter(_ name: String, in text: String) -> String? {
    for part in text.split(whereSeparator: { $0 == ";" || $0.isNewline }) {
      let trimmed = part.drop { $0 == " " }
      guard trimmed.lowercased().hasPrefix("\(name)=") else { continue }
      let value = trimmed.dropFirst(name.count + 1)
      return String(value.hasPrefix("\"") ? value.dropFirst().prefix { $0 != "\"" } : value)
    }
    return nil
  }
}
