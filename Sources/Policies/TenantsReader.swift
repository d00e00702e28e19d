public import Tenancy

/// A tenant as `tenants.yaml` declares it.
public struct TenantSpec: Hashable, Sendable {
  public let slug: Slug
  public let name: String
  /// Pinned: `fiduciary@5`.
  public let policy: String
  public let group: String?
  public let timeZone: String?
  public let currency: String?
  /// The policy's plan with the tenant's own narrowings.
  public let plan: PlanSpec?
}

/// Reads `kind: Tenants`.
struct TenantsReader {
  let report: Report

  func tenants(_ node: YAMLNode, policies: [String: EffectivePolicy]) -> [TenantSpec] {
    guard let items = report.list(node, "'tenants'") else { return [] }
    var tenants: [TenantSpec] = []
    for item in items {
      guard let map = MapReader(item, "a tenant", report) else { continue }
      let id = map.requiredText("id")
      let name = map.requiredText("name")
      let policy = map.requiredText("policy")
      let group = map.text("group")
      let zone = map.measured("time-zone") { (text) throws(UnitError) in
        guard (try? Hours(parsing: "00:00-24:00 \(text)")) != nil else {
          throw UnitError(hint: "write it as IANA does: Europe/Berlin")
        }
        return text
      }
      let currency = map.measured("currency", Units.currency)
      var plan: PlanSpec?
      let effective = policy.flatMap { policies[$0.value] }
      if let node = map.node("plan"), let inner = MapReader(node, "'plan'", report) {
        let reader = PlansReader(report: report)
        let fields = reader.fields(inner)
        inner.finish()
        if var spec = effective?.plan, let policy {
          reader.apply(fields, to: &spec, under: Located(value: spec, place: policy.place))
          plan = spec
        }
      }
      map.finish()
      if let policy, effective == nil {
        report.error(
          "there is no policy '\(policy.value)'", at: policy.place,
          hint: Suggestion.hint(for: policy.value, among: Array(policies.keys)))
      }
      guard let id, let name, let policy else { continue }
      guard let slug = Slug(id.value) else {
        report.error(
          "'\(id.value)' is no tenant id", at: id.place, hint: "1 to 63 of a–z, 0–9 and -, as in treuhand-a")
        continue
      }
      if tenants.contains(where: { $0.slug == slug }) {
        report.error("tenant '\(slug)' stands twice", at: id.place)
        continue
      }
      tenants.append(
        TenantSpec(
          slug: slug, name: name.value, policy: policy.value, group: group?.value, timeZone: zone?.value,
          currency: currency?.value, plan: plan))
    }
    return tenants
  }
}
