public import JSONText

/// Embeddings for clients that asked for base64, from upstreams that know only numbers.
public enum EmbeddingsAnswer {
  /// Adds edits that write each `embedding` array as base64 of little-endian float32; strings stay.
  /// - Parameter data: ``AnswerScan/data``.
  /// - Returns: False, with no promise on the edits, if an array holds anything but numbers.
  public static func encodeBase64(
    _ body: UnsafeRawBufferPointer, data: ByteRange, edits: inout EditList
  ) -> Bool {
    let vector = ByteArena(capacity: 16 * 1024)
    let text = ByteArena(capacity: 16 * 1024)
    defer { withExtendedLifetime((vector, text)) {} }
    do throws(JSONTextError) {
      let array = data.of(body)
      var cursor = try JSONCursor(array, limits: .answer)
      var walk = try cursor.enterArray()
      while try cursor.nextElement(&walk) {
        guard try cursor.peek() == .object else { return false }
        var item = try cursor.enterObject()
        while let key = try cursor.nextMember(&item) {
          guard key.range.of(array).equals("embedding"), try cursor.peek() == .array else {
            try cursor.skipValue()
            continue
          }
          let start = cursor.position
          vector.reset()
          var numbers = try cursor.enterArray()
          while try cursor.nextElement(&numbers) {
            let digits = try cursor.number().range.of(array)
            guard let value = Float(String(decoding: digits, as: UTF8.self)), value.isFinite else { return false }
            withUnsafeBytes(of: value.bitPattern.littleEndian) { vector.append($0) }
          }
          text.reset()
          text.append(0x22)
          appendBase64(vector.bytes, to: text)
          text.append(0x22)
          edits.replace(data.start + start, data.start + cursor.position, with: text.bytes)
        }
      }
      return true
    } catch {
      return false
    }
  }

  /// RFC 4648, section 4, with padding.
  private static func appendBase64(_ bytes: UnsafeRawBufferPointer, to out: ByteArena) {
    out.reserve(bytes.count / 3 * 4 + 4)
    var index = 0
    while index < bytes.count {
      let left = bytes.count - index
      let group =
        UInt32(bytes[index]) << 16 | (left > 1 ? UInt32(bytes[index + 1]) << 8 : 0)
        | (left > 2 ? UInt32(bytes[index + 2]) : 0)
      out.append(character(group >> 18))
      out.append(character(group >> 12))
      out.append(left > 1 ? character(group >> 6) : 0x3D)
      out.append(left > 2 ? character(group) : 0x3D)
      index += 3
    }
  }

  private static func character(_ bits: UInt32) -> UInt8 {
    let value = UInt8(truncatingIfNeeded: bits & 63)
    return switch value {
    case 0..<26: 0x41 + value
    case 26..<52: 0x61 + value - 26
    case 52..<62: 0x30 + value - 52
    case 62: 0x2B
    default: 0x2F
    }
  }
}
