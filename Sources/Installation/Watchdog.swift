import EventLoop
import Foundation
import Gateway
import Synchronization

/// Tells systemd that the event loops turn, where it wants to know (`WatchdogSec=`): one that hangs has it end the process
/// and start it anew. Nothing else does: a disk or a ledger that hangs is told by `/readyz`, and is no better after a start.
enum Watchdog {
  /// A turn that takes longer is none any more: its loop hangs.
  static let longestNanoseconds: Int64 = 2_000_000_000

  /// - Parameter busySince: When the loop's turn began; 0: it sleeps.
  static func hangs(_ busySince: Int64, at now: Int64) -> Bool {
    busySince != 0 && now - busySince > longestNanoseconds
  }

  /// Seconds between two signs of life: a quarter of what systemd allows, so that one that is left out is no end. Nil: it
  /// does not ask this process.
  /// - Parameters:
  ///   - allowed: `$WATCHDOG_USEC`.
  ///   - asked: `$WATCHDOG_PID`, who is meant.
  ///   - hasRelieved: This process has taken over from the one that is meant.
  static func period(allowed: String?, asked: String?, process: Int32, hasRelieved: Bool) -> Double? {
    guard let allowed, let microseconds = Int64(allowed), microseconds > 0 else { return nil }
    guard hasRelieved || asked.map({ $0 == "\(process)" }) ?? true else { return nil }
    return Double(microseconds) / 4_000_000
  }

  private static let isOver = Atomic<Bool>(false)

  /// Another process is the service from now on: this one's signs of life would hide that it hangs.
  static func end() { isOver.store(true, ordering: .relaxed) }

  /// Gives signs of life for as long as the process is the service.
  static func start(_ loops: [EventLoop], hasRelieved: Bool) {
    let period = period(
      allowed: Environment.value("WATCHDOG_USEC"), asked: Environment.value("WATCHDOG_PID"), process: getpid(),
      hasRelieved: hasRelieved)
    guard let period else { return }
    Thread.detachNewThread {
      let clock = SystemClock()
      while !isOver.load(ordering: .relaxed) {
        let now = clock.monotonicNanoseconds
        if loops.allSatisfy({ !hangs($0.busySince, at: now) }) { ServiceManager.tellAlive() }
        Thread.sleep(forTimeInterval: period)
      }
    }
  }
}
