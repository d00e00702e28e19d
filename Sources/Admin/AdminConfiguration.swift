/// Where the Admin API listens and to which names it answers.
package struct AdminConfiguration: Sendable {
  package let address: String
  package let port: Int
  package let hosts: HostRule

  /// - Parameters:
  ///   - address: A loopback address; anything else would need TLS, which this listener does not speak.
  ///   - port: 0 takes a free one.
  ///   - hosts: `Host` values that are answered besides the loopback names.
  /// - Throws: ``AdminError`` with `invalid_request` for another address or an impossible port.
  package init(address: String = "127.0.0.1", port: Int, hosts: [String] = []) throws(AdminError) {
    guard address == "127.0.0.1" || address == "::1" || address == "localhost" else {
      throw .invalid(
        "listen.admin.address must be a loopback address, not '\(address)'",
        hint: "use 127.0.0.1 and a reverse proxy with TLS, or an SSH tunnel")
    }
    guard (0...65_535).contains(port) else { throw .invalid("listen.admin.port must be from 0 to 65535") }
    self.address = address
    self.port = port
    self.hosts = HostRule(hosts: hosts)
  }
}
