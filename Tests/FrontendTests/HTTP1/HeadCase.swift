import Gateway
import Testing

@testable import Frontend

/// A request head as it comes from the wire, and what has to become of it.
struct HeadCase: Sendable, CustomTestStringConvertible {
  enum Outcome: Sendable {
    /// Exactly this fault when the head arrives in one piece; its status however it arrives.
    case refused(HTTPFault)
    case accepted([Fact])
  }

  enum Fact: Sendable, Equatable {
    case method(RequestHead.Method)
    case path(String)
    case framing(RequestHead.Framing)
    case keepsAlive(Bool)
    case version11(Bool)
    case upgrades
    case expectsContinue(Bool)
    case host(String?)
    case authorization(String?)
    case contentType(String?)
    case subject(String?)
  }

  let name: String
  let bytes: [UInt8]
  let outcome: Outcome

  init(_ name: String, _ text: String, _ outcome: Outcome) {
    self.init(name, Array(text.utf8), outcome)
  }

  init(_ name: String, _ bytes: [UInt8], _ outcome: Outcome) {
    self.name = name
    self.bytes = bytes
    self.outcome = outcome
  }

  var testDescription: String { name }

  static let host = "Host: api.example\r\n"
  static func get(_ fields: String) -> String { "GET /v1/models HTTP/1.1\r\n" + host + fields + "\r\n" }
  static func post(_ fields: String) -> String { "POST /v1/messages HTTP/1.1\r\n" + host + fields + "\r\n" }
  static func old(_ fields: String) -> String { "POST /v1/messages HTTP/1.0\r\n" + host + fields + "\r\n" }
  static func target(_ target: String) -> String { "GET \(target) HTTP/1.1\r\n" + host + "\r\n" }
  static func line(_ line: String) -> String { line + "\r\n" + host + "\r\n" }
  static func hosted(_ host: String) -> String { "GET /v1/models HTTP/1.1\r\nHost: \(host)\r\n\r\n" }
}

/// What a parser said, with the text behind the ranges, so that two runs can be compared.
enum ParsedHead: Equatable {
  case incomplete
  case refused(HTTPFault)
  case accepted(method: RequestHead.Method, facts: [HeadCase.Fact], length: Int)

  init(_ outcome: RequestHeadParser.Outcome, _ bytes: UnsafeRawBufferPointer) {
    func text(_ range: Range<Int>?) -> String? {
      range.map { String(decoding: bytes[$0], as: UTF8.self) }
    }
    switch outcome {
    case .incomplete: self = .incomplete
    case .failed(let fault): self = .refused(fault)
    case .complete(let head):
      self = .accepted(
        method: head.method,
        facts: [
          .method(head.method), .path(text(head.path) ?? ""), .framing(head.framing), .keepsAlive(head.keepAlive),
          .version11(head.isVersion11), .expectsContinue(head.expectsContinue), .host(text(head.host)),
          .authorization(text(head.authorization)), .contentType(text(head.contentType)),
          .subject(text(head.subject)),
        ] + (head.upgrades ? [.upgrades] : []),
        length: head.length)
    }
  }

  /// What the client sees: the status of the refusal, or all that was read.
  func isSame(as other: ParsedHead) -> Bool {
    switch (self, other) {
    case (.refused(let mine), .refused(let theirs)): mine.status == theirs.status
    default: self == other
    }
  }
}

/// Feeds the bytes as they would lie in a connection's inbox after each arrival; `cuts` are ascending positions.
func parseHead(_ bytes: [UInt8], cuts: [Int] = [], limits: Limits = Limits()) -> ParsedHead {
  var parser = RequestHeadParser()
  return bytes.withUnsafeBytes { all in
    for end in cuts + [all.count] {
      let seen = UnsafeRawBufferPointer(rebasing: all[0..<end])
      let parsed = ParsedHead(parser.parse(seen, within: limits), seen)
      if parsed != .incomplete { return parsed }
    }
    return .incomplete
  }
}
