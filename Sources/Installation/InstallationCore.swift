import Batches
import CLinux
import Cryptography
import Gateway
import Glibc
import KeyProviders
import NodeFolder
import Policies
import Quotas
import Routing
import SealedLog
import Staging
import StorageSQLite
import Synchronization
import Tenancy

/// The stores, keys and writers of one installation, opened in the order that a safe start needs, and the snapshot that
/// is made of them. Everything here may block; nothing here runs on an event loop.
final class InstallationCore: Sendable {
  let configuration: ServerConfiguration
  let tenancy: TenancySQLiteStore
  let quotas: QuotaGate
  let log: LogWriter
  let reader: LogReader
  let index: LogIndex
  let keyProvider: FileKeyProvider
  let tenantKeys: TenantKeyFolder
  let snapshots = SnapshotCell(GatewaySnapshot())
  let directories = SnapshotCell(Directory())
  let readiness = Gateway.Readiness()
  let pepper: [UInt8]
  let recovery: QuotaRecovery.Report
  let mailbox: LoopMailbox
  let node: NodeFolder
  let batches: BatchArchive
  private let places: NodePlaces
  private let ledger: SQLiteLedger
  private let heldPlaces = Atomic<Int>(0)
  private let neighbourFault = Mutex<String?>(nil)
  /// The store's change that the snapshot in force was made of.
  private let loadedChange = Atomic<Int64>(-1)
  let logFolder: String
  /// Nil serves without TLS.
  let tls: TLSFiles?
  private let indexer: LogIndexer
  private let policies: Mutex<PolicySet>
  private let builder: Mutex<SnapshotBuilder>
  private let reloadFault = Mutex<String?>(nil)
  private let unservable = Mutex<[String]>([])
  private let journal: Mutex<JournalFile>
  let catchUp: CatchUp

  private struct JournalFile: Sendable {
    var number = 0
    var path: String
  }

  /// Opens or makes everything below the data folder. Recovery of quotas happens here; the log recovers lazily.
  /// - Parameter isRelieving: Another process holds the folder, too, and leaves as soon as this one serves.
  init(_ configuration: ServerConfiguration, loops: Int, isRelieving: Bool = false) throws {
    self.configuration = configuration
    let data = configuration.dataFolder
    try FileBytes.makeFolder(data)
    guard th_forbid_core_dumps() == 0 else {
      throw InstallationError(.storeUnusable, "core dumps cannot be switched off")
    }
    let policies = try Self.loadPolicies(configuration.policies)
    tls = try configuration.tls.map {
      try TLSFiles($0, hosts: configuration.hosts, isProduction: configuration.isProduction)
    }
    let places = NodePlaces(data: data, runtimeFolder: Environment.value("RUNTIME_DIRECTORY"))
    self.places = places
    let node = try isRelieving ? places.openBeside() : places.openAlone()
    self.node = node
    let master = try Secrets.read(configuration.masterKey, isProduction: configuration.isProduction)
    let root = try SecureBytes.derive(
      secret: master, salt: Array("torhaus".utf8), info: Array("torhaus/root/v1".utf8))
    let provider = try FileKeyProvider(folder: data + "/keys", rootKey: root)
    keyProvider = provider
    pepper = try SecureBytes.derive(
      secret: master, salt: Array("torhaus".utf8), info: Array("torhaus/pepper/v1".utf8))
    let tenantKeys = try TenantKeyFolder(folder: data + "/keysets", provider: provider)
    self.tenantKeys = tenantKeys
    tenancy = try TenancySQLiteStore(path: data + "/tenancy.sqlite")
    let ledger = try SQLiteLedger(path: data + "/ledger.sqlite")
    self.ledger = ledger
    batches = BatchArchive(store: try SQLiteBatchStore(path: data + "/batches.sqlite"), keys: provider)
    let held = try places.recoverAbandoned(ledger: ledger, besides: node)
    let recovered = try node.recover(
      ledger: ledger, slots: configuration.limits.openAttempts, knowsRates: !places.views(besides: node).isEmpty)
    recovery = recovered.report
    let mailbox = LoopMailbox()
    self.mailbox = mailbox
    quotas = QuotaGate(
      node: recovered.node, flight: recovered.flight, ledger: ledger, clock: SystemQuotaClock(),
      zones: SystemZoneRules(), wake: { mailbox.wake($0, $1) })
    quotas.start()

    let logFolder = data + "/log"
    self.logFolder = logFolder
    try FileBytes.makeFolder(logFolder)
    let reader = LogReader(
      folder: logFolder, keys: provider,
      tenantKeys: { (tenant) throws(SealedLogError) in try tenantKeys.load(tenant) })
    self.reader = reader
    index = try LogIndex(path: data + "/index.sqlite")
    let indexer = try LogIndexer(index: index, reader: reader)
    self.indexer = indexer
    var options = WriterOptions()
    options.loops = loops
    options.openSegments = Limits.openSegments(descriptors: OpenFiles.limit())
    options.onMetadata = { indexer.feed($0) }
    log = try LogWriter(
      folder: logFolder, node: NodeID(node.id), epoch: node.epoch, keys: provider, journal: node.journalPath,
      options: options, disk: try Self.disk(logFolder, node, data: data), onRoom: { mailbox.room($0) },
      onConfirmed: { mailbox.confirmed($0, $1) })
    indexer.readAfter { [log] in log.flush() }
    journal = Mutex(JournalFile(path: node.journalPath))
    catchUp = CatchUp(readiness)
    self.policies = Mutex(policies)
    let secrets = try Self.credentials(configuration)
    builder = Mutex(
      SnapshotBuilder(
        quotas: quotas, keys: tenantKeys, redaction: RedactionCompiler(), configuration: configuration,
        credentials: secrets))
    heldPlaces.store(held, ordering: .relaxed)
    try load()
    takeUpNeighbours()
  }

