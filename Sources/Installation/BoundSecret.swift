import Routing

/// A credential's value, and to whom it may be shown: whoever may write the register still cannot send it elsewhere.
struct BoundSecret: Sendable {
  let bytes: [UInt8]
  /// `scheme://host:port`; empty: wherever a record that names it says.
  let origins: Set<String>

  init(_ bytes: [UInt8], origins: Set<String> = []) {
    self.bytes = bytes
    self.origins = origins
  }

  /// - Parameter origin: Of an endpoint or a proxy.
  func isFor(_ origin: String) -> Bool { origins.isEmpty || origins.contains(origin) }

  /// As it stands in a header; nil for what cannot stand there.
  var text: String? {
    guard !bytes.isEmpty, bytes.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// By the names of the register.
typealias BoundSecrets = [String: BoundSecret]

extension BoundSecrets {
  /// Why the credential cannot go to this origin, in words for the operator; nil if it can.
  func fault(_ name: String, to origin: String) -> String? {
    guard let secret = self[name], !secret.bytes.isEmpty else {
      return "there is no credential '\(name)'; torhaus.yaml says where each is kept"
    }
    guard secret.text != nil else { return "the credential '\(name)' holds what no header can" }
    return bindingFault(name, to: origin)
  }

  /// Why the credential cannot go to this provider on the way that its record names. A proxy would read it where nothing is
  /// encrypted, or where the record says who is believed to be the provider.
  func fault(_ name: String, of provider: Provider) -> String? {
    let (endpoint, connection) = (provider.endpoint, provider.connection)
    if let fault = fault(name, to: endpoint.origin) { return fault }
    guard let proxy = connection.proxy, endpoint.scheme == .http || connection.authorities != nil else { return nil }
    return bindingFault(name, to: proxy.origin)
  }

  /// As ``fault(_:to:)`` for what is no header: a certificate and its key.
  func bindingFault(_ name: String, to origin: String) -> String? {
    guard let secret = self[name], !secret.isFor(origin) else { return nil }
    return "the credential '\(name)' is not for \(origin); torhaus.yaml says for which origins it is"
  }
}
