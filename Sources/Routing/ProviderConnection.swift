/// How a provider is reached, where it is not simply by its name over public TLS. Secrets are names of credentials.
public struct ProviderConnection: Hashable, Sendable {
  public var proxy: ProxyEndpoint?
  /// The same as ``authorities``, for a proxy that is spoken to over TLS.
  public var proxyAuthorities: String?
  /// A file with the certificates of the only authorities that are believed for this provider, in PEM.
  public var authorities: String?
  /// Name of the credential that holds our certificate and its key, in PEM.
  public var clientCertificate: String?

  public init(
    proxy: ProxyEndpoint? = nil, proxyAuthorities: String? = nil, authorities: String? = nil,
    clientCertificate: String? = nil
  ) {
    self.proxy = proxy
    self.proxyAuthorities = proxyAuthorities
    self.authorities = authorities
    self.clientCertificate = clientCertificate
  }
}
