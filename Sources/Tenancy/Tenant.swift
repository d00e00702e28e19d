package enum AdminTokenKind {}
/// A token of a person for the Admin API.
package typealias AdminTokenID = Identifier<AdminTokenKind>

/// Whether a tenant's or person's credentials are honoured.
package enum Standing: String, Sendable, CaseIterable { case active, suspended }

/// A client company of the installation.
package struct Tenant: Hashable, Sendable {
  package let id: TenantID
  package var slug: Slug
  package var name: String
  package var standing: Standing
  /// The policy it gets, pinned: `fiduciary@5`.
  package var policy: String
  /// The tag under which several tenants report together.
  package var group: String?
  /// IANA name; days and months of its budgets end by it.
  package var timeZone: String
  /// ISO 4217; money limits are in it.
  package var currency: String
  package let createdAt: Int64

  package init(
    id: TenantID, slug: Slug, name: String, standing: Standing = .active, policy: String, group: String? = nil,
    timeZone: String = "Europe/Zurich", currency: String = "EUR", createdAt: Int64
  ) {
    self.id = id
    self.slug = slug
    self.name = name
    self.standing = standing
    self.policy = policy
    self.group = group
    self.timeZone = timeZone
    self.currency = currency
    self.createdAt = createdAt
  }
}

/// A department or application of a tenant; keys belong to it.
package struct Project: Hashable, Sendable {
  package let id: ProjectID
  package let tenant: TenantID
  package var slug: Slug
  package var name: String
  package let createdAt: Int64

  package init(id: ProjectID, tenant: TenantID, slug: Slug, name: String, createdAt: Int64) {
    self.id = id
    self.tenant = tenant
    self.slug = slug
    self.name = name
    self.createdAt = createdAt
  }
}

/// A person, of one tenant or of the operator.
package struct User: Hashable, Sendable {
  package let id: UserID
  /// Nil: one of the operator's people.
  package let tenant: TenantID?
  package var name: String
  package var email: String
  package var standing: Standing
  package let createdAt: Int64

  package init(
    id: UserID, tenant: TenantID?, name: String, email: String, standing: Standing = .active, createdAt: Int64
  ) {
    self.id = id
    self.tenant = tenant
    self.name = name
    self.email = email
    self.standing = standing
    self.createdAt = createdAt
  }
}
