internal import Cryptography
internal import Foundation
public import Tenancy

/// The keys of one tenant's log, as the gateway holds them: wrapped where they open anything of the past.
///
/// Made once when the tenant is created. ``encoded`` is safe at rest (every secret in it is wrapped by the key
/// provider); it must not be lost, and it is worth nothing after the tenant's KEKs are destroyed.
public struct TenantKeys: Sendable {
  public let tenant: TenantID
  /// 32 bytes: derives placeholders. Known to the gateway only.
  public let pseudonymKey: [UInt8]
  /// The public half of the managed recipient.
  public let managedRecipient: RecipientKey
  let tagKey: [UInt8]
  /// Shared by all streams made from this value: what of the tenant waits in the writer.
  let backlog = Backlog()
  let managedPrivate: WrappedKey
  /// E_v under the provider's erasure KEK, by version; the newest seals.
  private(set) var erasureKeys: [WrappedKey]
  private let wrappedTag: WrappedKey
  private let wrappedPseudonym: WrappedKey

  private static func data(_ label: String, _ tenant: TenantID) -> [UInt8] {
    Array("torhaus/keys/v1 \(label)\0".utf8) + tenant.bytes
  }

  /// Creates the three KEKs at the provider and everything below them.
  public static func create(tenant: TenantID, provider: any KeyProvider) throws(SealedLogError) -> TenantKeys {
    do {
      for purpose in KeyPurpose.allCases { try provider.create(KeyName(tenant: tenant, purpose: purpose)) }
      let pair = try RecipientPrivateKey.generate(.xWing)
      var representation = pair.representation
      defer { SecureBytes.wipe(&representation) }
      let managed = try provider.wrap(
        representation, under: KeyName(tenant: tenant, purpose: .content),
        authenticating: data("managed", tenant))
      let secrets = KeyName(tenant: tenant, purpose: .secrets)
      let tag = try SecureBytes.random(32)
      let pseudonym = try SecureBytes.random(32)
      return TenantKeys(
        tenant: tenant, pseudonymKey: pseudonym, managedRecipient: pair.recipient, tagKey: tag,
        managedPrivate: managed, erasureKeys: [try newErasureKey(tenant, provider)],
        wrappedTag: try provider.wrap(tag, under: secrets, authenticating: data("tag", tenant)),
        wrappedPseudonym: try provider.wrap(pseudonym, under: secrets, authenticating: data("placeholder", tenant)))
    } catch let error as KeyProviderError {
      throw SealedLogError(error)
    } catch let error as CryptographyError {
      throw SealedLogError(error)
    } catch let error as SealedLogError {
      throw error
    } catch { throw SealedLogError(.keyUnavailable, "The tenant's keys could not be made.") }
  }

  private static func newErasureKey(_ tenant: TenantID, _ provider: any KeyProvider) throws -> WrappedKey {
    var key = try SecureBytes.random(32)
    defer { SecureBytes.wipe(&key) }
    return try provider.wrap(
      key, under: KeyName(tenant: tenant, purpose: .erasure), authenticating: data("erasure", tenant))
  }

  /// Makes E_v of the next version. Sidecars are rewritten with it, then ``dropErasureKeys(before:provider:)``.
  public mutating func rotateErasureKey(provider: any KeyProvider) throws(SealedLogError) {
    do {
      _ = try provider.rotate(KeyName(tenant: tenant, purpose: .erasure))
      erasureKeys.append(try Self.newErasureKey(tenant, provider))
    } catch let error as KeyProviderError {
      throw SealedLogError(error)
    } catch { throw SealedLogError(.cryptoFailed, "No new erasure key.") }
  }

  /// Destroys every version below `version` at the provider: what only they opened is erased, in backups too.
  public mutating func dropErasureKeys(before version: UInt32, provider: any KeyProvider) throws(SealedLogError) {
    let name = KeyName(tenant: tenant, purpose: .erasure)
    do {
      try provider.destroy(name, versions: try provider.versions(of: name).filter { $0 < version })
    } catch { throw SealedLogError(error) }
    erasureKeys.removeAll { $0.version < version }
  }

  /// Destroys the three KEKs: nothing of the tenant's log can be opened any more, in backups neither.
  public static func destroy(tenant: TenantID, provider: any KeyProvider) throws(SealedLogError) {
    do {
      for purpose in KeyPurpose.allCases {
        let name = KeyName(tenant: tenant, purpose: purpose)
        try provider.destroy(name, versions: try provider.versions(of: name))
      }
    } catch { throw SealedLogError(error) }
  }