  var policySet: PolicySet { policies.withLock { $0 } }
  /// What was wrong with the folder at the last reload; nil if nothing was.
  var policyReloadFault: String? { reloadFault.withLock { $0 } }

  /// Reads who has changed and swaps the snapshot: how every change takes effect, revocation first of all.
  ///
  /// Where that fails it is tried again until it succeeds, and soon nobody is served meanwhile: ``CatchUp``.
  func rebuild() throws {
    do { try load() } catch {
      fallBehind(error)
      throw error
    }
  }

  private func fallBehind(_ error: any Error) { catchUp.begin("\(error)", load: { try self.load() }) }

  private func load() throws {
    try builder.withLock { builder in
      // Read, built and swapped as one: an older reading can never replace a newer one.
      let policies = policySet
      let changes = try tenancy.changes(since: builder.known(under: policies))
      let (snapshot, faults) = builder.build(changes, policies, now: Int64(time(nil)))
      put(snapshot, faults, change: changes.rows.change)
    }
  }

  private func put(_ snapshot: GatewaySnapshot, _ faults: [String], change: Int64) {
    loadedChange.store(change, ordering: .relaxed)
    let known = unservable.withLock { held in
      defer { held = faults }
      return Set(held)
    }
    for fault in faults where !known.contains(fault) { OperatorLog.say(fault) }
    snapshots.swap(snapshot)
    directories.swap(snapshot.directory)
    catchUp.end()
  }

  /// Whether a tenant under this policy could be served; the reason if not.
  func fault(of policy: String, currency: String) -> String? {
    builder.withLock { $0.fault(of: policy, currency: currency, policySet) }
  }

  /// Candidates as a tenant could call them.
  func resolve(_ candidates: [Candidate], for tenant: Tenant, dedicated: Bool) -> [SnapshotBuilder.Resolved] {
    builder.withLock { $0.resolve(candidates, for: tenant, dedicated: dedicated) }
  }

  func probe(of provider: Provider) -> ProbeTarget { builder.withLock { $0.probe(of: provider) } }

  /// Tenants and keys that cannot be served, with the reason; for `/readyz`.
  var unservableTenants: [String] { unservable.withLock { $0 } }

  /// Applies the folder of policies. A broken folder changes nothing and is reported.
  func reloadPolicies() {
    do {
      let set = try Self.loadPolicies(configuration.policies)
      try builder.withLock { builder in
        let changes = DirectoryChanges(try tenancy.loadAll())
        let (snapshot, faults) = builder.build(changes, set, now: Int64(time(nil)), isFresh: true)
        // A set under which somebody who is served today could not be served is a broken set.
        let known = Set(unservableTenants)
        let fault = faults.first { !known.contains($0) }
        if fault == nil { policies.withLock { $0 = set } }
        // Accounts have the limits that they were last asked for with: those of the set that stays in force are set again.
        let (inForce, left) =
          fault == nil ? (snapshot, faults) : builder.build(changes, policySet, now: Int64(time(nil)), isFresh: true)
        put(inForce, left, change: changes.rows.change)
        if let fault { throw InstallationError(.invalidPolicies, fault, place: configuration.policies) }
      }
      reloadFault.withLock { $0 = nil }
    } catch {
      reloadFault.withLock { $0 = "\(error)" }
      OperatorLog.say("the policies were not applied; the old set stays in force\n\(error)")
    }
  }

