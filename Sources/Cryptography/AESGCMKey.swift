internal import COpenSSL

/// AES-256-GCM under one key with a kept context: per message only the nonce changes (NIST SP 800-38D).
///
/// Not safe for use by two threads at once. The caller owns the rule that no nonce repeats under one key.
public final class AESGCMKey {
  public static let nonceBytes = 12
  public static let tagBytes = 16
  /// EVP_CIPHER_CTX. GCM has one key schedule for both directions, so one context, a kilobyte of memory, does both: each
  /// call sets its direction with its nonce.
  private let context: OpaquePointer

  /// - Parameter key: 32 bytes.
  public init(_ key: [UInt8]) throws(CryptographyError) {
    guard key.count == 32 else { throw CryptographyError(.wrongLength) }
    guard let cipher = EVP_CIPHER_fetch(nil, "AES-256-GCM", nil) else { throw CryptographyError(.unavailable) }
    defer { EVP_CIPHER_free(cipher) }
    guard let context = EVP_CIPHER_CTX_new() else { throw CryptographyError(.unavailable) }
    guard EVP_EncryptInit_ex2(context, cipher, key, nil, nil) == 1 else {
      EVP_CIPHER_CTX_free(context)
      throw CryptographyError(.unavailable)
    }
    self.context = context
  }

  deinit { EVP_CIPHER_CTX_free(context) }

  /// Encrypts `plaintext` into `out`, which takes the ciphertext and then the 16-byte tag.
  /// - Parameter out: Exactly `plaintext.count + 16` bytes; it may start at the plaintext itself.
  public func seal(
    _ plaintext: UnsafeRawBufferPointer, nonce: UnsafeRawBufferPointer, authenticating data: UnsafeRawBufferPointer,
    into out: UnsafeMutableRawBufferPointer
  ) throws(CryptographyError) {
    guard nonce.count == Self.nonceBytes, out.count == plaintext.count + Self.tagBytes,
      plaintext.count <= Int(Int32.max), data.count <= Int(Int32.max), let start = out.baseAddress
    else { throw CryptographyError(.wrongLength) }
    let cipher = start.assumingMemoryBound(to: UInt8.self)
    var written: Int32 = 0
    guard EVP_EncryptInit_ex2(context, nil, nil, Self.bytes(nonce), nil) == 1,
      data.isEmpty || EVP_EncryptUpdate(context, nil, &written, Self.bytes(data), Int32(data.count)) == 1,
      plaintext.isEmpty
        || EVP_EncryptUpdate(context, cipher, &written, Self.bytes(plaintext), Int32(plaintext.count)) == 1,
      EVP_EncryptFinal_ex(context, cipher + plaintext.count, &written) == 1,
      th_gcm_get_tag(context, cipher + plaintext.count) == 1
    else { throw CryptographyError(.unavailable) }
  }

  /// Decrypts what ``seal(_:nonce:authenticating:into:)`` made. On any failure `out` is wiped.
  /// - Parameters:
  ///   - sealed: Ciphertext and its tag.
  ///   - out: Exactly `sealed.count − 16` bytes.
  public func open(
    _ sealed: UnsafeRawBufferPointer, nonce: UnsafeRawBufferPointer, authenticating data: UnsafeRawBufferPointer,
    into out: UnsafeMutableRawBufferPointer
  ) throws(CryptographyError) {
    guard nonce.count == Self.nonceBytes, sealed.count >= Self.tagBytes, sealed.count <= Int(Int32.max),
      data.count <= Int(Int32.max), out.count == sealed.count - Self.tagBytes, let cipher = Self.bytes(sealed)
    else { throw CryptographyError(.wrongLength) }
    var spare: UInt8 = 0
    var written: Int32 = 0
    let length = out.count
    let done = withUnsafeMutablePointer(to: &spare) { spare in
      let plain = out.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? spare
      return EVP_DecryptInit_ex2(context, nil, nil, Self.bytes(nonce), nil) == 1
        && (data.isEmpty || EVP_DecryptUpdate(context, nil, &written, Self.bytes(data), Int32(data.count)) == 1)
        && (length == 0 || EVP_DecryptUpdate(context, plain, &written, cipher, Int32(length)) == 1)
        && th_gcm_set_tag(context, cipher + length) == 1
        && EVP_DecryptFinal_ex(context, spare, &written) == 1
    }
    guard done else {
      if let start = out.baseAddress { OPENSSL_cleanse(start, length) }
      throw CryptographyError(.notAuthentic)
    }
  }

  private static func bytes(_ buffer: UnsafeRawBufferPointer) -> UnsafePointer<UInt8>? {
    buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
  }
}

extension AESGCMKey {
  /// ``seal(_:nonce:authenticating:into:)`` for arrays, off the hot path.
  public func seal(_ plaintext: [UInt8], nonce: [UInt8], authenticating data: [UInt8]) throws(CryptographyError)
    -> [UInt8]
  {
    var out = [UInt8](repeating: 0, count: plaintext.count + Self.tagBytes)
    var failure: CryptographyError?
    plaintext.withUnsafeBytes { plain in
      nonce.withUnsafeBytes { nonce in
        data.withUnsafeBytes { data in
          out.withUnsafeMutableBytes { out in
            do throws(CryptographyError) { try seal(plain, nonce: nonce, authenticating: data, into: out) } catch {
              failure = error
            }
          }
        }
      }
    }
    if let failure { throw failure }
    return out
  }

  /// ``open(_:nonce:authenticating:into:)`` for arrays, off the hot path.
  public func open(_ sealed: [UInt8], nonce: [UInt8], authenticating data: [UInt8]) throws(CryptographyError)
    -> [UInt8]
  {
    guard sealed.count >= Self.tagBytes else { throw CryptographyError(.wrongLength) }
    var out = [UInt8](repeating: 0, count: sealed.count - Self.tagBytes)
    var failure: CryptographyError?
    sealed.withUnsafeBytes { sealed in
      nonce.withUnsafeBytes { nonce in
        data.withUnsafeBytes { data in
          out.withUnsafeMutableBytes { out in
            do throws(CryptographyError) { try open(sealed, nonce: nonce, authenticating: data, into: out) } catch {
              failure = error
            }
          }
        }
      }
    }
    if let failure { throw failure }
    return out
  }
}
