import CTLS

/// PEM text as OpenSSL reads it, block by block; its memory is wiped at the end.
final class PEMBytes {
  let bio: OpaquePointer

  init?(_ bytes: [UInt8]) {
    guard let bio = BIO_new(BIO_s_secmem()) else { return nil }
    guard !bytes.isEmpty, BIO_write(bio, bytes, Int32(clamping: bytes.count)) == Int32(clamping: bytes.count) else {
      BIO_free_all(bio)
      return nil
    }
    self.bio = bio
  }

  deinit { BIO_free_all(bio) }

  /// The next certificate, for the caller to free; nil after the last one.
  func nextCertificate() -> OpaquePointer? { PEM_read_bio_X509(bio, nil, nil, nil) }

  enum Key {
    case key(OpaquePointer)
    case encrypted
    case none
  }

  /// The private key, for the caller to free. Nobody is asked for a password.
  func privateKey() -> Key {
    var isAsked = false
    let key = PEM_read_bio_PrivateKey(
      bio, nil,
      { _, _, _, isAsked in
        isAsked?.storeBytes(of: true, as: Bool.self)
        return -1
      }, &isAsked)
    if let key { return .key(key) }
    return isAsked ? .encrypted : .none
  }
}
