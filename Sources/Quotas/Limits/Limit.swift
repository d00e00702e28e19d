/// What a limit counts.
public enum Dimension: UInt8, Hashable, Sendable, CaseIterable {
  case requests = 1
  /// Input and output together.
  case tokens = 2
  case inputTokens = 3
  case outputTokens = 4
  /// 10⁻⁹ units of the tenant's currency.
  case money = 5
  /// Exchanges open at once.
  case concurrency = 6
}

/// The period of a rate.
public enum RatePeriod: UInt8, Hashable, Sendable {
  case minute = 1
  case hour = 2

  var nanoseconds: Int64 { self == .minute ? 60_000_000_000 : 3_600_000_000_000 }
}

/// The calendar window of a budget.
public enum BudgetPeriod: UInt8, Hashable, Sendable {
  case day = 1
  /// Monday to Sunday.
  case week = 2
  case month = 3
  /// One window without end.
  case total = 4
}

/// What happens at the limit.
public enum LimitMode: UInt8, Hashable, Sendable {
  /// Refuses.
  case hard = 1
  /// Never blocks, warns from 80 %.
  case soft = 2
  /// Never blocks, is only counted.
  case shadow = 3
}

/// Whose limit it is.
public struct LimitScope: Hashable, Sendable {
  public enum Level: UInt8, Hashable, Sendable {
    case tenant = 1
    case project = 2
    case user = 3
    case key = 4
  }

  public let level: Level
  public let id: UInt128

  public init(_ level: Level, _ id: UInt128) {
    self.level = level
    self.id = id
  }
}

/// One limit of a tenant, project, user or key.
public struct Limit: Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    case rate(RatePeriod)
    /// `zone`: the tenant's IANA time zone, in which windows begin at midnight.
    case budget(BudgetPeriod, zone: String)
    case concurrent
  }

  /// Stable over restarts and changes of amount and zone: made of scope, dimension, kind, mode and alias.
  public let id: UInt64
  public let scope: LimitScope
  public let dimension: Dimension
  public let kind: Kind
  /// Units of the dimension; 0 refuses everything.
  public let amount: Int64
  public let mode: LimitMode
  /// For error texts: "tokens per day of the tenant".
  public let name: String

  /// - Parameter alias: 0, or a stable number of the alias that the limit is restricted to.
  /// - Throws: ``QuotaError`` `invalid_limit` for a negative amount or a dimension that does not go with the kind.
  public init(
    scope: LimitScope, dimension: Dimension, kind: Kind, amount: Int64, mode: LimitMode = .hard, name: String,
    alias: UInt64 = 0
  ) throws(QuotaError) {
    guard amount >= 0, (kind == .concurrent) == (dimension == .concurrency) else {
      throw QuotaError(.invalidLimit, name)
    }
    self.scope = scope
    self.dimension = dimension
    self.kind = kind
    self.amount = amount
    self.mode = mode
    self.name = name
    id = Self.stableID(scope: scope, dimension: dimension, kind: kind, mode: mode, alias: alias)
  }

  /// FNV-1a over the parts, finished as in SplitMix64. Scope ids are random 128-bit numbers, so nobody can aim at a
  /// collision.
  private static func stableID(
    scope: LimitScope, dimension: Dimension, kind: Kind, mode: LimitMode, alias: UInt64
  ) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    add(scope.level.rawValue)
    for shift in stride(from: 120, through: 0, by: -8) { add(UInt8(truncatingIfNeeded: scope.id >> UInt128(shift))) }
    add(dimension.rawValue)
    switch kind {
    case .rate(let period): add(0x10 | period.rawValue)
    case .budget(let period, _): add(0x20 | period.rawValue)
    case .concurrent: add(0x30)
    }
    // A limit that warns stands beside the one that refuses: it has books of its own.
    if mode != .hard { add(0x40 | mode.rawValue) }
    for shift in stride(from: 56, through: 0, by: -8) { add(UInt8(truncatingIfNeeded: alias >> UInt64(shift))) }
    hash = (hash ^ (hash >> 30)) &* 0xBF58_476D_1CE4_E5B9
    hash = (hash ^ (hash >> 27)) &* 0x94D0_49BB_1331_11EB
    return hash ^ (hash >> 31)
  }
}
