import Gateway
import Routing

/// The transports of one snapshot: each file and credential is read once, and what is wrong with them is told once.
final class TransportTable {
  private let reader: ProviderTransport
  private var made: [ProviderConnection: UpstreamTransport] = [:]
  /// By provider: why it cannot be called.
  private(set) var faults: [String: String] = [:]

  init(credentials: BoundSecrets) { reader = ProviderTransport(credentials: credentials) }

  /// What a provider is reached by.
  enum Found {
    /// Its name over public TLS; nothing else is needed.
    case plain
    case special(UpstreamTransport)
    /// It cannot be called.
    case none
  }

  func transport(of provider: Provider) -> Found {
    let connection = provider.connection
    guard connection != ProviderConnection() else { return .plain }
    if let name = connection.clientCertificate,
      let fault = reader.credentials.bindingFault(name, to: provider.endpoint.origin)
    {
      faults[provider.id] = fault
      return .none
    }
    if let transport = made[connection] { return .special(transport) }
    do throws(InstallationError) {
      let transport = try reader.make(connection)
      made[connection] = transport
      return .special(transport)
    } catch {
      faults[provider.id] = error.place.isEmpty ? error.message : "\(error.message) (\(error.place))"
      return .none
    }
  }
}
