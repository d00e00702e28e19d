import Foundation
package import Frontend
package import Gateway
package import Routing
package import Tenancy

/// What `torhaus serve` and `torhaus demo` run with: `torhaus.yaml`, its flags and its defaults, checked.
package struct ServerConfiguration: Sendable {
  package struct Listener: Sendable, Equatable {
    /// A name or number of this machine, or `unix:` and a path.
    package var address: String
    /// 0 takes a free one.
    package var port: Int
    /// Of a Unix-domain socket's file.
    package var mode: UInt32 = 0o660

    package init(address: String, port: Int) {
      self.address = address
      self.port = port
    }

    /// The path of a Unix-domain socket; nil for an address of the network.
    var path: String? { address.hasPrefix("unix:") ? String(address.dropFirst(5)) : nil }

    var place: ListeningPlace {
      if let path { .file(path: path, mode: mode) } else { .network(address: address, port: port) }
    }

    /// How a client names it.
    func url(port: Int, isSecure: Bool = false) -> String {
      if path != nil { return address }
      let scheme = isSecure ? "https" : "http"
      return address.contains(":") ? "\(scheme)://[\(address)]:\(port)" : "\(scheme)://\(address):\(port)"
    }
  }

  /// `listen.api.tls`: where certificate and key lie, and whom they let in.
  package struct TLS: Sendable, Equatable {
    /// A PEM file: the endpoint's own certificate first, then the intermediate ones.
    package var certificate: String
    package var key: SecretSource
    /// A PEM file of whose certificates clients must show; nil asks for none.
    package var clientAuthorities: String?
    package var minimum: TLSContext.Version
    /// `file:line:column` of each key of the file, for errors about what it names.
    package var places: [String: String]

    package init(
      certificate: String, key: SecretSource, clientAuthorities: String? = nil, minimum: TLSContext.Version = .tls12,
      places: [String: String] = [:]
    ) {
      self.certificate = certificate
      self.key = key
      self.clientAuthorities = clientAuthorities
      self.minimum = minimum
      self.places = places
    }

    func place(_ key: String) -> String { places[key] ?? "" }
  }

  /// Where a secret comes from; never the secret itself.
  package enum SecretSource: Sendable, Hashable {
    /// `credential:NAME`: a file of that name in `$CREDENTIALS_DIRECTORY` (systemd).
    case credential(String)
    /// `file:PATH`, mode 0600.
    case file(String)
    /// `environment:NAME`: for development; refused with `production: true`.
    case environment(String)
  }

  /// Where a credential of the register is kept, and for which origins it is; none: for those of the records that name it.
  package struct Credential: Sendable, Equatable {
    package var source: SecretSource
    /// `https://host:port`
    package var origins: [String] = []
  }

  package var dataFolder: String
  package var isProduction = false
  package var api = Listener(address: "127.0.0.1", port: 8080)
  /// Nil serves the unified endpoint without TLS.
  package var tls: TLS?
  package var admin = Listener(address: "127.0.0.1", port: 8081)
  /// Where the endpoint listens besides ``api``.
  package var also: [Listener] = []
  package var hosts: Set<String> = []
  /// Whose `X-Forwarded-For` counts, and whether all who come by a Unix-domain socket belong to them.
  package var trustedProxies: [Network] = []
  package var trustsUnixClients = false
  package var policies: String
  package var masterKey: SecretSource
  /// By the credential names of the provider register.
  package var credentials: [String: Credential] = [:]
  /// 10⁻⁹ of the tenants' currency for one unit of another: `["USD": 920_000_000]`.
  package var currencyRates: [String: Int64] = [:]
  package var currency = "EUR"
  package var timeZone = "Europe/Zurich"
  /// What a new tenant gets when nobody names a policy.
  package var defaultPolicy: String?
  package var loops: Int?
  /// One for each core: loops write their own log records, what is left to other threads is a tenth of a request's cost.
  var effectiveLoops: Int { loops ?? AvailableCores.count }
  package var drainSeconds: Int64 = 300
  package var limits = Limits()
  /// The demo's: models that no alias knows go to the first under their own name, unless another claims the name.
  package var openUpstreams: [OpenUpstream] = []

  package struct OpenUpstream: Sendable, Equatable {
    package var adapter: Adapter
    package var baseURL: String
    package var credential: SecretSource?
    /// The beginning of the model names that are its own.
    package var prefix: String
    package var id: String { "demo-\(adapter.rawValue)" }

    package init(
      adapter: Adapter = .openAICompatible, baseURL: String, credential: SecretSource? = nil, prefix: String = ""
    ) {
      self.adapter = adapter
      self.baseURL = baseURL
      self.credential = credential
      self.prefix = prefix
    }
  }

  package init(dataFolder: String, policies: String, masterKey: SecretSource) {
    self.dataFolder = dataFolder
    self.policies = policies
    self.masterKey = masterKey
    limits.fit(memoryBytes: MachineMemory.bytes)
    limits.fit(descriptors: OpenFiles.limit())
  }
}
