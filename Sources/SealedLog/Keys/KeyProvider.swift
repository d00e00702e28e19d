public import Tenancy

/// What a tenant's key encryption key is for; one key, one purpose.
public enum KeyPurpose: String, Sendable, CaseIterable {
  /// Wraps the private half of the managed recipient: needed to read, not to write.
  case content
  /// Wraps the erasure keys E_v.
  case erasure
  /// Wraps tag key, placeholder key and provider credentials.
  case secrets
}

/// The name of one versioned key encryption key.
public struct KeyName: Hashable, Sendable, CustomStringConvertible {
  public let tenant: TenantID
  public let purpose: KeyPurpose

  public init(tenant: TenantID, purpose: KeyPurpose) {
    self.tenant = tenant
    self.purpose = purpose
  }

  public var description: String { "\(tenant)-\(purpose.rawValue)" }
}

/// Why a key provider refused.
public struct KeyProviderError: Error, Sendable, Equatable {
  public enum Code: String, Sendable {
    /// No such key or version; destroyed ones are this too.
    case notFound = "key_not_found"
    case exists = "key_exists"
    /// Wrapped bytes, associated data and key do not belong together.
    case notAuthentic = "key_not_authentic"
    /// More than 64 bytes to wrap, or nothing.
    case wrongLength = "key_wrong_length"
    /// The provider cannot be reached or its store failed.
    case unavailable = "key_provider_unavailable"
  }

  public let code: Code
  public let detail: String

  public init(_ code: Code, _ detail: String = "") {
    self.code = code
    self.detail = detail
  }
}

public struct KeyProviderStatus: Sendable, Equatable {
  public enum State: String, Sendable { case ready, degraded, unavailable }
  public let state: State
  /// `file`, `memory`, …
  public let kind: String
  public let detail: String

  public init(_ state: State, kind: String, detail: String = "") {
    self.state = state
    self.kind = kind
    self.detail = detail
  }
}

/// Holds the installation's signing key and the tenants' key encryption keys; they never leave it.
///
/// All calls may block on disk or network: never on an event loop. Safe from several threads at once.
public protocol KeyProvider: Sendable {
  /// Makes version 1 of a key. Throws `exists` when the name is taken.
  func create(_ name: KeyName) throws(KeyProviderError)
  /// Wraps 1 to 64 bytes under the newest version.
  /// - Returns: The version used, and nonce, ciphertext and tag in the provider's own form.
  func wrap(_ secret: [UInt8], under name: KeyName, authenticating data: [UInt8]) throws(KeyProviderError) -> WrappedKey
  /// Opens what ``wrap(_:under:authenticating:)`` made with the same name and data.
  func unwrap(_ wrapped: WrappedKey, under name: KeyName, authenticating data: [UInt8]) throws(KeyProviderError)
    -> [UInt8]
  /// Makes a further version, used by every later wrap, and returns its number. Older versions still unwrap.
  func rotate(_ name: KeyName) throws(KeyProviderError) -> UInt32
  /// Destroys versions for good; unknown ones count as destroyed, so the call can be repeated after a crash.
  func destroy(_ name: KeyName, versions: [UInt32]) throws(KeyProviderError)
  /// The versions that still exist, ascending; empty for an unknown name.
  func versions(of name: KeyName) throws(KeyProviderError) -> [UInt32]
  /// Ed25519 by the installation's signing key.
  func sign(_ message: [UInt8]) throws(KeyProviderError) -> [UInt8]
  /// 32 bytes: the public half of the installation's signing key.
  func installationKey() throws(KeyProviderError) -> [UInt8]
  func status() -> KeyProviderStatus
}

/// A secret of at most 64 bytes under one version of a key encryption key. Worth nothing without its provider.
public struct WrappedKey: Hashable, Sendable {
  public let version: UInt32
  public let bytes: [UInt8]

  public init(version: UInt32, bytes: [UInt8]) {
    self.version = version
    self.bytes = bytes
  }
}

extension SealedLogError {
  init(_ error: KeyProviderError) {
    switch error.code {
    case .notAuthentic: self = .notAuthentic("wrapped key")
    case .notFound, .exists, .wrongLength, .unavailable:
      self = SealedLogError(
        .keyUnavailable, "A key of the log is not available.", detail: "\(error.code.rawValue) \(error.detail)")
    }
  }
}
