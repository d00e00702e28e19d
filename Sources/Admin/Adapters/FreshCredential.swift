package import Cryptography
package import Tenancy

/// A new key or token: the text that is shown once, and the digest that is kept.
package struct FreshCredential {
  package let text: String
  package let id: UInt128
  package let digest: Digest256

  package init(_ kind: KeyToken.Kind, pepper: [UInt8]) throws {
    let (bytes, token) = try KeyToken.generate(kind, random: SecureBytes.random)
    text = String(decoding: bytes, as: UTF8.self)
    id = token.id
    digest = try KeyToken.digest(of: bytes, pepper: try HMACKey(pepper))
  }
}
