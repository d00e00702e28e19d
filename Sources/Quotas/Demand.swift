/// The worst case of one attempt: what is set aside before it is sent (section 3 of the quotas page).
public struct Demand: Sendable, Equatable {
  /// How long an exchange counts as open when its end is never reported.
  public static let defaultDeadlineNanoseconds: Int64 = 900_000_000_000

  public var requests: Int64
  /// Upper bound, never below truth.
  public var inputTokens: Int64
  /// Output cap × n.
  public var outputTokens: Int64
  /// 10⁻⁹ units, dearest price the request allows.
  public var money: Int64
  /// From now; after it the exchange no longer counts against concurrency limits, whatever was forgotten.
  public var deadlineNanoseconds: Int64

  public init(
    requests: Int64 = 1, inputTokens: Int64, outputTokens: Int64, money: Int64,
    deadlineNanoseconds: Int64 = Demand.defaultDeadlineNanoseconds
  ) {
    self.requests = requests
    self.inputTokens = inputTokens
    self.outputTokens = outputTokens
    self.money = money
    self.deadlineNanoseconds = deadlineNanoseconds
  }

  /// False for what no sum may be made of: negative or absurd figures.
  var isSane: Bool {
    let limit = Amount.ceiling
    return (0...limit).contains(requests) && (0...limit).contains(inputTokens) && (0...limit).contains(outputTokens)
      && (0...limit).contains(money)
  }

  /// Only for sane demands: two of them cannot overflow.
  @inline(__always) subscript(dimension: Dimension) -> Int64 {
    switch dimension {
    case .requests: requests
    case .tokens: inputTokens &+ outputTokens
    case .inputTokens: inputTokens
    case .outputTokens: outputTokens
    case .money: money
    case .concurrency: 1
    }
  }
}

/// How an attempt ended: the rows of section 5 of the quotas page.
public enum Exit: UInt8, Sendable, CaseIterable {
  case complete = 1
  case completeUsageMissing = 2
  /// Refused before sending, or connect, DNS or TLS failed: costs nothing.
  case notSent = 3
  case upstreamError = 4
  case upstreamErrorWithUsage = 5
  case lostBeforeStatus = 6
  case clientGoneEarly = 7
  case clientGone = 8
  case upstreamCut = 9
  case endedByGate = 10
  case crash = 14
}

/// Marks on a settlement; several may hold.
public struct SettlementFlags: OptionSet, Sendable, Hashable {
  public let rawValue: UInt16
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  public static let estimated = SettlementFlags(rawValue: 1)
  public static let released = SettlementFlags(rawValue: 2)
  public static let upstreamError = SettlementFlags(rawValue: 4)
  public static let unknownUpstream = SettlementFlags(rawValue: 8)
  public static let aborted = SettlementFlags(rawValue: 16)
  public static let cut = SettlementFlags(rawValue: 32)
  public static let ended = SettlementFlags(rawValue: 64)
  public static let suspect = SettlementFlags(rawValue: 128)
  /// Cost more than was reserved (row 13); set by the gate.
  public static let overdraft = SettlementFlags(rawValue: 256)
  public static let unreconciled = SettlementFlags(rawValue: 512)
}

/// What an attempt truly cost.
public struct Actual: Sendable, Equatable {
  public var inputTokens: Int64
  public var outputTokens: Int64
  /// 10⁻⁹ units.
  public var money: Int64
  public var exit: Exit
  public var flags: SettlementFlags

  public init(
    inputTokens: Int64, outputTokens: Int64, money: Int64, exit: Exit = .complete, flags: SettlementFlags = []
  ) {
    self.inputTokens = inputTokens
    self.outputTokens = outputTokens
    self.money = money
    self.exit = exit
    self.flags = flags
  }

  /// Figures that no sum may be made of become the nearest that one may: nothing here can make us trap.
  var sane: Actual {
    guard exit != .notSent else {
      return Actual(inputTokens: 0, outputTokens: 0, money: 0, exit: exit, flags: flags.union(.released))
    }
    var copy = self
    copy.inputTokens = Amount.clamped(inputTokens)
    copy.outputTokens = Amount.clamped(outputTokens)
    copy.money = Amount.clamped(money)
    if copy != self { copy.flags.insert(.suspect) }
    return copy
  }

  /// Only for sane values.
  @inline(__always) subscript(dimension: Dimension) -> Int64 {
    switch dimension {
    case .requests: exit == .notSent ? 0 : 1
    case .tokens: inputTokens &+ outputTokens
    case .inputTokens: inputTokens
    case .outputTokens: outputTokens
    case .money: money
    case .concurrency: 0
    }
  }
}

/// Sums that stop at the ends instead of trapping.
enum Amount {
  /// About 1.1 × 10¹⁵: no single request is larger (1.1 million units of money), a thousand of them fit any sum.
  static let ceiling: Int64 = 1 << 50

  static func clamped(_ value: Int64) -> Int64 { min(max(value, 0), ceiling) }

  @inline(__always) static func sum(_ left: Int64, _ right: Int64) -> Int64 {
    let (value, overflow) = left.addingReportingOverflow(right)
    return overflow ? (right > 0 ? .max : .min) : value
  }

  @inline(__always) static func difference(_ left: Int64, _ right: Int64) -> Int64 {
    let (value, overflow) = left.subtractingReportingOverflow(right)
    return overflow ? (right > 0 ? .min : .max) : value
  }
}
