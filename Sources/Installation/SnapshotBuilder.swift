import Cryptography
import Dispatch
import Gateway
import Policies
import Quotas
import Redaction
import Routing
import SealedLog
import Synchronization
import Tenancy

/// Makes the immutable snapshot that requests are judged by, from the rows of the store, the policy set and the tenants'
/// keys. Off the loops; what is expensive is compiled per policy, not per tenant, and what was made for a tenant or a key
/// serves until something that it was made of changes: with thousands of them a new key must not cost a second.
final class SnapshotBuilder {
  private let quotas: QuotaGate
  private let keys: TenantKeyFolder
  private let redaction: RedactionCompiler
  private let configuration: ServerConfiguration
  private let credentials: BoundSecrets
  /// What is under way at providers, from snapshot to snapshot.
  private let loads = ProviderLoads()
  private var transports: TransportTable
  /// What was said of providers that cannot be called: once each, not at every change of a key.
  private var said: [String: String] = [:]
  private var tenantKeys: [TenantID: TenantKeys] = [:]
  private var held = Held()

  /// What the last snapshot was made of, all by one policy set.
  private struct Held {
    var set = ""
    var compiled: [String: RedactionProfile] = [:]
    var routes: [String: Routes] = [:]
    var directory: Directory?
    var rules: [TenantID: (tenant: Tenant, rules: TenantRules)] = [:]
    var callers: [KeyID: Caller] = [:]
    /// Why a tenant, or keys of it, cannot be served.
    var faults: [TenantID: [String]] = [:]
  }

  private struct Routes {
    let models: [String: ModelRoute]
    let open: OpenModels?
    let batchModels: [CallableModel]
  }

  init(
    quotas: QuotaGate, keys: TenantKeyFolder, redaction: RedactionCompiler, configuration: ServerConfiguration,
    credentials: BoundSecrets
  ) {
    self.quotas = quotas
    self.keys = keys
    self.redaction = redaction
    self.configuration = configuration
    self.credentials = credentials
    transports = TransportTable(credentials: credentials)
  }

  /// The store's change up to which ``build(_:_:now:isFresh:)`` needs no rows again under these policies; 0: it needs all.
  func known(under policies: PolicySet) -> Int64 {
    held.set == policies.hash ? held.directory?.change ?? 0 : 0
  }

  /// - Parameters:
  ///   - changes: Whole, or what has changed since ``known(under:)``.
  ///   - isFresh: Makes everything anew, files that providers need included; the changes must be whole.
  /// - Returns: The snapshot, and what cannot be served with the reason; everything else is served.
  func build(_ changes: DirectoryChanges, _ policies: PolicySet, now: Int64, isFresh: Bool = false)
    -> (GatewaySnapshot, faults: [String])
  {
    if isFresh || held.set != policies.hash {
      held = Held(set: policies.hash)
      transports = TransportTable(credentials: credentials)
    }
    defer { tellOfProviders() }
    let before = held.directory
    let directory = Directory(changes, since: before, roles: policies.roles)
    // Who could not be served may be by now, whoever it was that changed.
    var touched = changes.tenants.union(held.faults.keys)
    if changes.isWhole { touched.formUnion(held.rules.keys) }
    loadKeys(touched.filter { tenantKeys[$0] == nil && directory.tenant($0)?.standing == .active })
    for tenant in touched { renew(tenant, before, directory, policies, now) }
    held.directory = directory
    let faults = held.faults.values.flatMap { $0 }.sorted()
    return (GatewaySnapshot(directory: directory, policyHash: policies.hash, callers: held.callers), faults)
  }

  /// Makes what has changed of one tenant.
  private func renew(
    _ id: TenantID, _ before: Directory?, _ directory: Directory, _ policies: PolicySet, _ now: Int64
  ) {
    held.faults[id] = nil
    var known: [KeyID: Caller] = [:]
    for principal in before?.principals(of: id) ?? [] {
      known[principal.key] = held.callers.removeValue(forKey: principal.key)
    }
    let heldRules = held.rules.removeValue(forKey: id)
    guard let tenant = directory.tenant(id) else {
      tenantKeys[id] = nil
      return
    }
    guard tenant.standing == .active else { return }
    let rules: TenantRules
    do {
      let same = heldRules.flatMap { $0.tenant == tenant ? $0.rules : nil }
      rules = try same ?? tenantRules(tenant, policies, now)
    } catch {
      held.faults[id] = ["tenant \(tenant.slug) cannot be served: \(error)"]
      return
    }
    held.rules[id] = (tenant, rules)
    for principal in directory.principals(of: id) {
      if let caller = known[principal.key], caller.rules === rules, caller.principal == principal {
        held.callers[principal.key] = caller
        continue
      }
      do {
        let account = try quotas.account(
          QuotaLimits.limits(of: principal, plan: rules.policy.plan),
          owner: UsageOwner(
            tenant: principal.tenant.value, project: principal.project.value, key: principal.key.value,
            user: principal.user?.value ?? 0),
          zone: principal.timeZone)
        held.callers[principal.key] = Caller(principal: principal, rules: rules, quota: account)
      } catch {
        held.faults[id, default: []].append("a key of tenant \(principal.tenantSlug) cannot be served: \(error)")
      }
    }
  }

