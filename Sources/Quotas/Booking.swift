/// What an attempt is settled as and where that is booked: enough to correct it once somebody knows what it has cost.
///
/// For attempts that are settled at their worst case because their true cost is known hours or days later.
public struct Booking: Hashable, Sendable {
  /// An amount on one lease, in the unit of its limit.
  public struct Share: Hashable, Sendable {
    public let lease: UInt32
    public let amount: Int64

    public init(lease: UInt32, amount: Int64) {
      self.lease = lease
      self.amount = amount
    }
  }

  public let attempt: UInt128
  public let owner: UsageOwner
  /// The day of admission, as ``UsageRow/day``.
  public let day: Int32
  public let shares: [Share]
  public let totals: UsageTotals

  public init(attempt: UInt128, owner: UsageOwner, day: Int32, shares: [Share], totals: UsageTotals) {
    self.attempt = attempt
    self.owner = owner
    self.day = day
    self.shares = shares
    self.totals = totals
  }
}

extension Booking {
  private static let version: UInt8 = 1

  /// At rest: `u8 version | 5 × u128 | i32 day | 4 × i64 totals | u16 n | n × (u32 lease, i64 amount)`, little endian.
  public var bytes: [UInt8] {
    var bytes: [UInt8] = [Self.version]
    func append<Value: FixedWidthInteger>(_ value: Value) {
      withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
    for id in [attempt, owner.tenant, owner.project, owner.key, owner.user] { append(id) }
    append(day)
    for total in [totals.requests, totals.inputTokens, totals.outputTokens, totals.money] { append(total) }
    append(UInt16(clamping: shares.count))
    for share in shares {
      append(share.lease)
      append(share.amount)
    }
    return bytes
  }

  /// Nil for what ``bytes`` has not written.
  public init?(_ bytes: [UInt8]) {
    let read = bytes.withUnsafeBytes { raw -> Booking? in
      var at = 0
      func next<Value: FixedWidthInteger & BitwiseCopyable>(_: Value.Type) -> Value? {
        guard raw.count - at >= MemoryLayout<Value>.size else { return nil }
        defer { at += MemoryLayout<Value>.size }
        return Value(littleEndian: raw.loadUnaligned(fromByteOffset: at, as: Value.self))
      }
      guard next(UInt8.self) == Self.version, let attempt = next(UInt128.self), let tenant = next(UInt128.self),
        let project = next(UInt128.self), let key = next(UInt128.self), let user = next(UInt128.self),
        let day = next(Int32.self), let requests = next(Int64.self), let input = next(Int64.self),
        let output = next(Int64.self), let money = next(Int64.self), let count = next(UInt16.self)
      else { return nil }
      var shares: [Share] = []
      for _ in 0..<count {
        guard let lease = next(UInt32.self), let amount = next(Int64.self) else { return nil }
        shares.append(Share(lease: lease, amount: amount))
      }
      guard at == raw.count else { return nil }
      return Booking(
        attempt: attempt, owner: UsageOwner(tenant: tenant, project: project, key: key, user: user), day: day,
        shares: shares,
        totals: UsageTotals(requests: requests, inputTokens: input, outputTokens: output, money: money))
    }
    guard let read else { return nil }
    self = read
  }
}
