public import Batches
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
  public let failedKeys: FailedKeys
  public let providerFaults = ProviderFaults()
  /// Nil: there are no files and batches here.
  public let batches: BatchArchive?

  public init(
    snapshots: SnapshotCell<GatewaySnapshot>, quotas: QuotaGate, log: LogWriter, pepper: [UInt8], limits: Limits,
    readiness: Readiness, batches: BatchArchive? = nil
  ) {
    self.snapshots = snapshots
    self.quotas = quotas
    self.log = log
    self.pepper = pepper
    self.limits = limits
    self.readiness = readiness
    bodies = BodyMemory(limits)
    failedKeys = FailedKeys(limits)
    self.batches = batches
  }
}

/// Whose files and batches are which of a provider's, and the keys under which the values behind placeholders are sealed.
/// Both block: they are asked on the desk's thread alone (``BatchDesk``).
public struct BatchArchive: Sendable {
  public let store: any BatchStore
  public let keys: any KeyProvider

  public init(store: any BatchStore, keys: any KeyProvider) {
    self.store = store
    self.keys = keys
  }
}
