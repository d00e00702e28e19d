/// Speaks the Admin API: paths from names, answers as JSON, refusals as failures with their exit code.
struct AdminClient {
  let transport: any AdminTransport

  func get(_ path: [String], query: [(String, String?)] = []) throws(CommandFailure) -> JSONTree {
    try call("GET", path, query: query, body: nil)
  }

  func post(_ path: [String], _ body: JSONTree = .object([:])) throws(CommandFailure) -> JSONTree {
    try call("POST", path, query: [], body: body)
  }

  func put(_ path: [String], query: [(String, String?)] = [], _ body: JSONTree) throws(CommandFailure) -> JSONTree {
    try call("PUT", path, query: query, body: body)
  }

  func delete(_ path: [String]) throws(CommandFailure) {
    _ = try call("DELETE", path, query: [], body: nil)
  }

  /// All rows of a list, page after page, up to a limit.
  func list(_ path: [String], query: [(String, String?)] = [], limit: Int? = nil) throws(CommandFailure) -> [JSONTree] {
    var rows: [JSONTree] = []
    var cursor: String?
    repeat {
      let page = try get(path, query: query + [("cursor", cursor)])
      rows += page["data"].elements
      let next = page["next"].text
      guard next != cursor || next == nil else { break }
      cursor = next
    } while cursor != nil && rows.count < limit ?? .max
    return limit.map { Array(rows.prefix($0)) } ?? rows
  }

  /// An answer that is not JSON, status included; for health.
  func raw(_ path: [String]) throws(CommandFailure) -> TransportResponse {
    try transport.send(TransportRequest(method: "GET", target: Self.target(path, query: []), body: nil))
  }

  private func call(_ method: String, _ path: [String], query: [(String, String?)], body: JSONTree?)
    throws(CommandFailure) -> JSONTree
  {
    for segment in path where !Self.isPlain(segment) {
      throw CommandFailure(
        .usage, code: "invalid_name", "that is no name or id", place: segment, hint: "names are of a–z, 0–9 and -")
    }
    let answer = try transport.send(
      TransportRequest(
        method: method, target: Self.target(path, query: query), body: body.map { Array($0.line.utf8) }))
    guard (200..<300).contains(answer.status) else { throw Self.failure(answer) }
    guard !answer.body.isEmpty else { return .null }
    guard let tree = JSONTree(answer.body) else {
      throw CommandFailure(
        .failed, code: "bad_answer", "the server's answer is not JSON", hint: "is this address the Admin API?",
        requestID: answer.requestID)
    }
    return tree
  }

  /// What a refusal of the server means here.
  static func failure(_ answer: TransportResponse) -> CommandFailure {
    let error = JSONTree(answer.body)?["error"] ?? .null
    let exit: CommandFailure.Exit =
      switch answer.status {
      case 401: .notLoggedIn
      case 403: .forbidden
      case 404: .notFound
      case 409: .conflict
      case 413, 429: .limit
      case 503: .unreachable
      default: .failed
      }
    return CommandFailure(
      exit, code: error["code"].text ?? "status_\(answer.status)",
      error["message"].text ?? "the server answered with status \(answer.status)",
      place: error["param"].text ?? "", hint: error["hint"].text ?? "", requestID: answer.requestID)
  }

  private static func target(_ path: [String], query: [(String, String?)]) -> String {
    let pairs = query.compactMap { name, value in value.map { "\(name)=\(encoded($0))" } }
    return "/" + path.joined(separator: "/") + (pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&"))
  }

  private static func isPlain(_ segment: String) -> Bool {
    !segment.isEmpty && segment != "." && segment != ".." && segment.utf8.allSatisfy(isUnreserved)
  }

  private static func encoded(_ text: String) -> String {
    text.utf8.map { byte in
      if isUnreserved(byte) { return String(UnicodeScalar(byte)) }
      return "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }.joined()
  }

  private static func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }
}
