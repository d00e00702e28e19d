/// Why an act of administration was refused or failed; every answer of the Admin API that is not a success is one.
package struct AdminError: Error, Sendable, Equatable {
  package enum Code: String, Sendable, CaseIterable {
    case invalidRequest = "invalid_request"
    case notLoggedIn = "not_logged_in"
    case forbidden = "forbidden"
    case notFound = "not_found"
    case methodNotAllowed = "method_not_allowed"
    case conflict = "conflict"
    case bodyTooLarge = "body_too_large"
    case tooManyFailures = "too_many_failures"
    case limitReached = "limit_reached"
    case misdirected = "misdirected_request"
    case unavailable = "unavailable"
    case internalFailure = "internal"
  }

  /// Stable: clients switch on it.
  package let code: Code
  /// The caller reads it: what happened, nothing internal.
  package let message: String
  /// The caller reads it: what to do next; empty if there is nothing to say.
  package let hint: String
  /// The member, parameter or header at fault, if one is.
  package let param: String?
  /// The operator reads it in the log; it is never sent.
  package let detail: String

  package init(_ code: Code, _ message: String, hint: String = "", param: String? = nil, detail: String = "") {
    self.code = code
    self.message = message
    self.hint = hint
    self.param = param
    self.detail = detail
  }
}

extension AdminError {
  /// One value for "does not exist" and "exists, but not for you": nothing in it tells which.
  package static let notFound = AdminError(
    .notFound, "there is nothing of that name that you may see", hint: "list what is there with the verb 'list'")

  package static let notLoggedIn = AdminError(
    .notLoggedIn, "no valid admin token was sent",
    hint: "send 'Authorization: Bearer tha_…'; a key of an application ('th_…') is not an admin token")

  /// The caller is known here, but holds no role that carries the permission.
  package static func forbidden(_ permission: String) -> AdminError {
    AdminError(
      .forbidden, "your roles do not carry '\(permission)' here",
      hint: "ask whoever administers this tenant for a role that does")
  }

  package static func invalid(_ message: String, param: String? = nil, hint: String = "") -> AdminError {
    AdminError(.invalidRequest, message, hint: hint, param: param)
  }

  /// The HTTP status that carries the error.
  package var status: Int {
    switch code {
    case .invalidRequest: 400
    case .notLoggedIn: 401
    case .forbidden: 403
    case .notFound: 404
    case .methodNotAllowed: 405
    case .conflict: 409
    case .bodyTooLarge: 413
    case .misdirected: 400
    case .tooManyFailures, .limitReached: 429
    case .internalFailure: 500
    case .unavailable: 503
    }
  }
}
