import Tenancy

/// Liveness, readiness, metrics, and the description of this API. What stands in the way, and all numbers, tell about
/// tenants and the machine: they need a login, also on a loopback address that others share.
enum HealthRoutes {
  static let all = [live, ready, metrics, description, identity]

  static let live = AdminRoute("livez", .get, "/livez", .open, .read { _ in .text("ok\n", contentType: plain) })

  static let ready = AdminRoute(
    "readyz", .get, "/readyz", .optional,
    .read { call in
      let checks = await call.services.health.checks()
      let isReady = checks.allSatisfy(\.isReady)
      return try .json(
        ReadinessAnswer(
          ready: isReady,
          checks: call.isLoggedIn(with: .installationManage)
            ? checks.map { .init(name: $0.name, ready: $0.isReady, detail: $0.detail) } : nil),
        status: isReady ? 200 : 503)
    })

  static let metrics = AdminRoute(
    "metrics", .get, "/metrics", .observer(.installationManage),
    .read { call in
      .text(
        await call.services.metrics.metricsText(), contentType: "text/plain; version=0.0.4; charset=utf-8")
    })

  static let description = AdminRoute(
    "openapi", .get, "/openapi.yaml", .open,
    .read { _ in .text(OpenAPIDocument.text, contentType: "application/yaml") })

  /// Who the token belongs to and what it may do.
  static let identity = AdminRoute(
    "me", .get, "/v1/me", .anyone,
    .read { call in
      let actor = try call.who().actor
      let names = try await TenantNames(call)
      return try .json(
        IdentityAnswer(
          user: actor.user.description, name: actor.name,
          bindings: actor.bindings.map { BindingAnswer($0, userName: actor.name, names: names) }))
    })

  private static let plain = "text/plain; charset=utf-8"
}

private struct ReadinessAnswer: Encodable {
  struct Check: Encodable {
    let name: String
    let ready: Bool
    let detail: String
  }
  let ready: Bool
  /// For whom may manage the installation.
  let checks: [Check]?
}

private struct IdentityAnswer: Encodable {
  let user: String
  let name: String
  let bindings: [BindingAnswer]
}
