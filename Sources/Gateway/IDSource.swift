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

  /// If the generator fails after it has worked, the last block is stretched by a counter: ids stay unique, and nothing
  /// secret depends on them.
  mutating func next() -> UInt128 {
    if position + 16 > pool.count { try? refill() }
    if position + 16 > pool.count {
      position = 0
      for index in pool.indices { pool[index] &+= UInt8(truncatingIfNeeded: index &* 7 &+ 1) }
    }
    defer { position += 16 }
    return pool.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position, as: UInt128.self) }
  }
}

/// The tenants' HMAC contexts for placeholders, made once per loop and tenant.
struct PseudonymKeys {
  private var keys: [ObjectIdentifier: (rules: TenantRules, key: HMACKey)] = [:]

  mutating func key(of rules: TenantRules) throws(CryptographyError) -> HMACKey {
    let id = ObjectIdentifier(rules)
    if let held = keys[id] { return held.key }
    // Rules are replaced with every snapshot; a table that has outlived many of them starts over.
    if keys.count >= 4096 { keys.removeAll() }
    let key = try HMACKey(rules.pseudonymKey)
    keys[id] = (rules, key)
    return key
  }
}
