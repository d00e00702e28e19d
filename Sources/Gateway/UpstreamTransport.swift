public import Tenancy

/// What a connection to a provider needs beside its address: a proxy, authorities of its own, a certificate of ours.
/// Made when a snapshot is built; holds secrets, and is never logged.
public final class UpstreamTransport: Sendable {
  public struct Proxy: Sendable {
    /// `http://host:port`, `https://…` or `socks5h://…`: names are resolved behind it.
    public let url: String
    public let user: String?
    public let password: String?
    /// Nil: its address is a public one; else exactly these may be connected to.
    public let networks: [Network]?
    /// As the provider's, for a proxy that is spoken to over TLS.
    public let authorities: [UInt8]?

    public init(url: String, user: String?, password: String?, networks: [Network]?, authorities: [UInt8]? = nil) {
      self.url = url
      self.user = user
      self.password = password
      self.networks = networks
      self.authorities = authorities
    }
  }

  public let proxy: Proxy?
  /// PEM; nil: the machine's own authorities.
  public let authorities: [UInt8]?
  /// PEM, certificate and key.
  public let clientCertificate: [UInt8]?
  /// `sha256//…`, of which the provider's key must be one; empty: any.
  public let pinnedKeys: [String]

  public init(
    proxy: Proxy? = nil, authorities: [UInt8]? = nil, clientCertificate: [UInt8]? = nil, pinnedKeys: [String] = []
  ) {
    self.proxy = proxy
    self.authorities = authorities
    self.clientCertificate = clientCertificate
    self.pinnedKeys = pinnedKeys
  }
}
