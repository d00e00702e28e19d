internal import Cryptography

/// Why the sealed log refused or failed.
public struct SealedLogError: Error, Sendable, Equatable {
  public enum Code: String, Sendable {
    /// No such record for this tenant. Unknown ids and other tenants' ids are this one error.
    case notFound = "log_record_not_found"
    /// Bytes on disk do not belong together or were changed.
    case notAuthentic = "log_not_authentic"
    /// Bytes on disk or handed in do not follow the format.
    case malformed = "log_malformed"
    /// The key provider did not answer, or the key was destroyed.
    case keyUnavailable = "log_key_unavailable"
    /// The record was erased, or only the tenant itself can open it.
    case notReadable = "log_not_readable"
    /// Too few recipients, mixed classes, or a public key of the wrong length.
    case invalidRecipients = "log_invalid_recipients"
    /// A system call on a file failed.
    case diskFailed = "log_disk_failed"
    /// OpenSSL refused.
    case cryptoFailed = "log_crypto_failed"
  }

  public let code: Code
  /// For the caller: what happened and what to do, nothing internal.
  public let message: String
  /// For the operator's log; never sent.
  public let detail: String

  public init(_ code: Code, _ message: String, detail: String = "") {
    self.code = code
    self.message = message
    self.detail = detail
  }

  static func malformed(_ what: String) -> SealedLogError {
    SealedLogError(.malformed, "The log does not follow its format.", detail: what)
  }

  static func notAuthentic(_ what: String) -> SealedLogError {
    SealedLogError(.notAuthentic, "The log record is not authentic.", detail: what)
  }

  static func disk(_ call: String, _ number: Int32) -> SealedLogError {
    SealedLogError(.diskFailed, "The log's disk failed.", detail: "\(call): errno \(number)")
  }

  static let notFound = SealedLogError(.notFound, "No such record.")

  init(_ error: CryptographyError) {
    self =
      error.code == .notAuthentic
      ? .notAuthentic("tag")
      : SealedLogError(.cryptoFailed, "Encryption is not available.", detail: error.code.rawValue)
  }
}

/// Runs a primitive of `Cryptography` and states its failure in the log's terms.
@inline(__always)
func sealing<Value>(_ body: () throws(CryptographyError) -> Value) throws(SealedLogError) -> Value {
  do { return try body() } catch { throw SealedLogError(error) }
}
