public import Tenancy

/// A proxy that a provider is reached through: `http://`, `https://` or `socks5://`, a host and a port, nothing else.
///
/// The connection is a tunnel: the proxy sees the provider's name and port, and behind TLS nothing of what is said. Names
/// are resolved by the proxy, never here.
public struct ProxyEndpoint: Hashable, Sendable, CustomStringConvertible {
  public enum Scheme: String, Sendable, CaseIterable { case http, https, socks5 }

  public let scheme: Scheme
  public let host: String
  public let port: Int
  /// As a provider's: nil for a public address.
  public var networks: [Network]?
  /// Those that its host means by itself; nil: a name can be anywhere.
  public let ownNetworks: [Network]?
  /// Name of the credential `user:password`; nil: the proxy asks for none.
  public let credential: String?

  /// - Parameter local: Whether the record says that it is in the house.
  public init(_ text: String, local: Bool, credential: String? = nil) throws(RoutingError) {
    func refuse(_ hint: String) -> RoutingError { RoutingError(.invalidEndpoint, hint) }
    guard let colon = text.firstIndex(of: ":"), let scheme = Scheme(rawValue: String(text[..<colon])),
      text[colon...].hasPrefix("://")
    else { throw refuse("Write http://, https:// or socks5:// with host and port.") }
    let rest = text[colon...].dropFirst(3)
    guard let last = rest.lastIndex(of: ":"), rest.utf8.allSatisfy({ $0 != 0x40 }) else {
      throw refuse("Write host and port; user and password are a credential, never part of the address.")
    }
    let digits = rest[rest.index(after: last)...]
    guard let port = Int(digits), (1...65_535).contains(port), digits.first != "0", digits.first != "+" else {
      throw refuse("A port is 1 to 65535.")
    }
    // The rules for hosts are an endpoint's; only the scheme differs.
    let endpoint = try Endpoint("\(local ? "http" : "https")://\(rest[..<last]):\(port)", local: local)
    guard endpoint.path.isEmpty || endpoint.path == "/" else { throw refuse("A proxy has no path.") }
    self.scheme = scheme
    host = endpoint.host
    self.port = port
    ownNetworks = endpoint.ownNetworks
    networks = local ? ownNetworks ?? [] : nil
    self.credential = credential
  }

  /// What its credential is bound to.
  public var origin: String { description }
  public var description: String { "\(scheme.rawValue)://\(host):\(port)" }
}
