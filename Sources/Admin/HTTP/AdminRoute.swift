package import Tenancy

/// One route: where it lies, who may use it, what it does. The table of all is `AdminRoutes.all`.
package struct AdminRoute: Sendable {
  package enum Method: String, Sendable, CaseIterable {
    case get = "GET", post = "POST", put = "PUT", delete = "DELETE"
  }

  /// Who may use a route. Any one of the permissions suffices; whoever has none of them is refused.
  package enum Gate: Sendable, Hashable {
    /// Without login: that the process lives, and the description of the API.
    case open
    /// Without login, too; who logs in must do it right, and the answer holds more for whom it may.
    case optional
    /// Everybody who is logged in; the answer holds only what they may see.
    case anyone
    case installation(Permissions)
    /// As `installation`; on this machine any permission at the installation suffices, so that what watches it needs no
    /// power over it. A tenant's people are refused there, too: they come over the same tunnel.
    case observer(Permissions)
    /// The tenant that the path names.
    case tenant(Permissions)
    /// The tenant that the path names, or a project in it; the work then checks the very project.
    case project(Permissions)
  }

  /// What a route does. There is no third kind: what changes or opens something cannot skip the audit.
  package enum Work: Sendable {
    case read(@Sendable (AdminCall) async throws -> AdminResponse)
    case change(@Sendable (AdminCall) async throws -> AuditedAct)
  }

  /// Its name in the description and, for acts, in the audit trail.
  package let name: String
  package let method: Method
  /// Segments; those in braces are parameters.
  package let path: String
  package let gate: Gate
  /// The query parameters that there may be.
  package let query: Set<String>
  let work: Work
  let segments: [String]

  init(
    _ name: String, _ method: Method, _ path: String, _ gate: Gate, query: Set<String> = [], _ work: Work
  ) {
    self.name = name
    self.method = method
    self.path = path
    self.gate = gate
    self.query = query
    self.work = work
    segments = path.split(separator: "/").map(String.init)
  }

  /// The parameters of a path that is this route's; nil if it is not.
  func parameters(in path: [String]) -> [String: String]? {
    guard path.count == segments.count else { return nil }
    var found: [String: String] = [:]
    for (pattern, segment) in zip(segments, path) {
      if pattern.hasPrefix("{") {
        found[String(pattern.dropFirst().dropLast())] = segment
      } else if pattern != segment {
        return nil
      }
    }
    return found
  }
}

/// An act that was checked and is ready: its record is written and confirmed, then it is applied.
package struct AuditedAct: Sendable {
  /// What it is done to; never a secret, never content.
  let target: String
  let reason: String?
  let apply: @Sendable () async throws -> AdminResponse

  init(on target: String, reason: String? = nil, apply: @escaping @Sendable () async throws -> AdminResponse) {
    self.target = target
    self.reason = reason
    self.apply = apply
  }
}
