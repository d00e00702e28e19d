internal import Cryptography
internal import Tenancy

/// Unwrapped erasure keys, for ten minutes: so long new segments can be made while the key provider is away.
struct ErasureKeyCache {
  private struct Slot: Hashable {
    let tenant: TenantID
    let wrapped: WrappedKey
  }

  private var keys: [Slot: (key: [UInt8], since: UInt64)] = [:]
  private let provider: any KeyProvider
  private let lifetime: UInt64

  init(provider: any KeyProvider, lifetimeNanoseconds: UInt64) {
    self.provider = provider
    lifetime = lifetimeNanoseconds
  }

  /// - Parameter now: Monotonic.
  mutating func key(_ wrapped: WrappedKey, tenant: TenantID, now: UInt64) throws(SealedLogError) -> [UInt8] {
    expire(now: now)
    let slot = Slot(tenant: tenant, wrapped: wrapped)
    if let known = keys[slot] { return known.key }
    let key = try TenantKeys.openErasureKey(wrapped, tenant: tenant, provider: provider)
    keys[slot] = (key, now)
    return key
  }

  /// Forgets what is older than its lifetime.
  mutating func expire(now: UInt64) {
    for (slot, kept) in keys where now &- kept.since > lifetime { forget(slot) }
  }

  mutating func forgetAll() { for slot in Array(keys.keys) { forget(slot) } }

  private mutating func forget(_ slot: Slot) {
    if var kept = keys.removeValue(forKey: slot) { SecureBytes.wipe(&kept.key) }
  }
}
