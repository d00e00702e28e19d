public import Policies
public import Quotas
public import Redaction
public import Routing
public import SealedLog
import Synchronization
public import Tenancy

/// Everything a request needs to know of people, policies and prices, as of one instant; swapped as a whole.
///
/// A request keeps the snapshot that it began with.
public final class GatewaySnapshot: Sendable {
  public let directory: Directory
  /// Hex SHA-256 of the policy set in force.
  public let policyHash: String
  /// As META says it.
  let meta: [UInt8]
  private let callers: [KeyID: Caller]
  /// No other snapshot has it, also none that lies where this one did.
  let number = made.wrappingAdd(1, ordering: .relaxed).newValue
  private static let made = Atomic<UInt64>(0)

  public init(directory: Directory, policyHash: String, callers: [KeyID: Caller]) {
    self.directory = directory
    self.policyHash = policyHash
    meta = MetaPiece.bytes([("policy_set", policyHash)])
    self.callers = callers
  }

  /// Nobody and nothing: refuses every key.
  public convenience init() { self.init(directory: Directory(), policyHash: "", callers: [:]) }

  func caller(of principal: Principal) -> Caller? { callers[principal.key] }
}

/// An API key with what applies to its requests.
public final class Caller: Sendable {
  public let principal: Principal
  public let rules: TenantRules
  public let quota: QuotaAccount
  /// What the policy says of its role.
  let access: RoleAccess
  /// Who it is, as META says it.
  let meta: [UInt8]
  /// The tenant's share of the memory for bodies, once somebody has looked it up.
  let bodies = KnownShare()

  public init(principal: Principal, rules: TenantRules, quota: QuotaAccount) {
    self.principal = principal
    self.rules = rules
    self.quota = quota
    access = rules.access(of: principal.role)
    var members: [(StaticString, String)] = [
      ("project", principal.project.description), ("key", principal.key.description),
    ]
    if let user = principal.user { members.append(("user", user.description)) }
    meta = MetaPiece.bytes(members)
  }
}

/// A tenant's policy, compiled: what its keys may reach, what is redacted, where it is logged.
public final class TenantRules: Sendable {
  public struct Plan: Sendable {
    /// Bytes of a request body.
    public var bodyBytes: Int
    /// Tokens of one answer when the client names no limit, and the most it may name.
    public var outputTokens: Int64
    /// Whether a limit may be lowered so that the request fits a budget.
    public var clamp: Clamp

    public init(bodyBytes: Int, outputTokens: Int64, clamp: Clamp) {
      self.bodyBytes = bodyBytes
      self.outputTokens = outputTokens
      self.clamp = clamp
    }
  }
  public enum Clamp: String, Sendable { case absent, always, never }

  public let policy: EffectivePolicy
  public let plan: Plan
  /// Nil: the policy says in words that nothing is redacted.
  public let redaction: RedactionProfile?
  /// The aliases this tenant may use.
  public let models: [String: ModelRoute]
  /// Serves names that no alias knows under their own name; the demo's, never a production policy's.
  public let openModels: OpenModels?
  /// All models that take batches, whether an alias leads to them or not: what lies there can be taken back.
  public let batchModels: [CallableModel]
  public let stream: LogStream
  /// The key of the tenant's placeholders and hashes.
  public let pseudonymKey: [UInt8]
  /// Which policy that is, as META says it.
  let meta: [UInt8]
  private let roles = Mutex<[String: RoleAccess]>([:])

  public init(
    policy: EffectivePolicy, plan: Plan, redaction: RedactionProfile?, models: [String: ModelRoute],
    openModels: OpenModels?, batchModels: [CallableModel] = [], stream: LogStream, pseudonymKey: [UInt8]
  ) {
    self.policy = policy
    self.plan = plan
    self.redaction = redaction
    self.models = models
    self.openModels = openModels
    self.batchModels = batchModels
    self.stream = stream
    self.pseudonymKey = pseudonymKey
    meta = MetaPiece.bytes([("policy", policy.id)])
  }