  /// The newest version of E_v.
  public var erasureVersion: UInt32 { erasureKeys.last?.version ?? 0 }

  func openErasureKey(_ version: UInt32, provider: any KeyProvider) throws(SealedLogError) -> [UInt8] {
    guard let wrapped = erasureKeys.last(where: { $0.version == version }) else {
      throw SealedLogError(.notReadable, "The record was erased.", detail: "erasure key \(version)")
    }
    return try Self.openErasureKey(wrapped, tenant: tenant, provider: provider)
  }

  static func openErasureKey(_ wrapped: WrappedKey, tenant: TenantID, provider: any KeyProvider)
    throws(SealedLogError) -> [UInt8]
  {
    do {
      return try provider.unwrap(
        wrapped, under: KeyName(tenant: tenant, purpose: .erasure), authenticating: data("erasure", tenant))
    } catch { throw SealedLogError(error) }
  }

  func openManagedKey(provider: any KeyProvider) throws(SealedLogError) -> RecipientPrivateKey {
    var bytes: [UInt8]
    do {
      bytes = try provider.unwrap(
        managedPrivate, under: KeyName(tenant: tenant, purpose: .content),
        authenticating: Self.data("managed", tenant))
    } catch { throw SealedLogError(error) }
    defer { SecureBytes.wipe(&bytes) }
    return try RecipientPrivateKey(.xWing, representation: bytes)
  }

  // MARK: At rest

  private static let magic: [UInt8] = Array("THTKS".utf8) + [0x00, 0x01, 0x0A]

  /// The set at rest: every secret wrapped.
  public var encoded: [UInt8] {
    var bytes = Self.magic
    bytes.append(id: tenant.value)
    bytes += managedRecipient.publicKey
    let wrapped = [managedPrivate, wrappedTag, wrappedPseudonym] + erasureKeys
    bytes.append(little: UInt16(truncatingIfNeeded: wrapped.count))
    for key in wrapped {
      bytes.append(little: key.version)
      bytes.append(little: UInt16(truncatingIfNeeded: key.bytes.count))
      bytes += key.bytes
    }
    return bytes
  }

  /// Reads ``encoded`` and has tag key and placeholder key unwrapped.
  public static func load(_ encoded: [UInt8], tenant: TenantID, provider: any KeyProvider) throws(SealedLogError)
    -> TenantKeys
  {
    var reader = LittleEndianReader(encoded)
    guard try reader.take(8) == magic, try reader.id() == tenant.value else { throw .malformed("tenant key set") }
    let recipient = try RecipientKey(.xWing, publicKey: try reader.take(RecipientKey.Suite.xWing.publicKeyBytes))
    let count = Int(try reader.integer(UInt16.self))
    var wrapped: [WrappedKey] = []
    for _ in 0..<count {
      let version = try reader.integer(UInt32.self)
      wrapped.append(WrappedKey(version: version, bytes: try reader.take(Int(try reader.integer(UInt16.self)))))
    }
    guard wrapped.count >= 4, reader.remaining == 0 else { throw .malformed("tenant key set") }
    do {
      let secrets = KeyName(tenant: tenant, purpose: .secrets)
      return TenantKeys(
        tenant: tenant,
        pseudonymKey: try provider.unwrap(
          wrapped[2], under: secrets, authenticating: data("placeholder", tenant)),
        managedRecipient: recipient,
        tagKey: try provider.unwrap(wrapped[1], under: secrets, authenticating: data("tag", tenant)),
        managedPrivate: wrapped[0], erasureKeys: Array(wrapped[3...]), wrappedTag: wrapped[1],
        wrappedPseudonym: wrapped[2])
    } catch { throw SealedLogError(error) }
  }

  private init(
    tenant: TenantID, pseudonymKey: [UInt8], managedRecipient: RecipientKey, tagKey: [UInt8],
    managedPrivate: WrappedKey, erasureKeys: [WrappedKey], wrappedTag: WrappedKey, wrappedPseudonym: WrappedKey
  ) {
    self.tenant = tenant
    self.pseudonymKey = pseudonymKey
    self.managedRecipient = managedRecipient
    self.tagKey = tagKey
    self.managedPrivate = managedPrivate
    self.erasureKeys = erasureKeys
    self.wrappedTag = wrappedTag
    self.wrappedPseudonym = wrappedPseudonym
  }
}
