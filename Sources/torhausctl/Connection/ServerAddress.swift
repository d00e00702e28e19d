/// Where the Admin API is: `https`, or plain `http` to this machine only.
struct ServerAddress: Equatable, Sendable {
  /// Scheme, host and port, without a slash at the end.
  let origin: String
  let isLoopback: Bool

  static let standard = "http://127.0.0.1:8081"

  init(_ text: String) throws(CommandFailure) {
    let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else { throw Self.refused(text) }
    let scheme = parts[0].lowercased()
    let authority = parts[1].hasSuffix("/") ? parts[1].dropLast() : parts[1]
    guard !authority.isEmpty, authority.utf8.allSatisfy(Self.isAllowed) else { throw Self.refused(text) }
    var host = authority
    if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
      guard let port = Int(authority[authority.index(after: colon)...]), (1...65_535).contains(port) else {
        throw Self.refused(text)
      }
      host = authority[..<colon]
    }
    guard !host.isEmpty else { throw Self.refused(text) }
    isLoopback = ["127.0.0.1", "localhost", "[::1]"].contains(host.lowercased())
    guard scheme == "https" || scheme == "http" && isLoopback else {
      throw CommandFailure(
        .usage, code: "invalid_server", "plain http goes to this machine only", place: text,
        hint: "use https://…, or an SSH tunnel to \(Self.standard)")
    }
    origin = "\(scheme)://\(authority)"
  }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: ":"),
      UInt8(ascii: "["), UInt8(ascii: "]"):
      true
    default: false
    }
  }

  private static func refused(_ text: String) -> CommandFailure {
    CommandFailure(
      .usage, code: "invalid_server", "the server's address must be scheme, host and port", place: text,
      hint: "for example \(standard)")
  }
}
