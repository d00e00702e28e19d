import Gateway
import Routing

/// Reads what a provider's connection needs from where it is kept: the file of its authorities, the credentials of its
/// proxy and our certificate.
struct ProviderTransport {
  let credentials: BoundSecrets

  /// - Throws: Why the provider cannot be called; without a secret in it.
  func make(_ connection: ProviderConnection) throws(InstallationError) -> UpstreamTransport {
    UpstreamTransport(
      proxy: try connection.proxy.map { (proxy) throws(InstallationError) in
        try self.proxy(proxy, connection.proxyAuthorities)
      },
      authorities: try connection.authorities.map { (path) throws(InstallationError) in try authorities(path) },
      clientCertificate: try connection.clientCertificate.map { (name) throws(InstallationError) in
        try certificate(name)
      }, pinnedKeys: connection.pinnedKeys)
  }

  private func proxy(_ proxy: ProxyEndpoint, _ authorities: String?) throws(InstallationError)
    -> UpstreamTransport.Proxy
  {
    var (user, password): (String?, String?) = (nil, nil)
    if let name = proxy.credential {
      if let fault = credentials.fault(name, to: proxy.origin) { throw InstallationError(.secretMissing, fault) }
      let secret = try credential(name)
      guard let colon = secret.firstIndex(of: 0x3A), colon > 0 else {
        throw InstallationError(.secretMissing, "credential '\(name)' is not user:password")
      }
      user = String(decoding: secret[..<colon], as: UTF8.self)
      password = String(decoding: secret[(colon + 1)...], as: UTF8.self)
    }
    // libcurl's word for SOCKS 5 with names that the proxy resolves.
    let scheme = proxy.scheme == .socks5 ? "socks5h" : proxy.scheme.rawValue
    return UpstreamTransport.Proxy(
      url: "\(scheme)://\(proxy.host):\(proxy.port)", user: user, password: password, networks: proxy.networks,
      authorities: try authorities.map { (path) throws(InstallationError) in try self.authorities(path) })
  }

  private func authorities(_ path: String) throws(InstallationError) -> [UInt8] {
    guard let bytes = FileBytes.read(path, limit: 1 << 20), Self.holds("-----BEGIN CERTIFICATE-----", bytes) else {
      throw InstallationError(
        .invalidConfiguration, "the file of a provider's authorities cannot be read or holds no certificate",
        place: path, hint: "'ca' names a file in PEM that the service's user may read")
    }
    return bytes
  }

  private func certificate(_ name: String) throws(InstallationError) -> [UInt8] {
    let bytes = try credential(name)
    guard Self.holds("-----BEGIN CERTIFICATE-----", bytes), Self.holds("PRIVATE KEY-----", bytes) else {
      throw InstallationError(.secretMissing, "credential '\(name)' is not a certificate with its key, in PEM")
    }
    return bytes
  }

  private func credential(_ name: String) throws(InstallationError) -> [UInt8] {
    guard let secret = credentials[name]?.bytes, !secret.isEmpty else {
      throw InstallationError(
        .secretMissing, "there is no credential '\(name)'", hint: "name its place in torhaus.yaml")
    }
    return secret
  }

  private static func holds(_ word: String, _ bytes: [UInt8]) -> Bool {
    String(decoding: bytes, as: UTF8.self).contains(word)
  }
}
