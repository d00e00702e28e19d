public enum AdminTokenKind {}
/// A token of a person for the Admin API.
public typealias AdminTokenID = Identifier<AdminTokenKind>

/// Whether a tenant's or person's credentials are honoured.
public enum Standing: String, Sendable, CaseIterable { case active, suspended }

/// A client company of the installation.
public struct Tenant: Hashable, Sendable {
  public let id: TenantID
  public var slug: Slug
  public var name: String
  public var standing: Standing
  /// The policy it gets, pinned: `fiduciary@5`.
  public var policy: String
  /// The tag under which several tenants report together.
  public var group: String?
  /// IANA name; days and months of its budgets end by it.
  public var timeZone: String
  /// ISO 4217; money limits are in it.
  public var currency: String
  public let createdAt: Int64

  public init(
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
public struct Project: Hashable, Sendable {
  public let id: ProjectID
  public let tenant: TenantID
  public var slug: Slug
  public var name: String
  public let createdAt: Int64

  public init(id: ProjectID, tenant: TenantID, slug: Slug, name: String, createdAt: Int64) {
    self.id = id
    self.tenant = tenant
    self.slug = slug
    self.name = name
    self.createdAt = createdAt
  }
}

/// A person, of one tenant or of the operator.
public struct User: Hashable, Sendable {
  public let id: UserID
  /// Nil: one of the operator's people.
  public let tenant: TenantID?
  public var name: String
  public var email: String
  public var standing: Standing
  public let createdAt: Int64

  public init(
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
