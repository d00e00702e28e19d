/// Why the quota books cannot be kept or read. What a caller over its limit gets is a ``QuotaRefusal``, not an error.
public struct QuotaError: Error, Sendable, Equatable {
  public enum Code: String, Sendable {
    /// The ledger's store failed, is full or is away.
    case ledgerUnavailable = "ledger_unavailable"
    /// The ledger holds what cannot be: it is not guessed at.
    case ledgerDamaged = "ledger_damaged"
    /// A newer process of this node has taken over; this one may spend nothing more.
    case fenced = "node_fenced"
    /// More limits match one request than are allowed (16 budgets, 16 rates).
    case tooManyLimits = "too_many_limits"
    /// A limit with a negative amount, or a zone that nobody knows.
    case invalidLimit = "invalid_limit"
    /// Another process holds this data folder.
    case folderLocked = "folder_locked"
    /// The node's folder or its flight table cannot be read or written.
    case folderUnusable = "folder_unusable"
  }

  public let code: Code
  /// For the operator; never sent to a caller.
  public let detail: String

  public init(_ code: Code, _ detail: String = "") {
    self.code = code
    self.detail = detail
  }
}
