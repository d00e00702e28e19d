import Logging
import Synchronization
import Tenancy

@testable import Admin

/// Who calls in the tests.
enum Person: String, CaseIterable {
  case operatorPerson, adminOfA, adminOfB, privacyOfficer, auditor, nobody

  /// Joined at run time, so that it looks like a secret to no scanner.
  var token: String { ["tha", rawValue, "token"].joined(separator: "_") }
}

/// An installation with two tenants and one person of each kind.
struct World {
  static let now = Timestamp(secondsSince1970: 1_795_000_000)
  static let canary = ["canary", "of", "content"].joined(separator: "-")
  static let freshSecret = ["th", "fresh", "secret"].joined(separator: "_")
  static let freshToken = ["tha", "fresh", "secret"].joined(separator: "_")

  static let a = TenantID(1)
  static let b = TenantID(2)
  static let projectOfA = ProjectID(11)
  static let projectOfB = ProjectID(12)
  static let keyOfA = KeyID(21)
  static let keyOfB = KeyID(22)
  static let freshPersonOfA = UserID(31)
  static let freshOperator = UserID(32)
  static let bindingOfA = BindingID(41)
  static let bindingOfInstallation = BindingID(42)
  static let requestOfA = "req_a1"

  let events = EventLog()
  let tenancy: MemoryTenancy
  let audit: MemoryAudit
  let services: AdminServices
  let dispatcher: AdminDispatcher
  let monotonic = Clock()

  final class Clock: Sendable {
    let nanoseconds = Mutex<Int64>(0)
  }

