/// How a provider is reached, where it is not simply by its name over public TLS. Secrets are names of credentials.
public struct ProviderConnection: Hashable, Sendable {
  public var proxy: ProxyEndpoint?
  /// The same as ``authorities``, for a proxy that is spoken to over TLS.
  public var proxyAuthorities: String?
  /// A file with the certificates of the only authorities that are believed for this provider, in PEM.
  public var authorities: String?
  /// Name of the credential that holds our certificate and its key, in PEM.
  public var clientCertificate: String?
  /// Hashes of public keys of which the provider must show one, beside a certificate that is believed:
  /// `sha256//` and the Base64 of the SHA-256 of its SubjectPublicKeyInfo (RFC 7469). Empty: any key.
  public var pinnedKeys: [String]

  public init(
    proxy: ProxyEndpoint? = nil, proxyAuthorities: String? = nil, authorities: String? = nil,
    clientCertificate: String? = nil, pinnedKeys: [String] = []
  ) {
    self.proxy = proxy
    self.proxyAuthorities = proxyAuthorities
    self.authorities = authorities
    self.clientCertificate = clientCertificate
    self.pinnedKeys = pinnedKeys
  }

  /// 44 characters of Base64 stand for 32 bytes.
  public static func isPin(_ text: String) -> Bool {
    guard text.hasPrefix("sha256//") else { return false }
    let digits = text.utf8.dropFirst(8)
    return digits.count == 44 && digits.last == 0x3D
      && digits.dropLast().allSatisfy {
        (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2B
          || $0 == 0x2F
      }
  }
}
