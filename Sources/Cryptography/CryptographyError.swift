/// A primitive of OpenSSL could not do its work. Nothing was encrypted, opened or authenticated.
public struct CryptographyError: Error, Sendable, Equatable {
  public enum Code: String, Sendable {
    /// OpenSSL refused or ran out of memory.
    case unavailable = "crypto_unavailable"
    /// Ciphertext, associated data, nonce or tag do not belong together.
    case notAuthentic = "not_authentic"
    /// A key, nonce or buffer has the wrong length.
    case wrongLength = "wrong_length"
  }

  public let code: Code
  public init(_ code: Code) { self.code = code }
}
