import Admin
import Cryptography
import EventLoop
import Gateway
import Glibc
import Policies
import SealedLog
import StorageSQLite
import Tenancy

/// Answers the Admin API from the installation's stores. A change is durable first and then in force: the snapshot is
/// rebuilt before the call returns, so that a revoked key is dead when its administrator reads so.
final class Administration: Sendable {
  let core: InstallationCore
  /// Tenants, people and keys.
  let tenancy: StoredTenancy
  /// The loops' pipelines: each has breakers of its own.
  let pipelines: [LoopBound<RequestPipeline>]
  /// The loops' counters.
  let counters: [LoopCounters]

  init(core: InstallationCore, pipelines: [LoopBound<RequestPipeline>], counters: [LoopCounters]) {
    self.core = core
    self.pipelines = pipelines
    self.counters = counters
    tenancy = StoredTenancy(
      store: core.tenancy,
      surroundings: StoredTenancy.Surroundings(
        directory: { core.directories.current }, roles: { core.policySet.roles }, publish: { try Self.publish(core) },
        clock: Self.clock, pepper: core.pepper, standardPolicy: core.configuration.defaultPolicy ?? "",
        standardKeyRole: "app", makeTenant: { try Self.makeTenant($0, $1, $2, core) }))
  }

  /// Puts what has been stored in force.
  static func publish(_ core: InstallationCore) throws {
    do { try core.rebuild() } catch {
      throw AdminError(
        .unavailable, "the change is stored, but people and keys cannot be read to put it in force",
        hint: "it is tried again by itself, and soon nobody is served until it succeeds: see 'torhausctl doctor'",
        detail: "\(error)")
    }
  }

  private static let clock = AdminClock(
    now: { Timestamp(nanoseconds: SystemClock().wallNanoseconds) },
    monotonic: { SystemClock().monotonicNanoseconds })

  func services(metrics: any MetricsText) -> AdminServices {
    AdminServices(
      tenancy: tenancy, quotas: self, usage: self, routes: self, providers: self, log: self,
      audit: StoredAuditTrail(store: core.tenancy),
      health: self, metrics: metrics, clock: Self.clock,
      makeRequestID: { RequestID((try? SecureBytes.randomID()) ?? 0).text })
  }

  /// The keys come first: a tenant without keys could not be logged, and so not be served.
  static func makeTenant(_ draft: TenantDraft, _ id: TenantID, _ now: Int64, _ core: InstallationCore) throws
    -> Tenant
  {
    let tenant = Tenant(
      id: id, slug: draft.slug, name: draft.name, policy: try policy(draft.policy, core),
      timeZone: core.configuration.timeZone, currency: core.configuration.currency, createdAt: now)
    guard try !exists(draft.slug, core) else {
      throw TenancyError(.conflict, "A tenant '\(draft.slug)' exists.")
    }
    if let fault = core.fault(of: tenant.policy, currency: tenant.currency) {
      throw TenancyError(.invalid, "No tenant can be served under '\(tenant.policy)' now: \(fault)")
    }
    _ = try core.tenantKeys.create(id)
    return tenant
  }

  private static func exists(_ slug: Slug, _ core: InstallationCore) throws -> Bool {
    do throws(TenancyError) {
      _ = try core.tenancy.tenant(named: slug)
      return true
    } catch {
      guard error.code == .notFound else { throw error }
      return false
    }
  }

  /// The policy asked for, or the newest version of its name.
  private static func policy(_ wanted: String?, _ core: InstallationCore) throws -> String {
    let known = core.policySet.policies.keys.sorted()
    guard let wanted = wanted ?? core.configuration.defaultPolicy else {
      throw TenancyError(.invalid, "Name the tenant's policy; there are: \(known.joined(separator: ", ")).")
    }
    if known.contains(wanted) { return wanted }
    func version(_ id: String) -> Int { id.split(separator: "@").last.flatMap { Int($0) } ?? 0 }
    guard let newest = known.filter({ $0.hasPrefix("\(wanted)@") }).max(by: { version($0) < version($1) }) else {
      throw TenancyError(
        .invalid, "There is no policy '\(wanted)'; there are: \(known.joined(separator: ", ")).")
    }
    return newest
  }
}
