package import Tenancy

/// A tenant as administrators see it.
package struct TenantRecord: Sendable, Hashable {
  package let id: TenantID
  package let slug: Slug
  package let name: String
  /// The policy it is attached to, `id@version`; nil if none is.
  package let policy: String?
  package let suspended: Bool
  package let created: Timestamp

  package init(id: TenantID, slug: Slug, name: String, policy: String?, suspended: Bool, created: Timestamp) {
    self.id = id
    self.slug = slug
    self.name = name
    self.policy = policy
    self.suspended = suspended
    self.created = created
  }
}

package struct ProjectRecord: Sendable, Hashable {
  package let id: ProjectID
  package let slug: Slug
  package let name: String
  package let created: Timestamp

  package init(id: ProjectID, slug: Slug, name: String, created: Timestamp) {
    self.id = id
    self.slug = slug
    self.name = name
    self.created = created
  }
}

/// An API key without its secret.
package struct KeyRecord: Sendable, Hashable {
  package enum State: String, Sendable { case active, revoked, expired }

  package let id: KeyID
  package let name: String
  package let project: ProjectID
  package let user: UserID?
  package let role: String?
  package let state: State
  package let created: Timestamp
  package let expires: Timestamp?
  package let lastUsed: Timestamp?

  package init(
    id: KeyID, name: String, project: ProjectID, user: UserID? = nil, role: String? = nil, state: State,
    created: Timestamp, expires: Timestamp? = nil, lastUsed: Timestamp? = nil
  ) {
    self.id = id
    self.name = name
    self.project = project
    self.user = user
    self.role = role
    self.state = state
    self.created = created
    self.expires = expires
    self.lastUsed = lastUsed
  }
}

/// A person, of a tenant or of the installation.
package struct UserRecord: Sendable, Hashable {
  package let id: UserID
  package let name: String
  package let email: String
  package let suspended: Bool
  package let created: Timestamp

  package init(id: UserID, name: String, email: String, suspended: Bool, created: Timestamp) {
    self.id = id
    self.name = name
    self.email = email
    self.suspended = suspended
    self.created = created
  }
}

/// A new key and its text, which exists nowhere else.
package struct IssuedKey: Sendable {
  package let record: KeyRecord
  package let secret: String

  package init(record: KeyRecord, secret: String) {
    self.record = record
    self.secret = secret
  }
}

/// A new admin token's text, which exists nowhere else.
package struct IssuedToken: Sendable {
  package let secret: String
  package let expires: Timestamp

  package init(secret: String, expires: Timestamp) {
    self.secret = secret
    self.expires = expires
  }
}

package struct TenantDraft: Sendable, Hashable {
  package let slug: Slug
  package let name: String
  package let policy: String?

  package init(slug: Slug, name: String, policy: String?) {
    self.slug = slug
    self.name = name
    self.policy = policy
  }
}

/// Names its tenant itself: an `async` requirement that takes two strings and then a 128-bit id crashes when it is called
/// a second time (Swift 6.3.1 on x86-64); one large value is passed by reference.
package struct ProjectDraft: Sendable, Hashable {
  package let tenant: TenantID
  package let slug: Slug
  package let name: String

  package init(tenant: TenantID, slug: Slug, name: String) {
    self.tenant = tenant
    self.slug = slug
    self.name = name
  }
}

package struct KeyDraft: Sendable, Hashable {
  package let project: ProjectID
  package let name: String
  package let user: UserID?
  package let role: String?
  package let expires: Timestamp?

  package init(project: ProjectID, name: String, user: UserID?, role: String?, expires: Timestamp?) {
    self.project = project
    self.name = name
    self.user = user
    self.role = role
    self.expires = expires
  }
}

package struct UserDraft: Sendable, Hashable {
  /// Nil: a person of the operator.
  package let tenant: TenantID?
  package let name: String
  /// Unlike any other in the tenant.
  package let email: String

  package init(tenant: TenantID?, name: String, email: String) {
    self.tenant = tenant
    self.name = name
    self.email = email
  }
}

package struct BindingDraft: Sendable, Hashable {
  package let user: UserID
  package let role: String
  package let scope: Scope
  package let reason: String
  package let expires: Timestamp?
  package let grantedBy: UserID

  package init(user: UserID, role: String, scope: Scope, reason: String, expires: Timestamp?, grantedBy: UserID) {
    self.user = user
    self.role = role
    self.scope = scope
    self.reason = reason
    self.expires = expires
    self.grantedBy = grantedBy
  }
}
