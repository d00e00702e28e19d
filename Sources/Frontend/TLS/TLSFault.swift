/// Why certificate, key and clients' authorities make no TLS listener.
package struct TLSFault: Error, Sendable, Equatable {
  package enum Part: Sendable { case certificate, key, clientAuthorities, library }

  /// What has to be changed.
  package let part: Part
  /// For the operator: what is wrong, and what to do.
  package let message: String
  package let hint: String
}
