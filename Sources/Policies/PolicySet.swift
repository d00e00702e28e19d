public import Routing
public import Tenancy

/// The checked content of `policies/`: immutable, named by its hash, swapped as one.
public final class PolicySet: Sendable {
  /// Hex of SHA-256 over the canonical form of all documents but tests.
  public let hash: String
  public let routes: RouteTable
  public let roles: RoleCatalog
  public let plans: [String: PlanSpec]
  public let redaction: [String: RedactionProfileSpec]
  public let detection: [String: DetectionProfileSpec]
  /// By pinned id, `fiduciary@5`.
  public let policies: [String: EffectivePolicy]
  public let tenants: [TenantSpec]
  public let tests: [PolicyTestCase]
  public let warnings: [PolicyDiagnostic]
  let prices: [PriceSource]
  /// The files it was made of, for the store and for rollback.
  public let files: [PolicyFile]
  /// Hash of each policy document by its pinned id: a document that changes needs a new version.
  let documentHashes: [String: String]

  init(
    hash: String, routes: RouteTable, roles: RoleCatalog, plans: [String: PlanSpec],
    redaction: [String: RedactionProfileSpec], detection: [String: DetectionProfileSpec],
    policies: [String: EffectivePolicy], tenants: [TenantSpec], tests: [PolicyTestCase],
    prices: [PriceSource], warnings: [PolicyDiagnostic], files: [PolicyFile], documentHashes: [String: String]
  ) {
    self.hash = hash
    self.routes = routes
    self.roles = roles
    self.plans = plans
    self.redaction = redaction
    self.detection = detection
    self.policies = policies
    self.tenants = tenants
    self.tests = tests
    self.prices = prices
    self.warnings = warnings
    self.files = files
    self.documentHashes = documentHashes
  }

  /// Policies that differ from those applied under the same version; such a set is not applied.
  public func changedWithoutNewVersion(since applied: PolicySet) -> [String] {
    documentHashes.filter { id, hash in applied.documentHashes[id].map { $0 != hash } ?? false }.map(\.key).sorted()
  }

  /// The plan of a tenant: its own narrowing in `tenants.yaml`, else its policy's.
  public func plan(of tenant: Slug, policy: String) -> PlanSpec? {
    if let spec = tenants.first(where: { $0.slug == tenant && $0.policy == policy }), let plan = spec.plan {
      return plan
    }
    return policies[policy]?.plan
  }
}

/// A file of the folder: its name relative to it, and its bytes.
public struct PolicyFile: Hashable, Sendable {
  public let name: String
  public let bytes: [UInt8]

  public init(name: String, bytes: [UInt8]) {
    self.name = name
    self.bytes = bytes
  }
}
