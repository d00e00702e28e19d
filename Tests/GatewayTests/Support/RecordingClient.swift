import Foundation
import Gateway

/// A client's connection that keeps what it is told.
final class RecordingClient: ClientPort {
  private(set) var head: ResponseHead?
  private(set) var fields: [(name: String, value: String)] = []
  /// A plain answer's body, or all that a stream sent.
  private(set) var bytes: [UInt8] = []
  private(set) var answers = 0
  private(set) var hasEnded = false
  private(set) var wasAborted = false
  private var isStream = false
  /// What the test says is not taken yet.
  var heldBytes = 0
  /// What it was given for that.
  var lease: AnswerLease?

  var isOver: Bool { answers > 0 && !isStream || hasEnded || wasAborted }
  var status: UInt16 { head?.status ?? 0 }
  var text: String { String(decoding: bytes, as: UTF8.self) }
  var hasDone: Bool { text.contains("[DONE]") }

  func values(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }
  func value(_ name: String) -> String? { values(name).first }

  /// `error.code` of the body or of the last event; nil if there is none.
  var errorCode: String? {
    guard let start = text.range(of: "\"code\":\"", options: .backwards) else { return nil }
    return String(text[start.upperBound...].prefix { $0 != "\"" })
  }

  /// `error.type` of an Anthropic body or event; nil if there is none.
  var errorType: String? {
    guard let start = text.range(of: #""error":{"type":""#) else { return nil }
    return String(text[start.upperBound...].prefix { $0 != "\"" })
  }

  func respond(_ head: ResponseHead, fields: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer) {
    take(head, fields)
    bytes += Array(body)
  }

  func begin(_ head: ResponseHead, fields: UnsafeRawBufferPointer) {
    take(head, fields)
    isStream = true
  }

  func send(_ bytes: UnsafeRawBufferPointer) { self.bytes += Array(bytes) }
  func keep(_ lease: AnswerLease) { self.lease = lease }
  func end() { hasEnded = true }
  func abort() { wasAborted = true }

  private func take(_ head: ResponseHead, _ bytes: UnsafeRawBufferPointer) {
    answers += 1
    self.head = head
    let text = String(decoding: bytes, as: UTF8.self)
    for line in text.split(separator: "\r\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      fields.append((String(parts[0]), parts.count == 2 ? String(parts[1].dropFirst()) : ""))
    }
  }
}
