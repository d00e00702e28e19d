/// What the mock charged for: every request that it began to answer with status 200.
///
/// A whole answer counts whole, also when the script then cut the connection in the middle of its bytes (a provider has
/// computed it all the same). A stream that was aborted by either side counts the text that was sent until then.
package struct MockBill: Equatable, Sendable, Codable {
  package var requests = 0
  package var promptTokens = 0
  package var completionTokens = 0

  private enum CodingKeys: String, CodingKey {
    case requests
    case promptTokens = "prompt_tokens"
    case completionTokens = "completion_tokens"
  }
}

/// One request as it arrived.
package struct MockRequest: Equatable, Sendable, Codable {
  package let method: String
  package let path: String
  /// By lower-case name; a name that came several times has its values joined with `, `.
  package let headers: [String: String]
  /// Bytes that are no UTF-8 show as U+FFFD.
  package let body: String
}

/// What the mock saw since it started or was reset.
package struct MockReport: Equatable, Sendable, Codable {
  /// Requests to the provider's own routes, answered or not.
  package var received = 0
  package var billed = MockBill()
  package var connectionsAccepted = 0
  package var connectionsOpen = 0
  /// The last ones, oldest first.
  package var requests: [MockRequest] = []

  private enum CodingKeys: String, CodingKey {
    case received, billed, requests
    case connectionsAccepted = "connections_accepted"
    case connectionsOpen = "connections_open"
  }
}

/// Why the mock could not start.
package struct MockProviderError: Error, CustomStringConvertible {
  package enum Code: String, Sendable { case listenFailed = "listen_failed", alreadyStarted = "already_started" }
  package let code: Code
  package let message: String
  package var description: String { message }
}
