internal import COpenSSL
internal import Glibc

/// Random bytes, key derivation and wiping.
public enum SecureBytes {
  /// `count` bytes from the private generator of OpenSSL, fit for keys.
  public static func random(_ count: Int) throws(CryptographyError) -> [UInt8] {
    guard count >= 0, count <= Int(Int32.max) else { throw CryptographyError(.wrongLength) }
    var bytes = [UInt8](repeating: 0, count: count)
    guard count == 0 || RAND_priv_bytes(&bytes, Int32(count)) == 1 else { throw CryptographyError(.unavailable) }
    return bytes
  }

  /// At most 256 bytes from the kernel, which knows when a virtual machine was copied (vmgenid); a generator in memory goes
  /// on the same in both.
  public static func fromKernel(_ count: Int) throws(CryptographyError) -> [UInt8] {
    guard (0...256).contains(count) else { throw CryptographyError(.wrongLength) }
    var bytes = [UInt8](repeating: 0, count: count)
    guard getentropy(&bytes, count) == 0 else { throw CryptographyError(.unavailable) }
    return bytes
  }

  /// A random 128-bit number for ids.
  public static func randomID() throws(CryptographyError) -> UInt128 {
    var value: UInt128 = 0
    let done = withUnsafeMutableBytes(of: &value) {
      RAND_bytes($0.baseAddress?.assumingMemoryBound(to: UInt8.self), Int32($0.count))
    }
    guard done == 1 else { throw CryptographyError(.unavailable) }
    return value
  }

  /// HKDF-SHA-256 (RFC 5869), extract and expand in one step.
  /// - Parameter count: How many bytes to derive, 1 to 8,160.
  public static func derive(secret: [UInt8], salt: [UInt8], info: [UInt8], count: Int = 32) throws(CryptographyError)
    -> [UInt8]
  {
    guard (1...8160).contains(count), !secret.isEmpty else { throw CryptographyError(.wrongLength) }
    var out = [UInt8](repeating: 0, count: count)
    guard th_hkdf_sha256(secret, secret.count, salt, salt.count, info, info.count, &out, count) == 1 else {
      throw CryptographyError(.unavailable)
    }
    return out
  }

  /// Overwrites key material in a way the optimiser keeps.
  public static func wipe(_ bytes: inout [UInt8]) {
    bytes.withUnsafeMutableBytes { buffer in
      if let start = buffer.baseAddress { OPENSSL_cleanse(start, buffer.count) }
    }
  }
}
