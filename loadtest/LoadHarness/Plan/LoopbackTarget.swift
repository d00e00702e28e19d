/// A URL on this machine; the harness takes no other, so a typing error cannot turn it against somebody's server.
package struct LoopbackTarget: Equatable, Sendable {
  /// `127.x.y.z` or `::1`.
  package let address: String
  package let port: Int
  /// With a leading slash and, where given, the query.
  package let path: String

  /// Reads `http://HOST[:PORT][/PATH]` with HOST in 127.0.0.0/8, `localhost` or `[::1]`.
  ///
  /// A URL without a path, or one that ends in `/v1`, gets the route of chat completions.
  /// - Throws: ``LoadError`` with code `bad_target` or `not_loopback`.
  package init(_ url: String) throws(LoadError) {
    let scheme = "http://"
    guard url.hasPrefix(scheme) else {
      throw LoadError(.badTarget, "\(url) does not start with http://; the harness speaks plain HTTP on loopback.")
    }
    let rest = url.dropFirst(scheme.utf8.count)
    let slash = rest.firstIndex(where: { $0 == "/" || $0 == "?" || $0 == "#" }) ?? rest.endIndex
    let (host, port) = try Self.split(rest[..<slash], of: url)
    guard let address = Self.loopback(host) else {
      throw LoadError(.notLoopback, "\(host) is not this machine; allowed are 127.0.0.0/8, [::1] and localhost.")
    }
    var path = String(rest[slash...])
    guard path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x23 }), path.isEmpty || path.hasPrefix("/") else {
      throw LoadError(.badTarget, "The path of \(url) holds what no path may hold.")
    }
    if path.hasSuffix("/") { path.removeLast() }
    if path.isEmpty { path = "/v1" }
    if path.hasSuffix("/v1") { path += "/chat/completions" }
    self.address = address
    self.port = port
    self.path = path
  }

  /// What the `Host` header says.
  package var host: String { address == "::1" ? "[::1]:\(port)" : "\(address):\(port)" }

  private static func split(_ authority: Substring, of url: String) throws(LoadError) -> (Substring, Int) {
    var host = authority
    var port = 80
    let colon = authority.lastIndex(of: ":")
    if let colon, authority.last != "]" {
      host = authority[..<colon]
      let digits = authority[authority.index(after: colon)...]
      guard digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = Int(digits),
        (1...65_535).contains(number)
      else { throw LoadError(.badTarget, "The port of \(url) is not a number from 1 to 65535.") }
      port = number
    }
    return (host, port)
  }

  /// The address that `host` means, if that is this machine for certain; no name is looked up.
  private static func loopback(_ host: Substring) -> String? {
    if host == "localhost" { return "127.0.0.1" }
    if host == "[::1]" { return "::1" }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4, parts[0] == "127" else { return nil }
    for part in parts {
      guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
        let number = Int(part), number <= 255, part.utf8.count == 1 || !part.hasPrefix("0")
      else { return nil }
    }
    return String(host)
  }
}
