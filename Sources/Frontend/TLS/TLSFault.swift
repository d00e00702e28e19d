/// Why certificate, key and clients' authorities make no TLS listener.
public struct TLSFault: Error, Sendable, Equatable {
  public enum Part: Sendable { case certificate, key, clientAuthorities, library }

  /// What has to be changed.
  public let part: Part
  /// For the operator: what is wrong, and what to do.
  public let message: String
  public let hint: String
}