  private func tellOfProviders() {
    for (provider, fault) in transports.faults.sorted(by: { $0.key < $1.key }) where said[provider] != fault {
      OperatorLog.say("provider '\(provider)' is not called: \(fault)")
    }
    said = transports.faults
  }

  /// Why nobody could be served under this policy; nil if they could.
  func fault(of policy: String, currency: String, _ policies: PolicySet) -> String? {
    guard let effective = policies.policies[policy] else { return "there is no policy '\(policy)'" }
    do {
      if held.compiled[policy] == nil || held.set != policies.hash { _ = try redaction.profile(effective.redaction) }
      try QuotaLimits.check(effective.plan, currency: currency)
    } catch { return "\(error)" }
    return effective.logMode == .writeOnly ? "its log is write-only, and no recipients can be registered yet" : nil
  }

  private func tenantRules(_ tenant: Tenant, _ policies: PolicySet, _ now: Int64) throws -> TenantRules {
    guard var policy = policies.policies[tenant.policy] else {
      throw InstallationError(.invalidPolicies, "no policy '\(tenant.policy)' in the set")
    }
    if let plan = policies.plan(of: tenant.slug, policy: tenant.policy) { policy.plan = plan }
    let profile: RedactionProfile
    if let known = held.compiled[policy.id] {
      profile = known
    } else {
      profile = try redaction.profile(policy.redaction)
      held.compiled[policy.id] = profile
    }
    let keys = try loadKeys(tenant.id)
    let stream = try keys.stream(
      mode: ContentMode(rawValue: policy.logMode.rawValue) ?? .off,
      durability: policy.durability == .strict ? .strict : .buffered, policySet: Self.digest(policies.hash))
    let isOwn = policy.dedicatedConnections || targets(tenant, dedicated: false).isTenantsOwn
    let routeKey = "\(policy.id)|\(tenant.currency)|\(isOwn ? tenant.id.description : "")"
    let routes = held.routes[routeKey] ?? self.routes(policy, tenant, policies, now)
    held.routes[routeKey] = routes
    return TenantRules(
      policy: policy,
      plan: TenantRules.Plan(
        bodyBytes: Int(clamping: policy.plan.bodyBytes), outputTokens: policy.plan.outputTokens,
        clamp: TenantRules.Clamp(rawValue: policy.plan.clamp.rawValue) ?? .never),
      redaction: policy.redaction.rules.isEmpty ? nil : profile,
      models: routes.models, openModels: routes.open, batchModels: routes.batchModels, stream: stream,
      pseudonymKey: keys.pseudonymKey)
  }

  /// Reads the keys of many tenants at once on all processors: one after the other they are half of a start. What cannot
  /// be read is left for ``loadKeys(_:)-(TenantID)``, which says why.
  private func loadKeys(_ tenants: Set<TenantID>) {
    guard tenants.count > 128 else { return }
    let (tenants, keys, workers) = (Array(tenants), keys, AvailableCores.count)
    let loaded = Mutex<[TenantKeys]>([])
    DispatchQueue.concurrentPerform(iterations: workers) { worker in
      let own = stride(from: worker, to: tenants.count, by: workers).compactMap { try? keys.load(tenants[$0]) }
      loaded.withLock { $0 += own }
    }
    for one in loaded.withLock({ $0 }) { tenantKeys[one.tenant] = one }
  }

  private func loadKeys(_ tenant: TenantID) throws -> TenantKeys {
    if let held = tenantKeys[tenant] { return held }
    let loaded = try keys.load(tenant)
    tenantKeys[tenant] = loaded
    return loaded
  }

  /// A candidate as a tenant of that policy could call it, or why it could not.
  struct Resolved: Sendable {
    let candidate: Candidate
    let callable: CallableModel?
    let obstacle: ProviderTargets.Obstacle?
  }

  func resolve(_ candidates: [Candidate], for tenant: Tenant, dedicated: Bool) -> [Resolved] {
    let targets = targets(tenant, dedicated: dedicated)
    return candidates.map { candidate in
      let callable = targets.callable(candidate)
      return Resolved(
        candidate: candidate, callable: callable, obstacle: callable == nil ? targets.obstacle(to: candidate) : nil)
    }
  }

  /// How a provider is reached outside of requests.
  func probe(of provider: Provider) -> ProbeTarget {
    let transport = transports.transport(of: provider)
    return ProbeTarget(
      provider: provider, secret: provider.credential.flatMap { credentials[$0]?.text }, transport: transport,
      credentialFault: provider.credential.flatMap { credentials.fault($0, of: provider) },
      fault: transports.faults[provider.id])
  }

