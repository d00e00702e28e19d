import Batches
import Cryptography
import Dispatch
import Foundation
import Inference
import JSONText
import KeyProviders
import Policies
import Quotas
import Redaction
import Routing
import SealedLog
import Synchronization
import Tenancy
import Testing

@testable import Gateway

/// A whole data plane without its adapters: real quotas over a ledger in memory, a real log in a temporary folder, a real
/// redaction profile; the client, the sender and the clock are doubles. One thread is the event loop: the test's.
final class TestGate {
  /// Tokens or tickets that other threads have for the loop.
  private final class Box: Sendable {
    private let held = Mutex<[UInt64]>([])
    func add(_ more: [UInt64]) { held.withLock { $0 += more } }
    func take() -> [UInt64] {
      held.withLock { held in
        defer { held = [] }
        return held
      }
    }
  }

  private final class Records: Sendable {
    private let held = Mutex<[MetadataRecord]>([])
    func add(_ more: [MetadataRecord]) { held.withLock { $0 += more } }
    var all: [MetadataRecord] { held.withLock { $0 } }
  }

  /// The figures of a META record that tests look at.
  struct Meta: Decodable {
    struct Tokens: Decodable {
      let input: Int64
      let output: Int64
    }
    let request_id: String
    let status: Int
    let exit: Int
    let flags: Int
    let attempt: Int
    let tokens: Tokens
    let cost: Int64
    let stream: Int  // 0 or 1
    let provider: String?
    let route: String?
    let price_tier: String?
    let long_prompt: Int?
    let findings: [String: Int]
  }

  let clock = GateClock()
  let ledger = MemoryLedger()
  let quotas: QuotaGate
  let log: LogWriter
  let disk: SwitchableDisk
  let reader: LogReader
  let pipeline: RequestPipeline
  let upstream = RecordingUpstream()
  let snapshots = SnapshotCell(GatewaySnapshot())
  let readiness = Readiness()
  let batches = MemoryBatchStore()
  let keyProvider = MemoryKeyProvider()
  let key: [UInt8]
  /// What the node journal's path ends in.
  static let journalName = "node.thj"

  private let root: String
  private let wakes = Box()
  private let confirmations = Box()
  private let returns = Box()
  private let rooms = Box()
  private var helpers: Helpers?
  private var desk: BatchDesk?
  private let records = Records()
  private let journalPath: String
  private let setup: GateSetup
  private let policies: PolicySet
  private let keys: TenantKeys
  private let keyRow: APIKey

