import Batches
import Foundation
import Gateway
import Inference
import Routing
import Testing

/// Files of requests and what a provider says of them.
enum BatchSpecimens {
  static let remoteFile = "file-abc123remote"
  static let remoteBatch = "batch_abc123remote"
  static let remoteOutput = "file-out987remote"
  static let remoteErrors = "file-err987remote"
  /// None of these may reach a client.
  static let theirs = [remoteFile, remoteBatch, remoteOutput, remoteErrors, "first-model", "req_remote"]

  static func setup() -> GateSetup {
    var setup = GateSetup()
    setup.candidates[0].capabilities = [.batch]
    return setup
  }

  static func line(_ name: String, _ body: String, url: String = "/v1/chat/completions") -> String {
    #"{"custom_id":"\#(name)","method":"POST","url":"\#(url)","body":\#(body)}"#
  }

  static func lines(_ count: Int = 2) -> [String] {
    (0..<count).map { line("line-\($0)", Specimens.chat("Brief \($0) an \(Specimens.mail).")) }
  }

  static func form(_ lines: [String], purpose: String = "batch", more: String = "") -> String {
    "--X\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\n\(purpose)\r\n\(more)"
      + "--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"Anna.jsonl\"\r\n\r\n"
      + lines.map { "\($0)\n" }.joined() + "\r\n--X--\r\n"
  }

  static let uploaded = #"{"id":"\#(remoteFile)","object":"file","bytes":1,"purpose":"batch","status":"processed"}"#

  static func batch(_ status: String, output: Bool = false, usage: (Int, Int)? = nil, more: String = "") -> String {
    var text =
      #"{"id":"\#(remoteBatch)","object":"batch","endpoint":"/v1/chat/completions","errors":null,"input_file_id":"\#(remoteFile)","completion_window":"24h","status":"\#(status)","output_file_id":\#(output ? "\"\(remoteOutput)\"" : "null"),"error_file_id":null,"created_at":1,"in_progress_at":2,"request_counts":{"total":2,"completed":\#(output ? 2 : 0),"failed":0}"#
    if let usage {
      text +=
        #","usage":{"input_tokens":\#(usage.0),"input_tokens_details":{"cached_tokens":0},"output_tokens":\#(usage.1),"output_tokens_details":{"reasoning_tokens":0},"total_tokens":\#(usage.0 + usage.1)}"#
    }
    return text + more + "}"
  }

  static func result(_ name: String, _ body: String, status: Int = 200) -> String {
    #"{"id":"batch_req_remote","custom_id":"\#(name)","response":{"status_code":\#(status),"request_id":"req_remote","body":\#(body)},"error":null}"#
      + "\n"
  }
}

extension TestGate {
  func call(_ method: Route.Method, _ path: String, _ body: String = "", _ type: ContentType = .none) -> Call {
    Call(method: method, path: path, key: key, body: Array(body.utf8), contentType: type)
  }

  func order(_ file: String, endpoint: String = "/v1/chat/completions", more: String = "") -> Call {
    call(
      .post, "/v1/batches",
      #"{"input_file_id":"\#(file)","endpoint":"\#(endpoint)","completion_window":"24h"\#(more)}"#, .json)
  }

  /// Sends, answers with status 200, and waits for the end.
  @discardableResult
  func exchange(_ call: Call, _ answer: String, status: Int = 200, sourceLocation: SourceLocation = #_sourceLocation)
    -> RecordingClient
  {
    let before = upstream.sent.count
    let client = send(call)
    #expect(upstream.sent.count == before + 1, "\(client.text)", sourceLocation: sourceLocation)
    guard upstream.sent.count == before + 1 else { return client }
    self.answer(status, answer)
    finish(client, sourceLocation: sourceLocation)
    return client
  }

  /// Uploads lines and names the file as a client does.
  func upload(_ lines: [String] = BatchSpecimens.lines(), sourceLocation: SourceLocation = #_sourceLocation) throws
    -> String
  {
    let client = exchange(
      call(.post, "/v1/files", BatchSpecimens.form(lines), .form), BatchSpecimens.uploaded,
      sourceLocation: sourceLocation)
    return try #require(client.id, "\(client.text)", sourceLocation: sourceLocation)
  }

  /// Uploads and orders a batch.
  func batch(_ lines: [String] = BatchSpecimens.lines(), sourceLocation: SourceLocation = #_sourceLocation) throws
    -> String
  {
    let file = try upload(lines, sourceLocation: sourceLocation)
    let client = exchange(order(file), BatchSpecimens.batch("validating"), sourceLocation: sourceLocation)
    return try #require(client.id, "\(client.text)", sourceLocation: sourceLocation)
  }
}

extension RecordingClient {
  /// The `id` that an answer begins with.
  var id: String? { text.firstMatch(of: /^{"id":"([^"]+)"/).map { String($0.output.1) } }

  func member(_ name: String) -> String? {
    guard let start = text.range(of: "\"\(name)\":\"") else { return nil }
    return String(text[start.upperBound...].prefix { $0 != "\"" })
  }
}
