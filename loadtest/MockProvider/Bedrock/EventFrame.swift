import NIOCore

/// One message of AWS's binary event stream: lengths, headers, payload, and a checksum over each half.
enum EventFrame {
  static func write(
    _ headers: [(name: String, value: String)], payload: ByteBuffer, into output: inout ByteBuffer
  ) {
    var fields = ByteBuffer()
    for (name, value) in headers {
      fields.writeInteger(UInt8(truncatingIfNeeded: name.utf8.count))
      fields.writeString(name)
      fields.writeInteger(UInt8(7))
      fields.writeInteger(UInt16(truncatingIfNeeded: value.utf8.count))
      fields.writeString(value)
    }
    var message = ByteBuffer()
    message.writeInteger(UInt32(truncatingIfNeeded: 16 + fields.readableBytes + payload.readableBytes))
    message.writeInteger(UInt32(truncatingIfNeeded: fields.readableBytes))
    message.writeInteger(CRC32.checksum(message.readableBytesView))
    message.writeBuffer(&fields)
    message.writeImmutableBuffer(payload)
    message.writeInteger(CRC32.checksum(message.readableBytesView))
    output.writeBuffer(&message)
  }
}

/// The checksum of Ethernet, ZIP and AWS's event streams.
enum CRC32 {
  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
  }

  static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
    ~bytes.reduce(UInt32.max) { table[Int(($0 ^ UInt32($1)) & 0xFF)] ^ ($0 >> 8) }
  }
}
