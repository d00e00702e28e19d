/// What a connection to a provider needs beside its address: a proxy, authorities of its own, a certificate of ours.
/// Made when a snapshot is built; holds secrets, and is never logged.
package final class UpstreamTransport: Sendable {
  package struct Proxy: Sendable {
    /// `http://host:port`, `https://…` or `socks5h://…`: names are resolved behind it.
    package let url: String
    package let user: String?
    package let password: String?
    /// Loopback and private networks are allowed for the proxy's own address.
    package let isLocal: Bool
    /// As the provider's, for a proxy that is spoken to over TLS.
    package let authorities: [UInt8]?

    package init(url: String, user: String?, password: String?, isLocal: Bool, authorities: [UInt8]? = nil) {
      self.url = url
      self.user = user
      self.password = password
      self.isLocal = isLocal
      self.authorities = authorities
    }
  }

  package let proxy: Proxy?
  /// PEM; nil: the machine's own authorities.
  package let authorities: [UInt8]?
  /// PEM, certificate and key.
  package let clientCertificate: [UInt8]?

  package init(proxy: Proxy? = nil, authorities: [UInt8]? = nil, clientCertificate: [UInt8]? = nil) {
    self.proxy = proxy
    self.authorities = authorities
    self.clientCertificate = clientCertificate
  }
}
