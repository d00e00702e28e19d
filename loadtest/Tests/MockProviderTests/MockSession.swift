import Foundation

@testable import MockProvider

/// A running mock and the few JSON readings that its tests share.
final class MockSession {
  let server: MockServer

  init(keep: Int = 256, amazonKey: AmazonKey? = nil) throws {
    server = MockServer(keep: keep, amazonKey: amazonKey)
    try server.start()
  }

  deinit { server.stop() }

  func client() throws -> RawClient { try RawClient(port: server.port) }

  static func post(_ path: String, _ body: String, headers: String = "") -> String {
    "POST \(path) HTTP/1.1\r\nHost: mock\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  static func chat(_ model: String, _ text: String, extra: String = "", headers: String = "") -> String {
    let quoted = String(decoding: JSONStringText.encoded(Array(text.utf8)), as: UTF8.self)
    return post(
      "/v1/chat/completions",
      #"{"model":"\#(model)","messages":[{"role":"user","content":"\#(quoted)"}]\#(extra)}"#, headers: headers)
  }

  static func object(_ text: String) throws -> [String: Any] {
    try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:]
  }

  static func choice(_ object: [String: Any]) -> [String: Any] {
    (object["choices"] as? [[String: Any]])?.first ?? [:]
  }

  static func usage(_ object: [String: Any]) -> MockUsage? {
    guard let usage = object["usage"] as? [String: Int], let prompt = usage["prompt_tokens"],
      let completion = usage["completion_tokens"], usage["total_tokens"] == prompt + completion
    else { return nil }
    return MockUsage(promptTokens: prompt, completionTokens: completion)
  }

  /// The events of a stream's body.
  static func events(_ body: String) -> [String] {
    body.components(separatedBy: "\n\n").filter { !$0.isEmpty }.map { String($0.dropFirst("data: ".count)) }
  }

  /// The text of a stream, its finish reasons, and the usage of its usage chunk.
  static func reading(_ body: String) throws -> (text: String, arguments: String, finish: [String], usage: MockUsage?) {
    var text = ""
    var arguments = ""
    var finish: [String] = []
    var usage: MockUsage?
    for event in events(body) where event != "[DONE]" {
      let object = try object(event)
      usage = Self.usage(object) ?? usage
      let choice = choice(object)
      if let reason = choice["finish_reason"] as? String { finish.append(reason) }
      let delta = choice["delta"] as? [String: Any] ?? [:]
      text += delta["content"] as? String ?? ""
      for call in delta["tool_calls"] as? [[String: Any]] ?? [] {
        arguments += (call["function"] as? [String: Any])?["arguments"] as? String ?? ""
      }
    }
    return (text, arguments, finish, usage)
  }
}
