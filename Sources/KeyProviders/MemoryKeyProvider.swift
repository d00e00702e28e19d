internal import Crypto
internal import Cryptography
package import SealedLog
internal import Synchronization

/// A key provider that forgets everything with the process: for tests and trials.
package final class MemoryKeyProvider: KeyProvider {
  private struct State: Sendable {
    var keys: [KeyName: [UInt32: [UInt8]]] = [:]
    /// The highest version ever made: destroyed numbers are not used again.
    var newest: [KeyName: UInt32] = [:]
    var isAway = false
  }

  private let state = Mutex(State())
  private let signingKey = Curve25519.Signing.PrivateKey()

  package init() {}

  /// Makes every call fail as an unreachable provider would, or ends that.
  package func setAway(_ away: Bool) { state.withLock { $0.isAway = away } }

  package func create(_ name: KeyName) throws(KeyProviderError) {
    let key = try KeyWrapping.newKey()
    try state.withLock { (state) throws(KeyProviderError) in
      guard !state.isAway else { throw KeyProviderError(.unavailable) }
      guard state.newest[name] == nil else { throw KeyProviderError(.exists, name.description) }
      state.keys[name] = [1: key]
      state.newest[name] = 1
    }
  }

  package func wrap(_ secret: [UInt8], under name: KeyName, authenticating data: [UInt8])
    throws(KeyProviderError) -> WrappedKey
  {
    let (key, version) = try state.withLock { (state) throws(KeyProviderError) in
      guard !state.isAway else { throw KeyProviderError(.unavailable) }
      guard let newest = state.keys[name]?.max(by: { $0.key < $1.key }) else {
        throw KeyProviderError(.notFound, name.description)
      }
      return (newest.value, newest.key)
    }
    return WrappedKey(
      version: version, bytes: try KeyWrapping.wrap(secret, key: key, name: name, version: version, data: data))
  }

  package func unwrap(_ wrapped: WrappedKey, under name: KeyName, authenticating data: [UInt8])
    throws(KeyProviderError) -> [UInt8]
  {
    let key = try state.withLock { (state) throws(KeyProviderError) in
      guard !state.isAway else { throw KeyProviderError(.unavailable) }
      guard let key = state.keys[name]?[wrapped.version] else {
        throw KeyProviderError(.notFound, "\(name) version \(wrapped.version)")
      }
      return key
    }
    return try KeyWrapping.unwrap(wrapped.bytes, key: key, name: name, version: wrapped.version, data: data)
  }

  package func rotate(_ name: KeyName) throws(KeyProviderError) -> UInt32 {
    let key = try KeyWrapping.newKey()
    return try state.withLock { (state) throws(KeyProviderError) in
      guard !state.isAway else { throw KeyProviderError(.unavailable) }
      guard let newest = state.newest[name], state.keys[name]?.isEmpty == false, newest < .max else {
        throw KeyProviderError(.notFound, name.description)
      }
      state.keys[name]?[newest + 1] = key
      state.newest[name] = newest + 1
      return newest + 1
    }
  }

  package func destroy(_ name: KeyName, versions: [UInt32]) throws(KeyProviderError) {
    try state.withLock { (state) throws(KeyProviderError) in
      guard !state.isAway else { throw KeyProviderError(.unavailable) }
      for version in versions { state.keys[name]?[version] = nil }
    }
  }

  package func versions(of name: KeyName) throws(KeyProviderError) -> [UInt32] {
    try state.withLock { (state) throws(KeyProviderError) in
      guard !state.isAway else { throw KeyProviderError(.unavailable) }
      return state.keys[name]?.keys.sorted() ?? []
    }
  }

  package func sign(_ message: [UInt8]) throws(KeyProviderError) -> [UInt8] {
    guard !state.withLock({ $0.isAway }) else { throw KeyProviderError(.unavailable) }
    do { return Array(try signingKey.signature(for: message)) } catch { throw KeyProviderError(.unavailable, "sign") }
  }

  package func installationKey() throws(KeyProviderError) -> [UInt8] {
    guard !state.withLock({ $0.isAway }) else { throw KeyProviderError(.unavailable) }
    return Array(signingKey.publicKey.rawRepresentation)
  }

  package func status() -> KeyProviderStatus {
    KeyProviderStatus(state.withLock { $0.isAway } ? .unavailable : .ready, kind: "memory", detail: "not durable")
  }
}