  /// The same for all keys with this role; for snapshots, not per request.
  func access(of role: String) -> RoleAccess {
    roles.withLock { roles in
      if let known = roles[role] { return known }
      let made = RoleAccess(policy, role: role)
      roles[role] = made
      return made
    }
  }
}

/// An alias with its candidates in the order of its route.
public final class ModelRoute: Sendable {
  public let alias: String
  public let order: Alias.Order
  public let candidates: [CallableModel]
  /// Seconds since 1970, for model lists.
  public let created: Int64
  /// What was asked for, as META says it.
  let meta: [UInt8]

  public init(alias: String, order: Alias.Order, candidates: [CallableModel], created: Int64) {
    self.alias = alias
    self.order = order
    self.candidates = candidates
    self.created = created
    meta = MetaPiece.bytes([("alias", alias)])
  }
}

/// A model of a provider with everything needed to send to it and to price it.
public final class CallableModel: Sendable {
  public let provider: Provider
  public let model: Model
  /// Prices in the tenant's currency, at the rate of the snapshot.
  public let price: Price
  public let targets: UpstreamTargets
  public let weight: Int
  /// Shared by all models of the provider, all loops and all snapshots.
  let load: ProviderLoad
  let rest: ModelRest
  /// Provider and model: a fault of one model takes no other out.
  let breakerName: String
  /// Of that name, for conversations that stay with an account.
  let nameHash: UInt64
  /// What was called at which price, as META says it.
  let meta: [UInt8]
  /// The head line that tells a client who has answered.
  let field: [UInt8]

  public init(
    provider: Provider, model: Model, price: Price, targets: UpstreamTargets, weight: Int = 1,
    load: ProviderLoad = ProviderLoad(), rest: ModelRest = ModelRest()
  ) {
    self.provider = provider
    self.model = model
    self.price = price
    self.targets = targets
    self.weight = weight
    self.load = load
    self.rest = rest
    breakerName = "\(provider.id)/\(model.id)"
    nameHash = Rendezvous.hash(breakerName.utf8)
    meta = MetaPiece.bytes([
      ("provider", provider.id), ("model", model.id), ("price_version", price.version), ("currency", price.currency),
    ])
    field = ResponseFields.line("x-torhaus-provider", text: provider.id)
  }
}

/// Stands for all models of the demo's upstreams, at one price for each kind of route.
public final class OpenModels: Sendable {
  /// An upstream and the beginning of the names that are its own.
  public struct Template: Sendable {
    public let prefix: String
    /// One that talks and embeds, and those for routes of their own.
    public let models: [CallableModel]

    public init(prefix: String, models: [CallableModel]) {
      self.prefix = prefix
      self.models = models
    }
  }

  private let first: [CallableModel]
  private let others: [Template]
  /// Clients choose the names, so only so many are remembered.
  private let routes = Mutex<[String: ModelRoute]>([:])
  private static let remembered = 256

  /// Names that none of the others claims go to the first.
  public init(_ first: [CallableModel], others: [Template] = []) {
    self.first = first
    self.others = others
  }

  /// A route for a model name that no alias knows.
  public func route(_ name: String) -> ModelRoute {
    routes.withLock { routes in
      if let known = routes[name] { return known }
      if routes.count >= Self.remembered { routes.removeAll(keepingCapacity: true) }
      let made = make(name, created: 0)
      routes[name] = made
      return made
    }
  }

  /// The same for a name that a list of models shows.
  public func make(_ name: String, created: Int64) -> ModelRoute {
    let templates = others.first { name.hasPrefix($0.prefix) }?.models ?? first
    let candidates = templates.map { template in
      let model = Model(
        id: name, maxOutput: template.model.maxOutput, context: template.model.context, price: template.model.price,
        capabilities: template.model.capabilities, maxSeconds: template.model.maxSeconds)
      return CallableModel(
        provider: template.provider, model: model, price: template.price, targets: template.targets,
        load: template.load)
    }
    return ModelRoute(alias: name, order: .listed, candidates: candidates, created: created)
  }
}
