package import Quotas
package import SealedLog
package import Tenancy

/// What all loops share: snapshots, quotas and the log's writer. Everything in it is safe from any thread.
package final class GatewayServices: Sendable {
  package let snapshots: SnapshotCell<GatewaySnapshot>
  package let quotas: QuotaGate
  package let log: LogWriter
  /// The pepper of key digests; each loop keeps its own context of it.
  package let pepper: [UInt8]
  package let limits: Limits
  package let readiness: Readiness
  package let bodies: BodyMemory

  package init(
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
