public import Tenancy

/// Where a provider is reached: a base URL that was parsed and checked once (`design/threats.md` section 4).
///
/// `https` only; `http` and IP literals only for a record marked local. No user info, query or fragment. The host is
/// lower-case, the path starts with `/` and does not end in one unless it is `/`.
public struct Endpoint: Hashable, Sendable, CustomStringConvertible {
  public enum Scheme: String, Sendable { case https, http }

  public let scheme: Scheme
  public let host: String
  public let port: Int
  public let path: String
  /// A name is resolved at connect; an address is canonical (dotted decimal, or in brackets for IPv6).
  public let isAddress: Bool

  /// - Parameters:
  ///   - text: `https://host[:port][/path]`.
  ///   - local: Whether the record is marked `local: true`.
  public init(_ text: String, local: Bool) throws(RoutingError) {
    func refuse(_ why: String) -> RoutingError { RoutingError(.invalidEndpoint, why) }
    let bytes = Array(text.utf8)
    guard bytes.count <= 2048 else { throw refuse("An endpoint has at most 2048 bytes.") }
    guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw refuse("An endpoint is printable ASCII without spaces; write international names as xn--.")
    }
    let rest: Substring
    if text.hasPrefix("https://") {
      scheme = .https
      rest = text.dropFirst(8)
    } else if text.hasPrefix("http://") {
      guard local else { throw refuse("http is for records with local: true only; use https.") }
      scheme = .http
      rest = text.dropFirst(7)
    } else {
      throw refuse("An endpoint starts with https:// (http:// with local: true).")
    }
    guard !rest.contains("@") else { throw refuse("An endpoint carries no user or password.") }
    guard !rest.contains("#"), !rest.contains("?") else { throw refuse("An endpoint has no query and no fragment.") }
    guard !rest.contains("\\"), !rest.contains("%") else {
      throw refuse("An endpoint has no backslash and no percent escapes.")
    }
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    let authority = rest[..<slash]
    var path = String(rest[slash...])
    let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    guard !segments.contains(where: { $0 == "." || $0 == ".." }), !path.contains("//") else {
      throw refuse("The endpoint's path has no empty, '.' or '..' segment.")
    }
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    self.path = path.isEmpty ? "/" : path

    var hostText: Substring
    var portText: Substring?
    if authority.hasPrefix("[") {
      guard let close = authority.firstIndex(of: "]") else { throw refuse("The endpoint's [address] has no end.") }
      hostText = authority[...close]
      let after = authority[authority.index(after: close)...]
      if !after.isEmpty {
        guard after.hasPrefix(":") else { throw refuse("Behind the endpoint's address comes a port or the path.") }
        portText = after.dropFirst()
      }
    } else {
      let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count <= 2, let first = parts.first else { throw refuse("Write IPv6 addresses in brackets.") }
      hostText = first
      portText = parts.count == 2 ? parts[1] : nil
    }
    if let portText {
      guard let number = Self.port(portText) else { throw refuse("A port is a number from 1 to 65535.") }
      port = number
    } else {
      port = scheme == .https ? 443 : 80
    }
    var host = hostText.lowercased()
    if host.hasPrefix("[") {
      guard let address = NetworkAddress(host.dropFirst().dropLast()), !address.isIPv4 else {
        throw refuse("The endpoint's [address] is no IPv6 address.")
      }
      host = "[\(address)]"
      isAddress = true
    } else if Self.looksNumeric(host) {
      guard Self.isCanonicalIPv4(host) else {
        throw refuse("Write an IPv4 address as four decimal numbers without leading zeros.")
      }
      isAddress = true
    } else {
      guard Self.isHostName(host) else { throw refuse("'\(host)' is no host name.") }
      isAddress = false
    }
    guard !isAddress || local else { throw refuse("An address instead of a name needs local: true.") }
    self.host = host
  }

  public var description: String { "\(scheme.rawValue)://\(authority)\(path == "/" ? "" : path)" }

  /// Host and, unless it is the scheme's own, port: the value of the `Host` header.
  public var authority: String {
    port == (scheme == .https ? 443 : 80) ? host : "\(host):\(port)"
  }

  /// What a credential is bound to.
  public var origin: String { "\(scheme.rawValue)://\(host):\(port)" }

  /// Where a local record is that names no networks: an address is itself, `localhost` this machine; nil: a name can be
  /// anywhere.
  public var ownNetworks: [Network]? {
    if host == "localhost" { return ["127.0.0.0/8", "::1"].compactMap(Network.init) }
    guard isAddress else { return nil }
    return Network(host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host).map { [$0] }
  }

  private static func port(_ text: Substring) -> Int? {
    guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      text.first != "0", let number = Int(text), (1...65535).contains(number)
    else { return nil }
    return number
  }

  /// Last label all digits, or hexadecimal with 0x: resolvers would read such a host as an address.
  private static func looksNumeric(_ host: String) -> Bool {
    guard let last = host.split(separator: ".", omittingEmptySubsequences: true).last else { return false }
    return last.utf8.allSatisfy { (0x30...0x39).contains($0) } || last.hasPrefix("0x")
  }

  private static func isCanonicalIPv4(_ host: String) -> Bool {
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4
      && parts.allSatisfy { part in
        guard let number = UInt8(part) else { return false }
        return String(number) == part
      }
  }

  private static func isHostName(_ host: String) -> Bool {
    guard (1...253).contains(host.utf8.count) else { return false }
    return host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
      (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
        && label.utf8.allSatisfy {
          (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D
        }
    }
  }
}
