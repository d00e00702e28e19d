/// Checks a trailer field, which is dropped whatever it says: only one that could change the message is a fault.
enum TrailerField {
  private static let forbidden: [StaticString] = [
    "content-length", "transfer-encoding", "host", "trailer", "content-encoding", "content-type", "authorization",
    "connection", "expect", "x-api-key", "api-key",
  ]

  static func fault(_ line: [UInt8]) -> HTTPFault? {
    line.withUnsafeBytes { bytes in
      var end = 0
      while end < bytes.count, Octet.isToken(bytes[end]) { end &+= 1 }
      guard end > 0, end < bytes.count, bytes[end] == 0x3A else { return .malformedField }
      let name = 0..<end
      let isForbidden = forbidden.contains { Octet.matches(bytes, name, $0) } || Octet.imitatesGuarded(bytes, name)
      return isForbidden ? .malformedField : nil
    }
  }
}
