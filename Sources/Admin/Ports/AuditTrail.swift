package import Tenancy

/// The record of who changed or opened what. Part of the sealed log; append-only.
package protocol AuditTrail: Sendable {
  /// Returns when the entry is as safe as the log makes it; the act happens after that or not at all.
  func append(_ entry: AuditEntry) async throws
  /// Newest first; acts in one tenant, or those on the installation for nil.
  func entries(of tenant: TenantID?, limit: Int, cursor: String?) async throws -> AuditPage
}

package struct AuditPage: Sendable, Hashable {
  package let entries: [AuditEntry]
  /// Nil on the last page.
  package let next: String?

  package init(entries: [AuditEntry], next: String?) {
    self.entries = entries
    self.next = next
  }
}

package struct AuditEntry: Sendable, Hashable {
  package enum Outcome: String, Sendable {
    /// Written before the act.
    case intended
    /// A second entry, if the act then failed.
    case failed
  }

  package let time: Timestamp
  package let actor: UserID
  package let actorName: String
  /// The route's name, for example `key.revoke`.
  package let action: String
  package let tenant: TenantID?
  /// What it was done to; never a secret, never content.
  package let target: String
  package let reason: String?
  package let outcome: Outcome
  package let requestID: String

  package init(
    time: Timestamp, actor: UserID, actorName: String, action: String, tenant: TenantID?, target: String,
    reason: String?, outcome: Outcome, requestID: String
  ) {
    self.time = time
    self.actor = actor
    self.actorName = actorName
    self.action = action
    self.tenant = tenant
    self.target = target
    self.reason = reason
    self.outcome = outcome
    self.requestID = requestID
  }
}