  init(auditIsBroken: Bool = false, isReady: Bool = true, logEntries: Int = 1) throws {
    tenancy = MemoryTenancy(roles: try Self.roles(), events: events)
    audit = MemoryAudit(events: events, isBroken: auditIsBroken)
    let health = MemoryHealth(isReady: isReady)
    let clock = monotonic
    services = AdminServices(
      tenancy: tenancy, quotas: MemoryQuotas(events: events), usage: MemoryUsage(rows: Self.usage),
      routes: MemoryRoutes(), providers: MemoryProviders(),
      log: MemoryLog(entries: [Self.a: (1...logEntries).map(Self.entry)], events: events), audit: audit,
      health: health, metrics: health,
      clock: AdminClock(now: { Self.now }, monotonic: { clock.nanoseconds.withLock { $0 } }),
      makeRequestID: { "req_test" })
    dispatcher = AdminDispatcher(
      services: services, hosts: HostRule(), logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    fill()
  }

  static func roles() throws -> [Role] {
    let tenantAdmin: Permissions = [
      .keysManage, .projectsManage, .usersManage, .rolesManage, .quotaManage, .usageRead, .reportsRead, .auditRead,
      .logMetadata,
    ]
    return [
      try Role(
        name: "operator", scope: .installation,
        permissions: tenantAdmin.union([
          .tenantsManage, .installationManage, .policiesApply, .providersRead, .providersManage,
        ])),
      try Role(name: "tenant-admin", scope: .tenant, permissions: tenantAdmin),
      try Role(
        name: "privacy-officer", scope: .tenant,
        permissions: [.logMetadata, .logContent, .logExport, .logErase, .auditRead, .reportsRead]),
      try Role(
        name: "auditor", scope: .tenant, permissions: [.logMetadata, .reportsRead, .policiesRead, .auditRead]),
      try Role(name: "key-keeper", scope: .project, permissions: [.keysManage]),
      try Role(name: "reader", scope: .tenant, permissions: [.usageRead]),
      try Role(name: "watcher", scope: .installation, permissions: [.auditRead]),
      try Role(name: "clerk", scope: .project, permissions: [.chat, .embed]),
    ]
  }

  static let usage = [
    UsageRow(
      project: "buchhaltung", key: keyOfA, keyName: "laptop", alias: "chat", requests: 3, inputTokens: 100,
      outputTokens: 20, cost: Money(nanos: 1_500_000)),
    UsageRow(
      project: "buchhaltung", key: keyOfA, keyName: "laptop", alias: "embed", requests: 4, inputTokens: 50,
      outputTokens: 0, cost: Money(nanos: 500_000)),
  ]

  static func entry(_ number: Int) -> LogEntry {
    LogEntry(
      request: "req_a\(number)", time: now, project: "buchhaltung", key: keyOfA, user: nil, alias: "chat",
      provider: "mock", model: "m", status: 200, exit: "complete", inputTokens: 10, outputTokens: 5,
      cost: Money(nanos: 12_500_000), currency: "EUR", findings: ["iban": 2], mode: "managed")
  }

  private func fill() {
    func user(_ id: UInt128, _ name: String) -> UserRecord {
      UserRecord(id: UserID(id), name: name, email: "\(id)@example.org", suspended: false, created: Self.now)
    }
    func binding(_ id: UInt128, _ user: UInt128, _ role: String, _ scope: Scope) -> RoleBinding {
      RoleBinding(
        id: BindingID(id), user: UserID(user), role: role, scope: scope, reason: "test",
        grantedAt: Self.now.secondsSince1970)
    }
    tenancy.state.withLock { state in
      for (id, name) in [(Self.a, "a"), (Self.b, "b")] {
        guard let slug = Slug(name) else { continue }
        state.tenants.append(
          TenantRecord(id: id, slug: slug, name: "Mandant", policy: "base@1", suspended: false, created: Self.now))
      }
      if let slug = Slug("buchhaltung") {
        state.projects[Self.a] = [
          ProjectRecord(id: Self.projectOfA, slug: slug, name: "Buchhaltung", created: Self.now)
        ]
        state.projects[Self.b] = [ProjectRecord(id: Self.projectOfB, slug: slug, name: "B", created: Self.now)]
      }
      state.keys[Self.a] = [
        KeyRecord(id: Self.keyOfA, name: "laptop", project: Self.projectOfA, state: .active, created: Self.now)
      ]
      state.keys[Self.b] = [
        KeyRecord(id: Self.keyOfB, name: "laptop", project: Self.projectOfB, state: .active, created: Self.now)
      ]
      state.users[nil] = [user(1, "Olga"), user(32, "Otto")]
      state.users[Self.a] = [user(2, "Anna"), user(4, "Petra"), user(5, "Axel"), user(31, "Neu"), user(33, "Nora")]
      state.users[Self.b] = [user(3, "Bernd")]
      state.bindings = [
        binding(1, 1, "operator", .installation), binding(2, 2, "tenant-admin", .tenant(Self.a)),
        binding(3, 3, "tenant-admin", .tenant(Self.b)), binding(4, 4, "privacy-officer", .tenant(Self.a)),
        binding(5, 5, "auditor", .tenant(Self.a)), binding(41, 33, "reader", .tenant(Self.a)),
        binding(42, 32, "watcher", .installation),
      ]
      for (person, id) in zip(Person.allCases, [1, 2, 3, 4, 5, 31] as [UInt128]) {
        state.tokens[person.token] = UserID(id)
      }
    }
  }

  /// Sends a request as a person; nil as nobody known.
  func send(
    _ method: String, _ target: String, as person: Person? = nil, body: String? = nil, host: String? = "127.0.0.1:8081",
    token: String? = nil, contentType: String = "application/json", peer: String = "127.0.0.1"
  ) async -> AdminResponse {
    let bytes = Array((body ?? "").utf8)
    return await dispatcher.respond(
      to: AdminRequest(
        method: method, target: target, host: host,
        authorization: (token ?? person?.token).map { "Bearer \($0)" }, contentType: body == nil ? nil : contentType,
        peer: peer,
        body: { limit in
          guard bytes.count <= limit else { throw AdminError(.bodyTooLarge, "too large") }
          return bytes
        }))
  }
}

extension AdminResponse {
  var text: String { String(decoding: body, as: UTF8.self) }
}