  /// By way of memory, where there is some that outlives the process.
  private static func disk(_ log: String, _ node: NodeFolder, data: String) throws -> any LogDisk {
    if node.hasLostStaged {
      OperatorLog.say(
        "the last 50 ms of records before the last stop may be missing: the runtime folder was emptied "
          + "(RuntimeDirectoryPreserve=yes keeps it)")
    }
    let disk = try PosixDisk(folder: log)
    guard let staging = node.stagingPath else { return disk }
    let memory: StagedMemory
    do { memory = try StagedMemory(path: staging) } catch {
      OperatorLog.say("each record is written to its file at once: \(error)")
      return disk
    }
    try node.noteStaging(staging)
    return StagedDisk(disk, memory: memory, base: data)
  }

  private static func loadPolicies(_ folder: String) throws -> PolicySet {
    do { return try PolicyLoader.load(folder: folder) } catch {
      throw InstallationError(
        .invalidPolicies, error.message, place: folder,
        hint: ([""] + error.diagnostics.map(\.description)).joined(separator: "\n"))
    }
  }

  private static func credentials(_ configuration: ServerConfiguration) throws -> BoundSecrets {
    func read(_ source: ServerConfiguration.SecretSource) throws -> [UInt8] {
      try Secrets.read(source, isProduction: configuration.isProduction)
    }
    var values = BoundSecrets()
    for (name, kept) in configuration.credentials {
      values[name] = BoundSecret(try read(kept.source), origins: Set(kept.origins))
    }
    for upstream in configuration.openUpstreams {
      guard let source = upstream.credential else { continue }
      values[upstream.id] = BoundSecret(try read(source))
    }
    return values
  }

  /// Begins a new journal file with a snapshot; the old one goes when the ledger has what stood in it.
  func rollJournal() throws {
    try journal.withLock { file in
      let number = file.number + 1
      let path = "\(node.path)/journal/\(node.epoch).\(number).thj"
      var beginning: [UInt8] = []
      quotas.journalSnapshot(into: &beginning)
      try log.switchJournal(to: path, beginning: beginning)
      try quotas.flush()
      unlink(file.path)
      file = JournalFile(number: number, path: path)
    }
  }

  // MARK: Other processes of this data folder

  /// Whether there are any, as of the last look.
  var hasNeighbours: Bool { heldPlaces.load(ordering: .relaxed) > 0 }

  /// What other processes have let through and have open, as of now.
  func takeUpNeighbours() {
    var rates: [UInt64: Int64] = [:]
    for view in places.views(besides: node) { rates.merge(view.rates, uniquingKeysWith: max) }
    quotas.raiseRates(rates)
    noteElsewhere()
  }

  private func noteElsewhere() {
    var open: [LimitScope: Int64] = [:]
    for view in places.views(besides: node, areHeld: true) { open.merge(view.open, uniquingKeysWith: +) }
    quotas.noteElsewhere(open)
  }

  /// Whether the store holds another change than the one in force.
  private func hasChanged() throws -> Bool {
    do { return try tenancy.changeCounter() != loadedChange.load(ordering: .relaxed) } catch {
      fallBehind(error)
      throw error
    }
  }

  /// Applies what another process has changed, and counts what it has open. A few times a second while there is one.
  /// - Parameter recovers: Books what it leaves behind as soon as it is gone.
  /// - Returns: Whether there still is one.
  func lookAtNeighbours(recovers: Bool) -> Bool {
    do {
      if try hasChanged() { try rebuild() }
      noteElsewhere()
      guard recovers else { return true }
      let held = try places.recoverAbandoned(ledger: ledger, besides: node)
      // What it wrote last to its streams of the log, nobody has told the index of.
      if held < heldPlaces.exchange(held, ordering: .relaxed) { indexer.lookAgain() }
      return held > 0
    } catch {
      let fault = "what another process of this folder does cannot be followed: \(error)"
      let isNews = neighbourFault.withLock { known in
        defer { known = fault }
        return known != fault
      }
      if isNews { OperatorLog.say(fault) }
      return true
    }
  }

  /// Ends cleanly: everything is written and reported, leases are given back.
  func stop() {
    catchUp.stop()
    _ = log.drain()
    log.stop()
    if log.isFlushed { do { try node.forgetStaging() } catch { OperatorLog.say("\(error)") } }
    indexer.stop()
    do { try quotas.stop() } catch { OperatorLog.say("the ledger could not be closed: \(error)") }
  }
}
