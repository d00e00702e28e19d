internal import Glibc
public import Tenancy

/// Keeps tenants' wrapped key sets as files, one a tenant: `<tenant hex>.keyset`, 0600.
///
/// Calls the key provider and the disk: never on an event loop.
public final class TenantKeyFolder: Sendable {
  private let folder: String
  private let provider: any KeyProvider

  /// - Parameter folder: Made when it is missing.
  public init(folder: String, provider: any KeyProvider) throws(SealedLogError) {
    self.folder = folder
    self.provider = provider
    try Files.makeFolders(folder)
  }

  private func path(_ tenant: TenantID) -> String { "\(folder)/\(tenant).keyset" }

  /// Makes and stores the keys of a new tenant. A second call for the same tenant throws and changes nothing.
  public func create(_ tenant: TenantID) throws(SealedLogError) -> TenantKeys {
    let keys = try TenantKeys.create(tenant: tenant, provider: provider)
    try store(keys)
    return keys
  }

  public func load(_ tenant: TenantID) throws(SealedLogError) -> TenantKeys {
    let bytes: [UInt8]
    do { bytes = try Files.read(path(tenant)) } catch {
      throw SealedLogError(.keyUnavailable, "The tenant has no keys.", detail: error.detail)
    }
    return try TenantKeys.load(bytes, tenant: tenant, provider: provider)
  }

  /// Replaces the stored set, after ``TenantKeys/rotateErasureKey(provider:)``.
  public func store(_ keys: TenantKeys) throws(SealedLogError) {
    try Files.replace(path(keys.tenant), with: keys.encoded)
  }
}
