/// Whose keys open the content of a stream. Order of strictness: `managed` < `write-only` < `off`.
public enum ContentMode: String, Sendable, CaseIterable, Comparable {
  /// The tenant's managed recipient; its private half is wrapped at the installation's key provider.
  case managed
  /// Only the tenant's own public keys: the gateway appends and erases, it cannot read back.
  case writeOnly = "write-only"
  /// Metadata only.
  case off

  var code: UInt8 {
    switch self {
    case .off: 0
    case .managed: 1
    case .writeOnly: 2
    }
  }

  init?(code: UInt8) {
    switch code {
    case 0: self = .off
    case 1: self = .managed
    case 2: self = .writeOnly
    default: return nil
    }
  }

  private var strictness: Int {
    switch self {
    case .managed: 0
    case .writeOnly: 1
    case .off: 2
    }
  }

  // The raw value's own would compare and hash a string for each entry of the log.
  public static func == (left: ContentMode, right: ContentMode) -> Bool { left.code == right.code }

  public func hash(into hasher: inout Hasher) { hasher.combine(code) }

  public static func < (left: ContentMode, right: ContentMode) -> Bool { left.strictness < right.strictness }
}

/// When a record counts as written.
public enum Durability: UInt8, Sendable {
  /// After write(2): kill -9 loses nothing, a power cut at most the last 50 ms.
  case buffered = 0
  /// After fdatasync.
  case strict = 1
}
