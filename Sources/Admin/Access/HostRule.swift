/// Which `Host` values the listener answers to: a page in a browser whose name was rebound to a loopback address sends
/// its own name, and gets nothing.
package struct HostRule: Sendable {
  private let hosts: Set<String>

  /// - Parameter hosts: Names or addresses without port; loopback names are always allowed.
  package init(hosts: [String] = []) {
    self.hosts = Set(hosts.map { $0.lowercased() } + ["localhost", "127.0.0.1", "[::1]"])
  }

  /// Whether a `Host` value, with or without port, is one of ours.
  package func allows(_ value: String?) -> Bool {
    guard let value, value.utf8.count <= 255 else { return false }
    var host = value[...]
    if let colon = host.lastIndex(of: ":"), !host[colon...].contains("]") {
      let port = host[host.index(after: colon)...]
      guard !port.isEmpty, port.utf8.count <= 5, port.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
        return false
      }
      host = host[..<colon]
    }
    return hosts.contains(host.lowercased())
  }
}
