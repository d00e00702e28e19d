import CTLS
import Glibc

/// All that new connections of a TLS listener are made from: chain, key, versions, whom it lets in, protocols offered.
///
/// Immutable, and so shared by all loops. A connection keeps the context that it began with. Tickets of resumed sessions
/// are sealed by keys of the context's own: another context means a full handshake.
public final class TLSContext: @unchecked Sendable {
  public enum Version: String, Sendable { case tls12 = "1.2", tls13 = "1.3" }

  /// PEM texts.
  public struct Material: Sendable {
    /// The listener's own certificate first, then those that lead to its root.
    public var chain: [UInt8]
    public var key: [UInt8]
    /// Whose certificates clients must show; nil asks for none. Revocation lists in it are applied.
    public var clientAuthorities: [UInt8]?

    public init(chain: [UInt8], key: [UInt8], clientAuthorities: [UInt8]? = nil) {
      self.chain = chain
      self.key = key
      self.clientAuthorities = clientAuthorities
    }
  }

  let raw: OpaquePointer
  /// In the order of our preference.
  let offered: [ApplicationProtocol]
  /// Unix seconds between which clients take the certificate.
  public let validFrom: Int64
  public let validUntil: Int64

  // Only what keeps the past secret when the key becomes known. TLS 1.3 has nothing else.
  private static let ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20"
  // The other curves cost the server far more than their clients.
  private static let groups = "X25519:P-256:P-384"

  public init(_ material: Material, minimum: Version, offering offered: [ApplicationProtocol] = [.http2, .http11])
    throws(TLSFault)
  {
    ERR_clear_error()
    guard let raw = SSL_CTX_new(TLS_server_method()) else { throw Self.libraryFault() }
    do throws(TLSFault) {
      let oldest = minimum == .tls13 ? TLS1_3_VERSION : TLS1_2_VERSION
      guard th_tls_settle(raw, oldest, Self.ciphers, Self.groups) == 1 else { throw Self.libraryFault() }
      (validFrom, validUntil) = try Self.load(material, into: raw)
      if let authorities = material.clientAuthorities { try Self.demandClients(of: authorities, raw) }
    } catch {
      SSL_CTX_free(raw)
      throw error
    }
    self.raw = raw
    self.offered = offered
    ERR_clear_error()
    chooseProtocols()
    countLateMessages()
  }

  deinit { SSL_CTX_free(raw) }

  /// Whether the certificate is for this host name or address.
  public func names(_ host: String) -> Bool {
    guard let leaf = SSL_CTX_get0_certificate(raw) else { return false }
    let bare = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
    return X509_check_host(leaf, bare, 0, 0, nil) == 1 || X509_check_ip_asc(leaf, bare, 0) == 1
  }

  // MARK: Certificate and key

  private static func load(_ material: Material, into raw: OpaquePointer) throws(TLSFault) -> (Int64, Int64) {
    guard let pem = PEMBytes(material.chain), let leaf = pem.nextCertificate() else {
      throw TLSFault(
        part: .certificate, message: "there is no certificate in the file",
        hint: "give the chain as PEM: the listener's own certificate first, then the intermediate ones")
    }
    defer { X509_free(leaf) }
    let key = try privateKey(material.key)
    defer { EVP_PKEY_free(key) }
    guard X509_check_private_key(leaf, key) == 1 else {
      throw TLSFault(
        part: .key, message: "the key does not belong to the first certificate of the chain",
        hint: "give both from the same issue; the listener's own certificate stands first in its file")
    }
    guard SSL_CTX_use_certificate(raw, leaf) == 1 else {
      throw TLSFault(
        part: .certificate, message: "the certificate cannot be used\(reason())",
        hint: "clients take RSA of 2048 bits and more, or P-256 and P-384, signed with SHA-256 and better")
    }
    guard SSL_CTX_use_PrivateKey(raw, key) == 1 else {
      throw TLSFault(part: .key, message: "the key cannot be used\(reason())", hint: "use an RSA or a P-256 key")
    }
    while let next = pem.nextCertificate() {
      defer { X509_free(next) }
      guard th_tls_add_chain(raw, next) == 1 else {
        throw TLSFault(
          part: .certificate, message: "a certificate of the chain cannot be used\(reason())",
          hint: "ask the issuer for a chain of today's strength")
      }
    }
    return (seconds(X509_get0_notBefore(leaf)), seconds(X509_get0_notAfter(leaf)))
  }

  private static func privateKey(_ bytes: [UInt8]) throws(TLSFault) -> OpaquePointer {
    switch PEMBytes(bytes)?.privateKey() ?? .none {
    case .key(let key): return key
    case .encrypted:
      throw TLSFault(
        part: .key, message: "the key is encrypted by a password",
        hint: "decrypt it: openssl pkey -in KEY -out NEW, mode 0600; or hand it over as a systemd credential")
    case .none:
      throw TLSFault(
        part: .key, message: "there is no private key in it",
        hint: "give the key as PEM, beginning with -----BEGIN PRIVATE KEY-----")
    }
  }

  private static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64 {
    var parts = tm()
    guard ASN1_TIME_to_tm(time, &parts) == 1 else { return 0 }
    return Int64(timegm(&parts))
  }

  // MARK: Clients

  /// Every connection shows its certificate anew: a resumed session would outlive a certificate that has ended.
  private static func demandClients(of authorities: [UInt8], _ raw: OpaquePointer) throws(TLSFault) {
    guard let pem = PEMBytes(authorities), th_tls_demand_client(raw, pem.bio) > 0 else {
      throw TLSFault(
        part: .clientAuthorities, message: "there is no usable certificate of an authority in the file\(reason())",
        hint: "give the certificates that issue your clients' ones, as PEM; leave the key out to ask for none")
    }
    th_tls_forbid_tickets(raw)
  }

  private func chooseProtocols() {
    // Unretained: whoever shakes hands holds this context.
    SSL_CTX_set_alpn_select_cb(
      raw,
      { _, chosen, length, list, count, context in
        guard let list, let context else { return SSL_TLSEXT_ERR_ALERT_FATAL }
        let offered = Unmanaged<TLSContext>.fromOpaque(context).takeUnretainedValue().offered
        let names = UnsafeRawBufferPointer(start: list, count: Int(count))
        guard let range = ApplicationProtocol.choose(among: offered, in: names) else {
          return SSL_TLSEXT_ERR_ALERT_FATAL
        }
        chosen?.pointee = list + range.lowerBound
        length?.pointee = UInt8(truncatingIfNeeded: range.count)
        return SSL_TLSEXT_ERR_OK
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  private func countLateMessages() {
    SSL_CTX_set_msg_callback(raw) { isSent, _, kind, _, _, connection, _ in
      if isSent == 0, kind == SSL3_RT_HANDSHAKE { TLSStream.of(connection)?.sawHandshakeMessage() }
    }
  }

  // MARK: What went wrong

  private static func reason() -> String {
    var text = [CChar](repeating: 0, count: 120)
    th_tls_reason(&text, text.count)
    let words = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return words.isEmpty ? "" : " (\(words))"
  }

  private static func libraryFault() -> TLSFault {
    TLSFault(part: .library, message: "OpenSSL gives no TLS context\(reason())", hint: "see /etc/ssl/openssl.cnf")
  }
}
