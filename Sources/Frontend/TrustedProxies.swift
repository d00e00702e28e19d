public import Tenancy

/// Whose word on the address of a client counts: the proxies in front of the gateway.
public struct TrustedProxies: Sendable, Equatable {
  private let networks: [Network]
  private let trustsFiles: Bool

  /// Trusts nobody: forwarded addresses are not read.
  public init() { self.init(networks: [], trustsFiles: false) }

  /// - Parameter trustsFiles: Whoever comes by a Unix-domain socket is a proxy.
  public init(networks: [Network], trustsFiles: Bool) {
    self.networks = networks
    self.trustsFiles = trustsFiles
  }

  public var isEmpty: Bool { networks.isEmpty && !trustsFiles }

  /// - Parameter address: Where a connection comes from; one that comes by a file has none.
  func holds(_ address: NetworkAddress) -> Bool {
    if address == SourceAddress.nowhere { return trustsFiles }
    return networks.contains { $0.contains(address) }
  }

  /// A chain of more proxies than this is a loop, or an attempt to keep us busy.
  private static let longestChain = 32

  /// The client's address as the proxies tell it: the one farthest to the right in `X-Forwarded-For` that is no trusted
  /// proxy's own. What stands left of it anybody may have written.
  /// - Parameter head: A request's head that the parser has passed. Several such fields are one list.
  /// - Returns: Nil where a proxy that is trusted has written what is no address: then nothing is known.
  func client(in head: UnsafeRawBufferPointer) -> NetworkAddress? {
    var farthest: NetworkAddress?
    var length = 0
    for field in Self.fields(head).reversed() {
      var end = field.upperBound
      while true {
        var start = end
        while start > field.lowerBound, head[start &- 1] != 0x2C { start &-= 1 }
        length &+= 1
        guard length <= Self.longestChain, let address = Self.address(head, Octet.trimmed(head, start..<end)) else {
          return nil
        }
        guard holds(address) else { return address }
        farthest = address
        guard start > field.lowerBound else { break }
        end = start &- 1
      }
    }
    return farthest
  }

  /// The values of all fields of that name, in their order.
  private static func fields(_ head: UnsafeRawBufferPointer) -> [Range<Int>] {
    let name = 15
    var fields: [Range<Int>] = []
    var start = 0
    while start < head.count {
      var end = start
      while end < head.count, head[end] != 0x0D { end &+= 1 }
      if end &- start > name, head[start &+ name] == 0x3A,
        Octet.matches(head, start..<(start &+ name), "x-forwarded-for")
      {
        fields.append((start &+ name &+ 1)..<end)
      }
      start = end &+ 2
    }
    return fields
  }

  /// An address, maybe with a port: `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:443`.
  private static func address(_ head: UnsafeRawBufferPointer, _ range: Range<Int>) -> NetworkAddress? {
    guard (2...53).contains(range.count) else { return nil }
    var text = Substring(String(decoding: head[range], as: UTF8.self))
    var port: Substring?
    if text.first == "[" {
      guard let end = text.firstIndex(of: "]") else { return nil }
      let rest = text[text.index(after: end)...]
      text = text[text.index(after: text.startIndex)..<end]
      guard text.contains(":") else { return nil }
      if !rest.isEmpty {
        guard rest.first == ":" else { return nil }
        port = rest.dropFirst()
      }
    } else if let colon = text.firstIndex(of: ":"), text.contains("."), text.lastIndex(of: ":") == colon {
      port = text[text.index(after: colon)...]
      text = text[..<colon]
    }
    if let port {
      guard (1...5).contains(port.utf8.count), port.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    }
    guard let address = NetworkAddress(text), address != SourceAddress.nowhere else { return nil }
    return address
  }
}
