/// Turns the boot clock into the time that windows are cut by: jumps back reopen nothing, jumps forward grant nothing
/// until the kernel or the operator vouches for them (section 6 of the quotas page).
///
/// Between two looks the time is boot time plus a fixed offset, so the hot path reads one clock only.
public struct WindowClock: Sendable, Equatable {
  /// Beyond it wall clock and boot time disagree for good.
  public static let tolerance: Int64 = 300_000_000_000

  /// Wall time minus boot time.
  public private(set) var offset: Int64
  /// Windows never see a time before this.
  public private(set) var floor: Int64
  /// The wall clock has jumped and nobody has vouched for it.
  public private(set) var isHeld: Bool

  /// - Parameter lastKnown: the last time that journal or ledger has seen, 0 if none.
  public init(wall: Int64, boot: Int64, lastKnown: Int64, isSynchronised: Bool) {
    floor = lastKnown
    let ahead = Amount.difference(wall, lastKnown)
    isHeld = lastKnown > 0 && ahead > Self.tolerance && !isSynchronised
    offset = Amount.difference(isHeld ? lastKnown : wall, boot)
  }

  /// The time for windows.
  public func now(boot: Int64) -> Int64 { max(Amount.sum(boot, offset), floor) }

  /// Looks at both clocks; call it several times a second.
  public mutating func look(wall: Int64, boot: Int64, isSynchronised: Bool) {
    floor = now(boot: boot)
    let fresh = Amount.difference(wall, boot)
    let drift = Amount.difference(fresh, offset)
    if drift.magnitude <= UInt64(Self.tolerance) || isSynchronised {
      offset = fresh
      isHeld = false
    } else {
      isHeld = true
    }
  }

  /// The operator says that the wall clock is right (`torhausctl quota clock accept`).
  public mutating func accept(wall: Int64, boot: Int64) {
    floor = now(boot: boot)
    offset = Amount.difference(wall, boot)
    isHeld = false
  }
}
