/// A request to the Admin API as its adapter hands it over: nothing interpreted, the body not read yet.
package struct AdminRequest: Sendable {
  package let method: String
  /// The request target as it came, path and query.
  package let target: String
  package let host: String?
  package let authorization: String?
  package let contentType: String?
  /// The numeric address of the peer.
  package let peer: String
  /// Reads the whole body, up to the limit given; throws ``AdminError`` beyond it.
  package let body: @Sendable (_ limit: Int) async throws -> [UInt8]

  package init(
    method: String, target: String, host: String?, authorization: String?, contentType: String?, peer: String,
    body: @escaping @Sendable (_ limit: Int) async throws -> [UInt8]
  ) {
    self.method = method
    self.target = target
    self.host = host
    self.authorization = authorization
    self.contentType = contentType
    self.peer = peer
    self.body = body
  }

  /// Admin bodies are small; `threats.md` section 6.
  package static let bodyLimit = 1 << 20
}
