package import Frontend
package import Gateway

/// What `torhaus serve` and `torhaus demo` run with: `torhaus.yaml`, its flags and its defaults, checked.
package struct ServerConfiguration: Sendable {
  package struct Listener: Sendable, Equatable {
    package var address: String
    /// 0 takes a free one.
    package var port: Int

    package init(address: String, port: Int) {
      self.address = address
      self.port = port
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

  package var dataFolder: String
  package var isProduction = false
  package var api = Listener(address: "127.0.0.1", port: 8080)
  /// Nil serves the unified endpoint without TLS.
  package var tls: TLS?
  package var admin = Listener(address: "127.0.0.1", port: 8081)
  package var hosts: Set<String> = []
  package var policies: String
  package var masterKey: SecretSource
  /// By the credential names of the provider register.
  package var credentials: [String: SecretSource] = [:]
  /// 10⁻⁹ of the tenants' currency for one unit of another: `["USD": 920_000_000]`.
  package var currencyRates: [String: Int64] = [:]
  package var currency = "EUR"
  package var timeZone = "Europe/Zurich"
  /// What a new tenant gets when nobody names a policy.
  package var defaultPolicy: String?
  package var loops: Int?
  package var drainSeconds: Int64 = 300
  package var limits = Limits()
  /// The demo's: models that no alias knows go to this base URL under their own name.
  package var openUpstream: OpenUpstream?

  package struct OpenUpstream: Sendable, Equatable {
    package var baseURL: String
    package var credential: SecretSource?

    package init(baseURL: String, credential: SecretSource? = nil) {
      self.baseURL = baseURL
      self.credential = credential
    }
  }

  package init(dataFolder: String, policies: String, masterKey: SecretSource) {
    self.dataFolder = dataFolder
    self.policies = policies
    self.masterKey = masterKey
  }
}
