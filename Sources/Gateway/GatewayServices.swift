public import Quotas
public import SealedLog
public import Tenancy

/// What all loops share: snapshots, quotas and the log's writer. Everything in it is safe from any thread.
public final class GatewayServices: Sendable {
  public let snapshots: SnapshotCell<GatewaySnapshot>
  public let quotas: QuotaGate
  public let log: LogWriter
  /// The pepper of key digests; each loop keeps its own context of it.
  public let pepper: [UInt8]
  public let limits: Limits
  public let readiness: Readiness
  public let bodies: BodyMemory

  public init(
    snapshots: SnapshotCell<GatewaySnapshot>, quotas: QuotaGate, log: LogWriter, pepper: [UInt8], limits: Limits,
    readiness: Readiness
  ) {
    self.snapshots = snapshots
    self.quotas = quotas
    self.log = log
    self.pepper = pepper
    self.limits = limits
    self.readiness = readiness
    bodies = BodyMemory(limits)
  }
}
