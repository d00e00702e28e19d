package import Routing
package import Tenancy

/// The checked content of `policies/`: immutable, named by its hash, swapped as one.
package final class PolicySet: Sendable {
  /// Hex of SHA-256 over the canonical form of all documents but tests.
  package let hash: String
  package let routes: RouteTable
  package let roles: RoleCatalog
  package let plans: [String: PlanSpec]
  package let redaction: [String: RedactionProfileSpec]
  package let detection: [String: DetectionProfileSpec]
  /// By pinned id, `fiduciary@5`.
  package let policies: [String: EffectivePolicy]
  package let tenants: [TenantSpec]
  package let tests: [PolicyTestCase]
  package let warnings: [PolicyDiagnostic]
  let prices: [PriceSource]
  /// The files it was made of, for the store and for rollback.
  package let files: [PolicyFile]
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
  package func changedWithoutNewVersion(since applied: PolicySet) -> [String] {
    documentHashes.filter { id, hash in applied.documentHashes[id].map { $0 != hash } ?? false }.map(\.key).sorted()
  }

  /// The plan of a tenant: its own narrowing in `tenants.yaml`, else its policy's.
  package func plan(of tenant: Slug, policy: String) -> PlanSpec? {
    if let spec = tenants.first(where: { $0.slug == tenant && $0.policy == policy }), let plan = spec.plan {
      return plan
    }
    return policies[policy]?.plan
  }
}

/// A file of the folder: its name relative to it, and its bytes.
package struct PolicyFile: Hashable, Sendable {
  package let name: String
  package let bytes: [UInt8]

  package init(name: String, bytes: [UInt8]) {
    self.name = name
    self.bytes = bytes
  }
}
