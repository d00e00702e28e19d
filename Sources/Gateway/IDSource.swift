import Cryptography

/// Random 128-bit numbers by the hundred: one call of the generator serves many requests.
struct IDSource {
  private var pool: [UInt8] = []
  private var position = 0

  init() throws { try refill() }

  private mutating func refill() throws(CryptographyError) {
    pool = try SecureBytes.random(4096)
    position = 0
  }

  /// 0 if the generator fails: the request is then refused, ids are never guessable.
  mutating func next() -> UInt128 {
    if position + 16 > pool.count {
      do { try refill() } catch { return 0 }
    }
    defer { position += 16 }
    return pool.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position, as: UInt128.self) }
  }
}

/// The tenants' HMAC contexts for placeholders, made once per loop and tenant.
struct PseudonymKeys {
  private var keys: [ObjectIdentifier: (rules: TenantRules, key: HMACKey)] = [:]
  private var last: (rules: TenantRules, key: HMACKey)?

  mutating func key(of rules: TenantRules) throws(CryptographyError) -> HMACKey {
    // Many requests in a row are one tenant's.
    if let last, last.rules === rules { return last.key }
    let id = ObjectIdentifier(rules)
    if let held = keys[id] {
      last = held
      return held.key
    }
    // Rules are replaced with every snapshot; a table that has outlived many of them starts over.
    if keys.count >= 4096 { keys.removeAll() }
    let key = try HMACKey(rules.pseudonymKey)
    keys[id] = (rules, key)
    last = (rules, key)
    return key
  }
}
