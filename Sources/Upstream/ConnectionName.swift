import Glibc

/// What tells the open connections of this machine apart. Our port alone does not: Linux gives connections to different
/// destinations the same one.
struct ConnectionName: Hashable {
  let localPort: Int
  /// Of the peer that was connected to: the provider or its proxy.
  let address: String
  let port: Int

  init(localPort: Int, address: String, port: Int) {
    self.localPort = localPort
    self.address = address
    self.port = port
  }

  /// Few connections have the same port of ours, and texts are dear to hash.
  func hash(into hasher: inout Hasher) { hasher.combine(localPort) }

  /// - Parameter address: As libcurl writes it.
  init(localPort: Int32, address: UnsafePointer<CChar>?, port: Int32) {
    self.init(localPort: Int(localPort), address: address.map { String(cString: $0) } ?? "", port: Int(port))
  }
}
