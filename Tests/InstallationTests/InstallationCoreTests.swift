import Cryptography
import Foundation
import Policies
import Quotas
import SealedLog
import StorageSQLite
import Tenancy
import Testing

@testable import Gateway
@testable import Installation

/// A whole installation without its listeners: what is stored of people, keys and policies, and what requests are judged
/// by.
@Suite struct InstallationCoreTests {
  private final class Folder {
    let path = NSTemporaryDirectory() + "/core-\(UUID().uuidString)"
    deinit { try? FileManager.default.removeItem(atPath: path) }
  }

  private let folder = Folder()
  private let core: InstallationCore

  init() throws {
    let policies = folder.path + "/policies"
    try FileManager.default.createDirectory(atPath: policies, withIntermediateDirectories: true)
    try FileBytes.replace(folder.path + "/master.key", with: [UInt8](repeating: 0x41, count: 32))
    try Self.write(policies, requests: 10)
    let secret = ServerConfiguration.SecretSource.file(folder.path + "/master.key")
    var configuration = ServerConfiguration(
      dataFolder: folder.path + "/data", policies: policies, masterKey: secret)
    configuration.credentials = ["eu": .init(source: secret)]
    core = try InstallationCore(configuration, loops: 1)
  }

  /// - Parameter spare: The plan of `q@1`.
  private static func write(_ folder: String, requests: Int, spare: String = "{requests: 7/min}") throws {
    let text = """
      kind: Providers
      providers:
        - {id: eu, adapter: openai, endpoint: "https://eu.example/v1", credential: eu, country: NO,
           agreement: {kind: avv, expires: 2127-12-31}, retention: 0d, training: never,
           models: [{id: m, max-output: 1000, price: {version: 1, currency: EUR, input: "1", output: "2"}}]}
      ---
      kind: Routing
      aliases:
        chat: {candidates: [eu/m]}
      ---
      kind: Plans
      plans: {p: {requests: \(requests)/min}, q: \(spare)}
      ---
      kind: Roles
      roles:
        app: {scope: project, can: [chat, embed]}
      ---
      kind: Policy
      compliance: {countries: [EU, EEA, CH], agreement: required, training: never, retention: 30d}
      id: p@1
      plan: p
      models: [chat]
      roles: {app: {}}
      ---
      kind: Policy
      compliance: {countries: [EU, EEA, CH], agreement: required, training: never, retention: 30d}
      id: q@1
      plan: q
      models: [chat]
      roles: {app: {}}

      """
    try FileBytes.replace(folder + "/set.yaml", with: Array(text.utf8))
  }

  private func add(_ number: UInt128, _ slug: String, policy: String = "p@1") throws {
    _ = try core.tenantKeys.create(TenantID(number))
    let slug = try #require(Slug(slug))
    try core.tenancy.createTenant(
      Tenant(id: TenantID(number), slug: slug, name: "Mandant", policy: policy, timeZone: "UTC", createdAt: 0))
    try core.tenancy.scoped(to: TenantID(number)).createProject(
      Project(id: ProjectID(number), tenant: TenantID(number), slug: slug, name: "Büro", createdAt: 0))
    try addKey(number * 100, to: number)
  }

  private func addKey(_ id: UInt128, to tenant: UInt128, user: UInt128? = nil) throws {
    try core.tenancy.scoped(to: TenantID(tenant)).createKey(
      APIKey(
        id: KeyID(id), tenant: TenantID(tenant), project: ProjectID(tenant), user: user.map { UserID($0) },
        name: "key", role: "app", digest: Digest256(), createdAt: 0))
  }

  /// Requests per minute that a key may send; nil: it is not served.
  private func limit(_ tenant: UInt128, _ key: UInt128) -> Int64? {
    let snapshot = core.snapshots.current
    guard let principal = snapshot.directory.principals(of: TenantID(tenant)).first(where: { $0.key == KeyID(key) }),
      let caller = snapshot.caller(of: principal)
    else { return nil }
    return core.quotas.status(caller.quota, visible: [.key, .user, .project, .tenant]).requests?.limit
  }

  /// That the snapshot in force, which was amended again and again, says what one that is made of everything would say.
  private func isAsStored(_ what: String) throws {
    let stored = Directory(try core.tenancy.loadAll(), roles: core.policySet.roles)
    let snapshot = core.snapshots.current
    var served = 0
    snapshot.directory.forEachPrincipal { if snapshot.caller(of: $0) != nil { served += 1 } }
    #expect(served == stored.keyCount, "\(what)")
    #expect(snapshot.directory.keyCount == stored.keyCount, "\(what)")
    #expect(snapshot.directory.tenantCount == stored.tenantCount, "\(what)")
    stored.forEachPrincipal { principal in
      let caller = snapshot.caller(of: principal)
      #expect(caller?.principal == principal, "\(what)")
      #expect(caller?.rules.policy.id == principal.policy, "\(what)")
    }
  }

