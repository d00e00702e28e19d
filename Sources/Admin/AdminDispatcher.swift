package import Logging
import Synchronization
import Tenancy

/// Takes a request through all stages in order: host, target, route, login, tenant and permission, body, audit, act.
///
/// Knows no HTTP server; safe to call from any task.
package final class AdminDispatcher: Sendable {
  private let services: AdminServices
  private let hosts: HostRule
  private let routes: [AdminRoute]
  private let logger: Logger
  private let throttle = Mutex(FailureThrottle<String, String>(perMinute: 10))

  package init(services: AdminServices, hosts: HostRule, logger: Logger) {
    self.services = services
    self.hosts = hosts
    self.logger = logger
    routes = AdminRoutes.all
  }

  package func respond(to request: AdminRequest) async -> AdminResponse {
    let requestID = services.makeRequestID()
    var response: AdminResponse
    do {
      response = try await answer(request, requestID: requestID)
    } catch {
      response = refusal(error, of: request, requestID: requestID)
    }
    response.headers["x-request-id"] = requestID
    response.headers["cache-control"] = "no-store"
    response.headers["x-content-type-options"] = "nosniff"
    return response
  }

  private func answer(_ request: AdminRequest, requestID: String) async throws -> AdminResponse {
    guard hosts.allows(request.host) else {
      throw AdminError(.misdirected, "this host name is not served here", hint: "add it to listen.hosts")
    }
    let target = try RequestTarget(request.target)
    let (route, parameters) = try find(request.method, target)
    if let unknown = target.query.keys.filter({ !route.query.contains($0) }).min() {
      throw AdminError.invalid("this route takes no parameter of that name", param: unknown)
    }
    let now = services.clock.now()
    let caller: AdminCaller? =
      switch route.gate {
      case .open: nil
      case .optional where request.authorization == nil: nil
      default: try await login(request, now: now)
      }
    let tenant = try await admit(caller, to: route, parameters: parameters, peer: request.peer)
    let call = AdminCall(
      services: services, now: now, parameters: parameters, query: target.query,
      body: try await body(of: request, for: route), caller: caller, tenant: tenant)
    switch route.work {
    case .read(let work): return try await work(call)
    case .change(let prepare):
      return try await perform(
        try await prepare(call), named: route.name, by: try call.who().actor, tenant: tenant, requestID: requestID)
    }
  }

  private func find(_ method: String, _ target: RequestTarget) throws(AdminError) -> (AdminRoute, [String: String]) {
    var allowed: [String] = []
    for route in routes {
      guard let parameters = route.parameters(in: target.segments) else { continue }
      if route.method.rawValue == method { return (route, parameters) }
      allowed.append(route.method.rawValue)
    }
    guard !allowed.isEmpty else { throw .notFound }
    throw AdminError(.methodNotAllowed, "this path does not know that method", hint: allowed.joined(separator: ", "))
  }

  /// A right token always passes; failures alone are counted, and beyond the limit answered by 429.
  private func login(_ request: AdminRequest, now: Timestamp) async throws -> AdminCaller {
    let token = BearerToken.read(request.authorization)
    if let token, let actor = try await services.tenancy.actor(bearing: token) {
      return AdminCaller(actor: actor, roles: try await services.tenancy.roles(), now: now)
    }
    let wait = throttle.withLock {
      $0.failed(
        source: SourceAddress.name(request.peer), account: token.flatMap(BearerToken.account),
        now: services.clock.monotonic())
    }
    guard let wait else { throw AdminError.notLoggedIn }
    throw AdminError(.tooManyFailures, "too many failed logins", hint: "wait \(wait.seconds) seconds")
  }

  /// Whether the caller may use the route; the tenant it is about, if it is about one.
  ///
  /// A tenant that the caller has no right in does not exist for them.
  private func admit(
    _ caller: AdminCaller?, to route: AdminRoute, parameters: [String: String], peer: String
  ) async throws -> TenantRecord? {
    var tenant: TenantRecord?
    if let name = parameters["tenant"] {
      let record =
        if let slug = Slug(name) { try await services.tenancy.tenant(named: slug) } else { nil as TenantRecord? }
      guard let caller, let record, caller.sees(record.id) else { throw AdminError.notFound }
      tenant = record
    }
    switch route.gate {
    case .open, .optional, .anyone: break
    case .installation(let asked): try caller?.require(asked, at: .installation)
    case .observer(let asked):
      let isLocal = SourceAddress.isLoopback(peer)
      guard let caller, caller.holds(anyOf: isLocal ? Permissions(rawValue: .max) : asked, at: .installation) else {
        throw AdminError.forbidden(asked.nameList.joined(separator: " or "))
      }
    case .tenant(let asked):
      guard let tenant else { throw AdminError.notFound }
      try caller?.require(asked, at: .tenant(tenant.id))
    case .project(let asked):
      guard let tenant else { throw AdminError.notFound }
      guard let caller, caller.holds(anyOf: asked, somewhereIn: tenant.id) else {
        throw AdminError.forbidden(asked.nameList.joined(separator: " or "))
      }
    }
    return tenant
  }

  private func body(of request: AdminRequest, for route: AdminRoute) async throws -> [UInt8] {
    guard route.method == .post || route.method == .put else { return [] }
    let body = try await request.body(AdminRequest.bodyLimit)
    guard !body.isEmpty else { return [] }
    let type = request.contentType?.split(separator: ";").first.map { $0.lowercased() } ?? ""
    guard type == "application/json" else {
      throw AdminError.invalid("the body must be JSON", param: "content-type", hint: "content-type: application/json")
    }
    return body
  }

  /// Written, then done. If the trail cannot be written, nothing is done; if the act fails, that is written too.
  private func perform(
    _ act: AuditedAct, named name: String, by actor: AdminActor, tenant: TenantRecord?, requestID: String
  ) async throws -> AdminResponse {
    func entry(_ outcome: AuditEntry.Outcome) -> AuditEntry {
      AuditEntry(
        time: services.clock.now(), actor: actor.user, actorName: actor.name, action: name, tenant: tenant?.id,
        target: act.target, reason: act.reason, outcome: outcome, requestID: requestID)
    }
    do {
      try await services.audit.append(entry(.intended))
    } catch {
      throw AdminError(
        .unavailable, "the audit trail cannot be written, so nothing was done", hint: "try again later",
        detail: "\(error)")
    }
    do {
      return try await act.apply()
    } catch {
      do {
        try await services.audit.append(entry(.failed))
      } catch let second {
        logger.error("Audit trail lacks a failure", metadata: ["request_id": "\(requestID)", "error": "\(second)"])
      }
      throw error
    }
  }

  private func refusal(_ error: any Error, of request: AdminRequest, requestID: String) -> AdminResponse {
    let known = Self.adminError(error)
    if known.status >= 500 {
      logger.error(
        "Administration failed", metadata: ["request_id": "\(requestID)", "detail": "\(known.detail)"])
    } else if known.code == .forbidden || known.code == .tooManyFailures || known.code == .misdirected {
      logger.notice(
        "Administration refused", metadata: ["request_id": "\(requestID)", "code": "\(known.code.rawValue)"])
    }
    var response = AdminResponse.refusal(known)
    switch known.code {
    case .methodNotAllowed: response.headers["allow"] = known.hint
    case .notLoggedIn: response.headers["www-authenticate"] = "Bearer"
    case .tooManyFailures: response.headers["retry-after"] = "60"
    case .unavailable: response.headers["retry-after"] = "5"
    default: break
    }
    return response
  }

  /// What another part threw, in the words of this API.
  static func adminError(_ error: any Error) -> AdminError {
    if let error = error as? AdminError { return error }
    guard let error = error as? TenancyError else {
      return AdminError(.internalFailure, "something failed inside; it is in the log", detail: "\(error)")
    }
    return switch error.code {
    case .notFound: .notFound
    case .conflict: AdminError(.conflict, error.message, detail: error.detail)
    case .invalid: AdminError(.invalidRequest, error.message, detail: error.detail)
    case .forbidden: AdminError(.forbidden, error.message, detail: error.detail)
    case .storage, .newerSchema: AdminError(.unavailable, "the store does not answer", detail: error.detail)
    }
  }
}
