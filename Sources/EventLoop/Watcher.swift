/// What a watcher wants to hear of a descriptor. Errors and a full hang-up are always told.
public struct Interest: OptionSet, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// There is something to read, or the end of it.
  public static let readable = Interest(rawValue: 1)
  /// There is room to write.
  public static let writable = Interest(rawValue: 2)
  /// The peer will send nothing more, even if what it has sent was not read yet.
  public static let peerClosed = Interest(rawValue: 4)
}

/// What the kernel tells of a descriptor.
public struct Events: OptionSet, Sendable {
  /// The events' bits.
  public let rawValue: UInt8
  /// - Parameter rawValue: The sum of the events' bits.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// There is something to read, or the end of it.
  public static let readable = Events(rawValue: 1)
  /// There is room to write.
  public static let writable = Events(rawValue: 2)
  /// The peer will send nothing more.
  public static let peerClosed = Events(rawValue: 4)
  /// Both directions have ended, or an error waits on the descriptor.
  public static let failed = Events(rawValue: 8)
}

/// Told when a descriptor that it watches is ready; on the loop, outside of any other watcher's call.
///
/// A report can be out of date: what an earlier report of the same turn has closed may have come back as another
/// descriptor of the same number. Watchers read and write without blocking and take "nothing yet" for an answer.
///
/// A class to inherit from and no protocol: the table of watchers holds them unretained, and Swift 6.3 lays out unretained
/// existentials in two ways. `open` because only that can be inherited from in another module.
open class Watcher {
  /// Whether it is told after the others of its turn.
  let isToldLater: Bool

  /// A watcher of nothing yet.
  /// - Parameter isToldLater: True for one of the two kinds that a loop has, so that each is told in one go.
  public init(isToldLater: Bool = false) { self.isToldLater = isToldLater }

  /// Something has happened that ``EventLoop/watch(_:_:by:)`` asked for, or an error.
  open func ready(_ descriptor: Int32, _ events: Events) {}
}
