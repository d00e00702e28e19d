/// Whether a prompt may fit into any of an alias's models, told candidate by candidate.
///
/// Only what is certain counts: a prompt that is surely longer than a model's context, or a context that is not larger
/// than one into which it did not fit.
public struct ContextCheck: Sendable {
  /// The prompt has at least so many tokens.
  public let least: Int64
  /// A provider has said that the prompt does not fit into so many; nil: none has.
  public let refusedBy: Int64?
  private var isFit = false
  /// The largest context into which it does not fit.
  private var largest: Int64?

  public init(least: Int64, refusedBy: Int64?) {
    self.least = least
    self.refusedBy = refusedBy
  }

  /// Whether the prompt may fit into a model; that it does not is noted. Asks for its context alone: with every request,
  /// a call with all of the model would be given a copy.
  public mutating func admits(context: Int64?) -> Bool {
    if Self.admits(context: context, least: least, refusedBy: refusedBy) {
      isFit = true
      return true
    }
    largest = max(largest ?? 0, context ?? refusedBy ?? 0)
    return false
  }

  /// The largest context that was met, where the prompt fits into none.
  public var refused: Int64? { isFit ? nil : largest }

  /// A context that nobody wrote down takes any prompt, but none that did not fit elsewhere: nobody knows that it is
  /// larger.
  public static func admits(context: Int64?, least: Int64, refusedBy: Int64?) -> Bool {
    guard let context else { return refusedBy == nil }
    return least <= context && refusedBy.map { context > $0 } ?? true
  }
}
