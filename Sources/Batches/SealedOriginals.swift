internal import Cryptography
public import SealedLog
public import Tenancy

/// The values behind a file's placeholders while they rest on disk: AES-256-GCM under a key of the file's own, which the
/// tenant's erasure key wraps. Bound to tenant and file; whoever destroys a version of that key has destroyed all that was
/// sealed under it, in backups too.
public enum SealedOriginals {
  /// Why there is nothing to put back.
  public enum Fault: Error, Sendable {
    /// The key was destroyed, or the bytes are another's: nobody will ever read them.
    case gone
    /// The key provider cannot be asked now.
    case unavailable
  }

  private static let version: UInt8 = 1

  private static func data(_ tenant: TenantID, _ file: FileID) -> [UInt8] {
    Array("torhaus/batches/v1 originals\0".utf8) + tenant.bytes + file.bytes
  }

  private static func name(_ tenant: TenantID) -> KeyName { KeyName(tenant: tenant, purpose: .erasure) }

  /// `u8 version | u32 key version | u16 n | n bytes of the wrapped key | nonce | ciphertext and tag`.
  public static func seal(
    _ originals: [UInt8], tenant: TenantID, file: FileID, keys: any KeyProvider
  ) throws(Fault) -> [UInt8] {
    do {
      var key = try SecureBytes.random(32)
      defer { SecureBytes.wipe(&key) }
      let wrapped = try keys.wrap(key, under: name(tenant), authenticating: data(tenant, file))
      let nonce = try SecureBytes.random(AESGCMKey.nonceBytes)
      let sealed = try AESGCMKey(key).seal(originals, nonce: nonce, authenticating: data(tenant, file))
      var bytes: [UInt8] = [version]
      withUnsafeBytes(of: wrapped.version.littleEndian) { bytes.append(contentsOf: $0) }
      withUnsafeBytes(of: UInt16(clamping: wrapped.bytes.count).littleEndian) { bytes.append(contentsOf: $0) }
      return bytes + wrapped.bytes + nonce + sealed
    } catch { throw .unavailable }
  }

  public static func open(
    _ bytes: [UInt8], tenant: TenantID, file: FileID, keys: any KeyProvider
  ) throws(Fault) -> [UInt8] {
    let headBytes = 7
    guard bytes.count > headBytes, bytes[0] == version else { throw .gone }
    let (keyVersion, count) = bytes.withUnsafeBytes { raw in
      (
        UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 1, as: UInt32.self)),
        Int(UInt16(littleEndian: raw.loadUnaligned(fromByteOffset: 5, as: UInt16.self)))
      )
    }
    let nonceEnd = headBytes + count + AESGCMKey.nonceBytes
    guard bytes.count >= nonceEnd + AESGCMKey.tagBytes else { throw .gone }
    var key: [UInt8]
    do throws(KeyProviderError) {
      key = try keys.unwrap(
        WrappedKey(version: keyVersion, bytes: Array(bytes[headBytes..<(headBytes + count)])), under: name(tenant),
        authenticating: data(tenant, file))
    } catch { throw error.code == .unavailable ? .unavailable : .gone }
    defer { SecureBytes.wipe(&key) }
    do {
      return try AESGCMKey(key).open(
        Array(bytes[nonceEnd...]), nonce: Array(bytes[(headBytes + count)..<nonceEnd]),
        authenticating: data(tenant, file))
    } catch { throw .gone }
  }
}