  private func targets(_ tenant: Tenant, dedicated: Bool) -> ProviderTargets {
    ProviderTargets(
      limits: configuration.limits, credentials: credentials, tenant: tenant.slug.description,
      currency: tenant.currency,
      currencyRates: configuration.currencyRates, dedicatedPool: dedicated ? tenant.id.description : nil,
      loads: loads, transports: transports)
  }

  private func routes(_ policy: EffectivePolicy, _ tenant: Tenant, _ policies: PolicySet, _ now: Int64) -> Routes {
    let models = models(policy, tenant, policies, now)
    let batchModels = batchModels(policy, tenant, policies)
    guard let open = openModels(tenant) else { return Routes(models: models, open: nil, batchModels: batchModels) }
    return Routes(models: Self.open(models, by: open), open: open, batchModels: batchModels)
  }

  private func batchModels(_ policy: EffectivePolicy, _ tenant: Tenant, _ policies: PolicySet) -> [CallableModel] {
    let targets = targets(tenant, dedicated: policy.dedicatedConnections)
    return policies.routes.providers.flatMap { provider in
      provider.models.filter { $0.capabilities?.contains(.batch) == true }
        .compactMap { targets.callable(Candidate(provider: provider, model: $0)) }
    }
  }

  private func models(_ policy: EffectivePolicy, _ tenant: Tenant, _ policies: PolicySet, _ now: Int64)
    -> [String: ModelRoute]
  {
    let targets = targets(tenant, dedicated: policy.dedicatedConnections)
    var models: [String: ModelRoute] = [:]
    for name in policy.models {
      guard let alias = policies.routes.aliases[name] else { continue }
      var candidates = alias.candidates.compactMap { targets.callable($0) }
      if alias.order == .cheapest {
        candidates.sort {
          ($0.price.rank, $0.provider.id) < ($1.price.rank, $1.provider.id)
        }
      }
      models[name] = ModelRoute(alias: name, order: alias.order, candidates: candidates, created: now)
    }
    return models
  }

  /// In the demo every alias is served by the one upstream there is, under its own name.
  private static func open(_ models: [String: ModelRoute], by open: OpenModels) -> [String: ModelRoute] {
    models.mapValues { open.make($0.alias, created: $0.created) }
  }

  /// Whoever starts a demo names its upstreams on the command line.
  private static let anywhere = ["::/0"].compactMap(Network.init)

  /// The demo's upstreams: each serves every name that is its own, all at one price.
  private func openModels(_ tenant: Tenant) -> OpenModels? {
    let templates = configuration.openUpstreams.map { upstream in
      OpenModels.Template(prefix: upstream.prefix, models: openModels(of: upstream, tenant))
    }.filter { !$0.models.isEmpty }
    return templates.first.map { OpenModels($0.models, others: Array(templates.dropFirst())) }
  }

  private func openModels(of open: ServerConfiguration.OpenUpstream, _ tenant: Tenant) -> [CallableModel] {
    guard let endpoint = try? Endpoint(open.baseURL, local: true), let country = try? Country("DE") else { return [] }
    let price = Price(
      version: "demo", currency: tenant.currency, input: 250_000_000, cached: 25_000_000, output: 2_000_000_000)
    func by(_ unit: UnitPrice.Unit, _ amount: Int64) -> Price {
      Price(version: "demo", currency: tenant.currency, input: 0, unit: UnitPrice(unit, amount: amount))
    }
    let provider = Provider(
      id: open.id, adapter: open.adapter, endpoint: endpoint, networks: Self.anywhere,
      credential: open.credential == nil ? nil : open.id, country: country, agreement: Agreement(kind: .own),
      certificates: [:], retentionDays: 0, training: .never, models: [], traits: .usual(for: open.adapter))
    let further = [
      Model(id: "*", maxOutput: 0, price: price, capabilities: [.moderation, .rerank, .images]),
      Model(id: "*", maxOutput: 0, price: by(.image, 40_000_000), capabilities: .imageGeneration),
      Model(id: "*", maxOutput: 0, price: by(.character, 15_000_000_000), capabilities: .speech),
      Model(
        id: "*", maxOutput: 0, price: by(.second, 6_000_000), capabilities: [.transcription, .translation],
        maxSeconds: 3600),
    ]
    let models =
      [Model(id: "*", maxOutput: 1 << 20, context: nil, price: price, capabilities: .conversation)]
      + (open.adapter.hasFurtherRoutes ? further : [])
    let targets = targets(tenant, dedicated: false)
    return models.compactMap { targets.callable(Candidate(provider: provider, model: $0)) }
  }

  private static func digest(_ hex: String) -> Digest256 {
    let digits = Array(hex.utf8)
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count - 1, by: 2) {
      bytes.append(UInt8(String(decoding: digits[index...(index + 1)], as: UTF8.self), radix: 16) ?? 0)
    }
    return Digest256(bytes: bytes)
  }
}