  init(_ setup: GateSetup = GateSetup(), isServing: Bool = true) throws {
    self.setup = setup
    let base = FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
    root = "\(base)/gateway-\(UUID().uuidString)"
    let folder = "\(root)/log"
    journalPath = "\(root)/\(Self.journalName)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)

    let node: UInt128 = 77
    _ = try ledger.open(node: node, epoch: 1)
    let (wakes, confirmations, records, rooms) = (wakes, confirmations, records, rooms)
    quotas = QuotaGate(
      node: QuotaGate.Node(id: node, epoch: 1), flight: HeapFlightMemory(slots: 256, rates: 16), ledger: ledger,
      clock: clock.quotas, zones: UTCRules(), wake: { _, tickets in wakes.add(tickets) })

    let provider = keyProvider
    let keys = try TenantKeys.create(tenant: GateSetup.tenant, provider: provider)
    self.keys = keys
    var options = setup.writer
    options.onMetadata = { records.add($0) }
    disk = try SwitchableDisk(folder: folder)
    log = try LogWriter(
      folder: folder, node: NodeID(node), epoch: 1, keys: provider, journal: journalPath, options: options, disk: disk,
      onRoom: { rooms.add([UInt64($0)]) }, onConfirmed: { _, tokens in confirmations.add(tokens) })
    reader = LogReader(folder: folder, keys: provider, tenantKeys: { (_) throws(SealedLogError) in keys })

    let pepper = [UInt8](repeating: 9, count: 32)
    let made = try KeyToken.generate(.apiKey) { (count) throws(CryptographyError) in
      (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
    }
    key = made.text
    keyRow = APIKey(
      id: KeyID(made.token.id), tenant: GateSetup.tenant, project: GateSetup.project, name: "test", role: setup.role,
      digest: try KeyToken.digest(of: made.text, pepper: try HMACKey(pepper)), createdAt: 0)
    policies = try PolicyLoader.load(
      files: [PolicyFile(name: "test.yaml", bytes: Array(GateSetup.policies.utf8))])
    let services = GatewayServices(
      snapshots: snapshots, quotas: quotas, log: log, pepper: pepper, limits: setup.limits, readiness: readiness,
      batches: BatchArchive(store: batches, keys: provider))
    pipeline = try RequestPipeline(services: services, loop: 0, clock: clock)
    pipeline.upstreamPort = upstream
    if setup.hasHelpers {
      let returns = returns
      helpers = try Helpers(2, services: services, clock: clock) { _, ticket in returns.add([ticket]) }
      pipeline.helpers = helpers
      desk = try BatchDesk(services: services, clock: clock) { _, ticket in returns.add([ticket]) }
      pipeline.desk = desk
    }
    if isServing { readiness.markServing() }
    snapshots.swap(try snapshot())
  }

  deinit {
    disk.set(.works)
    helpers?.stop()
    desk?.stop()
    log.stop()
    try? FileManager.default.removeItem(atPath: root)
  }

  /// A snapshot as the store has it now.
  func snapshot(
    revoked: Bool = false, models: [String: ModelRoute]? = nil, batchModels: [CallableModel] = []
  ) throws -> GatewaySnapshot {
    var row = keyRow
    if revoked { row.revokedAt = 1 }
    let slug = try #require(Slug("kanzlei"))
    let directory = Directory(
      DirectoryRows(
        tenants: [
          Tenant(id: GateSetup.tenant, slug: slug, name: "Kanzlei", policy: "p@1", timeZone: "UTC", createdAt: 0)
        ],
        projects: [Project(id: GateSetup.project, tenant: GateSetup.tenant, slug: slug, name: "Büro", createdAt: 0)],
        keys: [row]), roles: policies.roles)
    var policy = try #require(policies.policies["p@1"])
    policy.compliance = ComplianceRequirementOfTests.european
    policy.showsRedactions = true
    setup.changePolicy(&policy)
    let rules = TenantRules(
      policy: policy, plan: setup.plan, redaction: try setup.profile(),
      models: try models ?? ["chat": try setup.route()], openModels: nil, batchModels: batchModels,
      stream: try keys.stream(mode: setup.mode, durability: setup.durability),
      pseudonymKey: keys.pseudonymKey)
    let account = try quotas.account(
      try setup.quotaLimits(),
      owner: UsageOwner(tenant: GateSetup.tenant.value, project: GateSetup.project.value, key: row.id.value),
      zone: "UTC")
    var callers: [KeyID: Caller] = [:]
    directory.forEachPrincipal { callers[$0.key] = Caller(principal: $0, rules: rules, quota: account) }
    return GatewaySnapshot(directory: directory, policyHash: policies.hash, callers: callers)
  }

  /// A caller of another tenant, under the same rules.
  func anotherTenant() throws -> Caller {
    let slug = try #require(Slug("treuhand"))
    let row = APIKey(
      id: keyRow.id, tenant: TenantID(0xBBBB_0000_0000_0000_0000_0000_0000_0001), project: keyRow.project,
      name: keyRow.name, role: keyRow.role, digest: keyRow.digest, createdAt: 0)
    let directory = Directory(
      DirectoryRows(
        tenants: [
          Tenant(id: row.tenant, slug: slug, name: "Treuhand", policy: "p@1", timeZone: "UTC", createdAt: 0)
        ],
        projects: [Project(id: GateSetup.project, tenant: row.tenant, slug: slug, name: "Büro", createdAt: 0)],
        keys: [row]), roles: policies.roles)
    var made: Caller?
    let current = snapshots.current
    current.directory.forEachPrincipal { own in
      guard let own = current.caller(of: own) else { return }
      directory.forEachPrincipal { made = Caller(principal: $0, rules: own.rules, quota: own.quota) }
    }
    return try #require(made)
  }

  // MARK: A client

  struct Call {
    var method = Route.Method.post
    var path = "/v1/chat/completions"
    /// Nil sends none.
    var key: [UInt8]?
    var body: [UInt8]
    var contentType = ContentType.json
    var isEncoded = false
    var differ = false
    var isStrict = false
    /// `anthropic-version`; nil: as that dialect's clients send it, on its own paths.
    var version: String?
    var betas = ""
  }

  func chat(_ body: String) -> Call { Call(key: key, body: Array(body.utf8)) }

  /// Sends the head: stages 1 and 2.
  func begin(_ call: Call, from address: NetworkAddress = NetworkAddress(value: 0)) -> (
    exchange: Exchange, client: RecordingClient, answered: Bool
  ) {
    let exchange = pipeline.takeExchange()
    exchange.address = address
    let client = RecordingClient()
    exchange.client = client
    exchange.method = call.method
    exchange.contentType = call.contentType
    if call.contentType == .form { exchange.formBoundary = Array("X".utf8) }
    exchange.hasContentEncoding = call.isEncoded
    exchange.isStrict = call.isStrict
    let version = call.version ?? (call.path.contains("/messages") ? "2023-06-01" : "")
    exchange.anthropicVersion.append(Array(version.utf8))
    exchange.anthropicBetas.append(Array(call.betas.utf8))
    if let key = call.key { exchange.credential.append(key) }
    var place: TenantPlace?
    let beginning = Array(call.path.utf8).withUnsafeBytes {
      pipeline.begin(exchange, path: $0, credentialsDiffer: call.differ, place: &place, isShared: false)
    }
    let answered = beginning != .goesOn
    if !answered { exchange.body.append(call.body) }
    return (exchange, client, answered)
  }

  /// Sends a whole request and lets it run until it is answered, at the sender, or stuck.
  @discardableResult
  func send(_ call: Call) -> RecordingClient {
    let (exchange, client, answered) = begin(call)
    if !answered {
      pipeline.run(exchange)
      turnLedger()
    }
    return client
  }

  /// Sends what is answered without a provider, and waits for the answer.
  func ask(_ call: Call, sourceLocation: SourceLocation = #_sourceLocation) -> RecordingClient {
    let client = send(call)
    finish(client, sourceLocation: sourceLocation)
    return client
  }

  /// The ledger's thread takes its turns until nobody waits.
  func turnLedger() {
    for _ in 0..<8 {
      try? quotas.flush()
      let tickets = wakes.take()
      guard !tickets.isEmpty else { return }
      pipeline.wake(tickets)
    }
  }

  /// Lets what helpers have done come back to the loop until the condition holds.
  func takeBack(until condition: () -> Bool) -> Bool {
    holds(10) {
      for ticket in self.returns.take() { self.pipeline.returned(ticket) }
      self.turnLedger()
      return condition()
    }
  }

  func stopHelpers() {
    helpers?.stop()
    helpers = nil
  }

  /// Waits until a helper has done something, and keeps it from the loop.
  func awaitWithheldReturn() -> Bool {
    holds(10) {
      let tickets = self.returns.take()
      self.returns.add(tickets)
      return !tickets.isEmpty
    }
  }

  // MARK: A provider

  func answer(_ status: Int, _ body: String = "", kind: UpstreamHead.ContentKind = .json, retryAfter: Int? = nil) {
    head(status, kind, retryAfter: retryAfter)
    piece(body)
    end(.complete)
  }

  /// Lets the waits for another attempt pass, each to its end.
  func passWaits() {
    for wake in upstream.takeWakes() {
      clock.advance(milliseconds: wake.milliseconds)
      if wake.exchange.ticket == wake.ticket { pipeline.woken(wake.exchange) }
    }
    turnLedger()
  }

  func head(
    _ status: Int, _ kind: UpstreamHead.ContentKind = .json, retryAfter: Int? = nil,
    rest: ProviderRest = ProviderRest(),
    hasTakenRequest: Bool = true
  ) {
    guard let exchange = upstream.sent.last?.exchange else { return }
    var head = UpstreamHead()
    head.rest = rest
    head.hasTakenRequest = hasTakenRequest
    head.status = status
    head.kind = kind
    head.retryAfterSeconds = retryAfter
    pipeline.upstream(exchange, answered: head)
  }

  func piece(_ text: String) { piece(Array(text.utf8)[...]) }

  func piece(_ bytes: ArraySlice<UInt8>) {
    guard let exchange = upstream.sent.last?.exchange, !bytes.isEmpty else { return }
    bytes.withUnsafeBytes { pipeline.upstream(exchange, sent: $0) }
  }

  func end(_ end: UpstreamEnd) {
    guard let exchange = upstream.sent.last?.exchange else { return }
    pipeline.upstream(exchange, ended: end)
    turnLedger()
  }

  // MARK: The log's writer

  /// Lets the writer's confirmations reach the loop until the condition holds.
  func confirm(seconds: Double = 10, until condition: () -> Bool) -> Bool {
    holds(seconds) {
      self.pipeline.confirmed(self.confirmations.take())
      if !self.rooms.take().isEmpty { self.pipeline.logHasRoom() }
      return condition()
    }
  }

  /// Confirms until the client's answer is over.
  func finish(_ client: RecordingClient, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(confirm { client.isOver }, "the answer never ended", sourceLocation: sourceLocation)
  }

  /// Waits until the writer wants to confirm something, and keeps it from the loop.
  func awaitWithheldConfirmation() -> Bool {
    holds(10) {
      let tokens = self.confirmations.take()
      self.confirmations.add(tokens)
      return !tokens.isEmpty
    }
  }

  /// Polls a condition with a deadline; the condition is what is waited for, never the time.
  func holds(_ seconds: Double, _ condition: () -> Bool) -> Bool {
    let end = DispatchTime.now() + seconds
    let pause = DispatchSemaphore(value: 0)
    while !condition() {
      if DispatchTime.now() > end { return false }
      _ = pause.wait(timeout: .now() + .microseconds(200))
    }
    return true
  }

  // MARK: The books

  struct Books {
    let totals: UsageTotals
    /// Settled tokens and money as the ledger has them.
    let tokens: Int64
    let money: Int64
    let reserved: Int64
    let open: Int
    let settlements: [JournalRecord.Settlement]
    let reserveCount: Int
    let releaseCount: Int
    /// Attempts that were reserved and did not end exactly once.
    let unbalanced: Int
    let metas: [Meta]
  }

  /// Everything that was written about money and tokens, after all of it is written.
  func books(sourceLocation: SourceLocation = #_sourceLocation) throws -> Books {
    _ = confirm { self.quotas.openReservations == 0 && self.log.health.queueBytes == 0 }
    #expect(log.drain(), "the log does not empty", sourceLocation: sourceLocation)
    let report = try quotas.usageReport(tenant: GateSetup.tenant.value, from: 0, to: .max)
    let limits = try setup.quotaLimits()
    let rows = try quotas.usage(limits: limits.map(\.id))
    let tokens = rows.first { $0.limitID == limits[0].id }
    let money = rows.first { $0.limitID == limits[1].id }
    let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: journalPath)))
    let journal = JournalReplay(bytes).records
    var ends: [UInt128: Int] = [:]
    for record in journal {
      switch record.type {
      case .reserve: ends[record.attempt, default: 0] += 0
      case .settle, .release: ends[record.attempt, default: 0] += 1
      default: break
      }
    }
    return Books(
      totals: report.totals, tokens: tokens?.committed ?? 0, money: money?.committed ?? 0,
      reserved: (tokens?.reserved ?? 0) + (money?.reserved ?? 0), open: quotas.openReservations,
      settlements: journal.compactMap(\.settlement), reserveCount: journal.count { $0.type == .reserve },
      releaseCount: journal.count { $0.type == .release }, unbalanced: ends.values.count { $0 != 1 },
      metas: try metas())
  }

  func metas() throws -> [Meta] {
    try records.all.map { try JSONDecoder().decode(Meta.self, from: Data($0.json)) }
  }

  /// What the log holds of the last exchange.
  func lastRecord() throws -> OpenedRecord {
    #expect(log.drain())
    let last = try #require(records.all.last)
    return try reader.open(last.recordID, tenant: GateSetup.tenant)
  }
}
