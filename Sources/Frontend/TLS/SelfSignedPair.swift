import CTLS

/// A key and a certificate that it signs itself, as PEM: for the demo and for tests. Real clients must be told to trust it.
public struct SelfSignedPair: Sendable {
  public let certificate: [UInt8]
  public let key: [UInt8]

  /// - Parameters:
  ///   - names: As OpenSSL writes alternative names: `DNS:localhost`, `IP:127.0.0.1`.
  ///   - from: Seconds from now on from which it is valid.
  ///   - until: Seconds from now on until which it is valid.
  public init(names: [String], from: Int = -60, until: Int) throws(TLSFault) {
    let fault = TLSFault(part: .library, message: "OpenSSL makes no certificate", hint: "see /etc/ssl/openssl.cnf")
    guard let key = th_new_key(), let certificate = X509_new() else { throw fault }
    defer {
      EVP_PKEY_free(key)
      X509_free(certificate)
    }
    var generator = SystemRandomNumberGenerator()
    X509_set_version(certificate, 2)  // counted from 0: version 3
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), generator.next() >> 1)
    X509_gmtime_adj(X509_getm_notBefore(certificate), from)
    X509_gmtime_adj(X509_getm_notAfter(certificate), until)
    let subject = X509_get_subject_name(certificate)
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, "Torhaus, self-signed", -1, -1, 0)
    X509_set_issuer_name(certificate, subject)
    X509_set_pubkey(certificate, key)
    for (kind, value) in [
      (NID_basic_constraints, "critical,CA:FALSE"), (NID_subject_alt_name, names.joined(separator: ",")),
    ] {
      guard let field = X509V3_EXT_conf_nid(nil, nil, kind, value) else { throw fault }
      X509_add_ext(certificate, field, -1)
      X509_EXTENSION_free(field)
    }
    guard X509_sign(certificate, key, EVP_sha256()) > 0, let written = BIO_new(BIO_s_mem()),
      let secret = BIO_new(BIO_s_secmem())
    else { throw fault }
    defer {
      BIO_free_all(written)
      BIO_free_all(secret)
    }
    guard PEM_write_bio_X509(written, certificate) == 1,
      PEM_write_bio_PKCS8PrivateKey(secret, key, nil, nil, 0, nil, nil) == 1
    else { throw fault }
    self.certificate = Self.bytes(written)
    self.key = Self.bytes(secret)
  }

  private static func bytes(_ bio: OpaquePointer) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Int(BIO_ctrl_pending(bio)))
    let count = BIO_read(bio, &bytes, Int32(clamping: bytes.count))
    return Array(bytes.prefix(max(0, Int(count))))
  }
}