  @Test func eachChangeIsInForceAndNothingElseHasChanged() throws {
    defer { core.stop() }
    try add(1, "one")
    try add(2, "two")
    try core.rebuild()
    let other = try #require(core.snapshots.current.directory.principals(of: TenantID(2)).first)
    let otherCaller = try #require(core.snapshots.current.caller(of: other))
    let store = core.tenancy
    let one = try store.scoped(to: TenantID(1))
    let acts: [(String, () throws -> Void)] = [
      ("a third", { try add(3, "three", policy: "q@1") }),
      (
        "a person with a key",
        {
          try one.createUser(
            User(id: UserID(11), tenant: TenantID(1), name: "Eva", email: "eva@one.example", createdAt: 0))
          try addKey(101, to: 1, user: 11)
        }
      ),
      ("a limit", { try one.setOverride(LimitOverride(key: KeyID(101), dimension: .requestsPerMinute, value: 3)) }),
      ("a suspended person", { try one.setStanding(.suspended, ofUser: UserID(11)) }),
      ("an active person", { try one.setStanding(.active, ofUser: UserID(11)) }),
      ("a revoked key", { try one.revokeKey(KeyID(100), at: 5) }),
      (
        "another policy",
        {
          var tenant = try store.tenant(TenantID(1))
          tenant.policy = "q@1"
          try store.updateTenant(tenant)
        }
      ),
      ("a suspended tenant", { try store.setStanding(.suspended, ofTenant: TenantID(1)) }),
      ("an active tenant", { try store.setStanding(.active, ofTenant: TenantID(1)) }),
      ("a tenant gone", { try store.deleteTenant(TenantID(3)) }),
      ("a person gone", { try one.deleteUser(UserID(11), at: 6) }),
      ("many", { for number in 10..<290 as Range<UInt128> { try add(number, "t-\(number)") } }),
      ("one of many gone", { try store.deleteTenant(TenantID(11)) }),
    ]
    for (what, act) in acts {
      try act()
      try core.rebuild()
      try isAsStored(what)
      #expect(core.snapshots.current.caller(of: other) === otherCaller, "\(what)")
    }
  }

  @Test func limitsFollowWhatIsStored() throws {
    defer { core.stop() }
    try add(1, "one")
    try core.rebuild()
    #expect(limit(1, 100) == 10)
    let one = try core.tenancy.scoped(to: TenantID(1))
    try one.setOverride(LimitOverride(key: nil, dimension: .requestsPerMinute, value: 4))
    try core.rebuild()
    #expect(limit(1, 100) == 4)
    try one.removeOverride(key: nil, dimension: .requestsPerMinute)
    try core.rebuild()
    #expect(limit(1, 100) == 10)
    try one.revokeKey(KeyID(100), at: 1)
    try core.rebuild()
    #expect(limit(1, 100) == nil)
  }

  /// A set under which somebody who is served today could not be served changes nothing, limits included.
  @Test func aRejectedSetLeavesTheLimitsOfTheOldOneInForce() throws {
    defer { core.stop() }
    try add(1, "one")
    try add(2, "two", policy: "q@1")
    try core.rebuild()
    try Self.write(core.configuration.policies, requests: 1000, spare: "{budgets: [5 CHF/day]}")
    core.reloadPolicies()
    #expect(core.policyReloadFault?.contains("two") == true)
    #expect(limit(1, 100) == 10)
    #expect(limit(2, 200) == 7)
    #expect(core.unservableTenants == [])
    try Self.write(core.configuration.policies, requests: 20)
    core.reloadPolicies()
    #expect(core.policyReloadFault == nil)
    #expect(limit(1, 100) == 20)
    try isAsStored("after both")
  }

  /// A tenant whose keys cannot be read is named, and served as soon as they can be, whoever has changed then.
  @Test func whoCouldNotBeServedIsTriedAtTheNextChange() throws {
    defer { core.stop() }
    try add(1, "one")
    try add(2, "two")
    let keys = folder.path + "/data/keysets/\(TenantID(1)).keyset"
    try FileManager.default.moveItem(atPath: keys, toPath: keys + ".away")
    try core.rebuild()
    #expect(core.unservableTenants.count == 1)
    #expect(limit(1, 100) == nil)
    #expect(limit(2, 200) == 10)
    try FileManager.default.moveItem(atPath: keys + ".away", toPath: keys)
    try addKey(201, to: 2)
    try core.rebuild()
    #expect(core.unservableTenants == [])
    #expect(limit(1, 100) == 10)
    // What the last set healed is news when the next one breaks it again.
    try Self.write(core.configuration.policies, requests: 30)
    core.reloadPolicies()
    #expect(limit(2, 201) == 30)
  }
}
