import Foundation

@testable import MockProvider

/// Requests and readings that the tests of the dialects share.
extension MockSession {
  /// Sends one request on a connection of its own and returns the whole answer.
  func ask(_ path: String, _ body: String, headers: String = "") throws -> RawResponse {
    let client = try client()
    try client.send(Self.post(path, body, headers: headers))
    return try client.response()
  }

  /// `text` as a JSON string with its quotes.
  static func quoted(_ text: String) -> String {
    "\"" + String(decoding: JSONStringText.encoded(Array(text.utf8)), as: UTF8.self) + "\""
  }

  /// The named events of a stream, with their data as objects.
  static func named(_ body: String) throws -> [(name: String, data: [String: Any])] {
    try body.components(separatedBy: "\n\n").filter { !$0.isEmpty }.map { block in
      let lines = block.components(separatedBy: "\n")
      guard lines.count == 2, lines[0].hasPrefix("event: "), lines[1].hasPrefix("data: ") else {
        throw RawClient.Failure(what: "event \(block)")
      }
      return (String(lines[0].dropFirst(7)), try object(String(lines[1].dropFirst(6))))
    }
  }

  /// The member at a path of names and positions, such as `error.type` or `choices.0.text`.
  static func value(_ object: Any?, _ path: String) -> Any? {
    path.split(separator: ".").reduce(object) { value, step in
      if let place = Int(step), let list = value as? [Any] { return list.indices.contains(place) ? list[place] : nil }
      return (value as? [String: Any])?[String(step)]
    }
  }

  static func text(_ object: Any?, _ path: String) -> String? { value(object, path) as? String }
  static func int(_ object: Any?, _ path: String) -> Int? { value(object, path) as? Int }
}
