public import Routing
public import Tenancy

/// One route of one provider, ready to send to: everything about a request to it that stays the same.
///
/// Made when a snapshot is built, shared by all loops. The credential lives in ``headerLines`` and nowhere else; it
/// may be shown to the origin of ``url``, which no request can change.
public final class UpstreamTarget: Sendable {
  public var isLocal: Bool { networks != nil }

  public enum Method: String, Sendable {
    case post = "POST"
    case get = "GET"
    case delete = "DELETE"
  }

  /// The provider's id in the register.
  public let provider: String
  /// All but the POST have no body.
  public let method: Method
  /// Absolute, from the register.
  public let url: String
  /// Whole header lines, credential included; never logged.
  public let headerLines: [String]
  /// Requests with the same pool key share connections: the provider credential's name, with `dedicated-connections`
  /// also the tenant.
  public let poolKey: String
  /// Nil: only public addresses may be connected to; else exactly these, which are in the house.
  public let networks: [Network]?
  public let connectMilliseconds: Int
  public let firstByteMilliseconds: Int
  public let idleMilliseconds: Int
  /// Of one attempt, however lively it is.
  public let totalMilliseconds: Int
  /// Nil: by its name over public TLS.
  public let transport: UpstreamTransport?
  /// Each request is signed with this key instead of carrying a credential (AWS Signature Version 4).
  public let signature: Signature?

  public struct Signature: Sendable {
    public let region: String
    public let service: String
    public let accessKey: String
    public let secretKey: String

    public init(region: String, service: String, accessKey: String, secretKey: String) {
      self.region = region
      self.service = service
      self.accessKey = accessKey
      self.secretKey = secretKey
    }
  }

  public init(
    provider: String, url: String, headerLines: [String], poolKey: String, networks: [Network]? = nil, limits: Limits,
    timeouts: ProviderTimeouts = ProviderTimeouts(), transport: UpstreamTransport? = nil, signature: Signature? = nil,
    method: Method = .post
  ) {
    self.provider = provider
    self.method = method
    self.url = url
    self.headerLines = headerLines
    self.poolKey = poolKey
    self.networks = networks
    self.transport = transport
    self.signature = signature
    connectMilliseconds = timeouts.connect ?? limits.connectMilliseconds
    firstByteMilliseconds = timeouts.firstByte ?? limits.firstByteMilliseconds
    idleMilliseconds = timeouts.idle ?? limits.upstreamIdleMilliseconds
    totalMilliseconds = timeouts.total ?? limits.exchangeMilliseconds
  }
}
