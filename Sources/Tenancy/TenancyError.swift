/// Why an act on tenants, people, keys or roles was refused. Nothing was changed then.
public struct TenancyError: Error, Sendable, Equatable {
  public enum Code: String, Sendable {
    /// No such thing, or it belongs to somebody else: the two are told apart nowhere.
    case notFound = "not_found"
    /// The name is taken, or the thing is not in a state that allows the act.
    case conflict = "conflict"
    /// A value breaks the rule of its field.
    case invalid = "invalid_value"
    /// The caller lacks the permission, or would grant what they do not hold.
    case forbidden = "forbidden"
    /// The store failed or refused; `detail` says how.
    case storage = "storage_unavailable"
    /// The file was written by a newer version.
    case newerSchema = "newer_schema"
  }

  public let code: Code
  /// The caller reads it: what happened, what to do next.
  public let message: String
  /// The operator reads it in the log; never sent.
  public let detail: String

  public init(_ code: Code, _ message: String, detail: String = "") {
    self.code = code
    self.message = message
    self.detail = detail
  }

  /// One text for unknown and foreign.
  public static func unknown(_ kind: String) -> TenancyError {
    TenancyError(.notFound, "There is no such \(kind). Check the id or name.")
  }
}
