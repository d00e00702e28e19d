import Foundation
import NIOCore

/// Turns what the journal keeps into text; off the hot path.
enum JournalEntryText {
  static func request(head: ByteBuffer, body: ByteBuffer) -> MockRequest {
    let lines = String(decoding: head.readableBytesView, as: UTF8.self).split(separator: "\r\n")
    let first = lines.first?.split(separator: " ") ?? []
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let name = line[..<colon].lowercased()
      let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
      headers[name] = headers[name].map { "\($0), \(value)" } ?? value
    }
    return MockRequest(
      method: first.first.map(String.init) ?? "", path: first.dropFirst().first.map(String.init) ?? "",
      headers: headers, body: String(decoding: body.readableBytesView, as: UTF8.self))
  }

  static func json(_ value: some Encodable) -> ByteBuffer {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return ByteBuffer(bytes: (try? encoder.encode(value)) ?? Data())
  }
}
