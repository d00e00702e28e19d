import NIOCore

/// Base64 with padding (RFC 4648, section 4).
enum Base64Text {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func write(_ bytes: ArraySlice<UInt8>, into buffer: inout ByteBuffer) {
    var index = bytes.startIndex
    while index < bytes.endIndex {
      let left = bytes.endIndex - index
      let first = bytes[index]
      let second = left > 1 ? bytes[index + 1] : 0
      let third = left > 2 ? bytes[index + 2] : 0
      buffer.writeInteger(alphabet[Int(first >> 2)])
      buffer.writeInteger(alphabet[Int((first & 3) << 4 | second >> 4)])
      buffer.writeInteger(left > 1 ? alphabet[Int((second & 15) << 2 | third >> 6)] : 0x3D)
      buffer.writeInteger(left > 2 ? alphabet[Int(third & 63)] : 0x3D)
      index += 3
    }
  }
}
