import Cryptography
import Dispatch
import EventLoop
import Foundation
import Gateway
import Glibc
import JSONText
import KeyProviders
import Policies
import Quotas
import Routing
import SealedLog
import Tenancy
import Testing

@testable import Frontend

/// A loop with a real front end and a real pipeline, for one tenant with one key and the alias `chat`; its provider is a
/// double that keeps what it is given. Clients come in by socket pairs.
///
/// What belongs to the loop is touched by ``on(_:)`` only.
final class FrontGate: @unchecked Sendable {
  private static let policies = """
    kind: Providers
    providers:
      - {id: eu, adapter: openai, endpoint: "https://eu.example/v1", credential: eu, country: NO,
         agreement: {kind: avv, expires: 2027-12-31}, retention: 0d, training: never,
         models: [{id: m, max-output: 1000, price: {version: 1, currency: EUR, input: "1", output: "2"}}]}
    ---
    kind: Routing
    aliases:
      chat: {candidates: [eu/m]}
    ---
    kind: Roles
    roles:
      clerk: {scope: project, can: [chat, embed]}
    ---
    kind: Policy
    translation: loud
    compliance: {countries: [EU, EEA, CH], agreement: required, training: never, retention: 30d}
    id: p@1
    models: [chat]
    roles: {clerk: {}}

    """
  private static let tenant = TenantID(0xBBBB_0000_0000_0000_0000_0000_0000_0001)
  private static let project = ProjectID(0xBBBB_0000_0000_0000_0000_0000_0000_0002)

  let loop: EventLoop
  let pipeline: RequestPipeline
  let upstream = KeepingUpstream()
  let key: String
  let worker: LoopWorker
  private let log: LogWriter
  private let quotas: QuotaGate
  private let folder: String

  /// - Parameter tls: Nil for clients without TLS.
  init(
    limits: Limits = Limits(), hosts: Set<String> = [], proxies: TrustedProxies = TrustedProxies(),
    tls: TLSFront? = nil
  ) throws {
    loop = try EventLoop(name: "front-test")
    folder = "\(NSTemporaryDirectory())/front-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let ledger = MemoryLedger()
    _ = try ledger.open(node: 78, epoch: 1)
    // 2026-11-24T12:00:00Z; time stands still, deadlines are asked for by tests.
    let clock = StandingClock(ManualQuotaClock(wallNanoseconds: 1_795_521_600_000_000_000))
    let relay = Relay(loop)
    quotas = QuotaGate(
      node: QuotaGate.Node(id: 78, epoch: 1), flight: HeapFlightMemory(slots: 1024, rates: 16), ledger: ledger,
      clock: clock.quotas, zones: UTCRules(), wake: { _, tickets in relay.wake(tickets) })
    let provider = MemoryKeyProvider()
    let keys = try TenantKeys.create(tenant: Self.tenant, provider: provider)
    log = try LogWriter(
      folder: folder, node: NodeID(78), epoch: 1, keys: provider, journal: "\(folder)/node.thj",
      onConfirmed: { _, tokens in relay.confirmed(tokens) })
    let pepper = [UInt8](repeating: 9, count: 32)
    let made = try KeyToken.generate(.apiKey) { (count) throws(CryptographyError) in
      (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 41 &+ 3) }
    }
    key = String(decoding: made.text, as: UTF8.self)
    let row = APIKey(
      id: KeyID(made.token.id), tenant: Self.tenant, project: Self.project, name: "test", role: "clerk",
      digest: try KeyToken.digest(of: made.text, pepper: try HMACKey(pepper)), createdAt: 0)
    let set = try PolicyLoader.load(files: [PolicyFile(name: "test.yaml", bytes: Array(Self.policies.utf8))])
    let slug = try #require(Slug("front"))
    let directory = Directory(
      DirectoryRows(
        tenants: [Tenant(id: Self.tenant, slug: slug, name: "Front", policy: "p@1", timeZone: "UTC", createdAt: 0)],
        projects: [Project(id: Self.project, tenant: Self.tenant, slug: slug, name: "Front", createdAt: 0)],
        keys: [row]), roles: set.roles)
    let account = try quotas.account(
      [
        try Limit(
          scope: LimitScope(.tenant, Self.tenant.value), dimension: .concurrency, kind: .concurrent, amount: 1000,
          name: "concurrent requests")
      ],
      owner: UsageOwner(tenant: Self.tenant.value, project: Self.project.value, key: row.id.value), zone: "UTC")
    let rules = TenantRules(
      policy: try #require(set.policies["p@1"]), plan: .init(bodyBytes: 8 << 20, outputTokens: 500, clamp: .never),
      redaction: nil, models: ["chat": try Self.route()], openModels: nil,
      stream: try keys.stream(mode: .managed, durability: .buffered), pseudonymKey: keys.pseudonymKey)
    var callers: [KeyID: Caller] = [:]
    directory.forEachPrincipal { callers[$0.key] = Caller(principal: $0, rules: rules, quota: account) }
    let snapshots = SnapshotCell(GatewaySnapshot())
    snapshots.swap(GatewaySnapshot(directory: directory, policyHash: set.hash, callers: callers))
    let readiness = Readiness()
    readiness.markServing()
    pipeline = try RequestPipeline(
      services: GatewayServices(
        snapshots: snapshots, quotas: quotas, log: log, pepper: pepper, limits: limits, readiness: readiness),
      loop: 0, clock: clock)
    pipeline.upstreamPort = upstream
    relay.pipeline = pipeline
    let held = Held(value: pipeline)
    let (loop, quotas) = (loop, quotas)
    worker =
      Self.on(loop) {
        loop.repeated(everyMilliseconds: 1) { try? quotas.flush() }
        return Held(
          value: LoopWorker(
            loop: loop, pipeline: held.value, limits: limits, hosts: hosts, proxies: proxies,
            count: ConnectionCount(limit: limits.connections, perSource: limits.connectionsPerSource), tls: tls))
      }.value
  }

  /// What belongs to the loop, on its way there and back.
  private struct Held<Value>: @unchecked Sendable { let value: Value }

  /// Ends the loop and the log; the gate is not used again.
  func stop() {
    on { self.worker.closeAll() }
    loop.stop()
    log.stop()
    try? FileManager.default.removeItem(atPath: folder)
  }

  private static func route() throws -> ModelRoute {
    let price = Price(version: "1", currency: "EUR", input: 1_000_000_000, output: 2_000_000_000)
    let model = Model(id: "m", maxOutput: 1000, price: price)
    let provider = Provider(
      id: "eu", adapter: .openAI, endpoint: try Endpoint("https://eu.example/v1", local: false),
      credential: "eu", country: try Country("NO"),
      agreement: Agreement(kind: .avv, expires: try CalendarDay("2027-12-31")), certificates: [:], retentionDays: 0,
      training: .never, models: [model],
      traits: WireTraits(maxTokensField: "max_completion_tokens", includesUsage: true, deniedFields: []))
    func target(_ path: String) -> UpstreamTarget {
      UpstreamTarget(
        provider: "eu", url: "https://eu.example/v1\(path)", headerLines: ["content-type: application/json"],
        poolKey: "eu", limits: Limits())
    }
    var targets = UpstreamTargets()
    targets.chat = target("/chat/completions")
    targets.embeddings = target("/embeddings")
    return ModelRoute(
      alias: "chat", order: .listed,
      candidates: [
        CallableModel(
          provider: provider, model: model, price: price, targets: targets)
      ], created: 1_700_000_000)
  }

  // MARK: The loop

  /// Does work on the loop and waits for it; the turn's end has not come yet when this returns.
  func on<Value: Sendable>(_ work: @escaping @Sendable () -> Value) -> Value { Self.on(loop, work) }

  private static func on<Value: Sendable>(_ loop: EventLoop, _ work: @escaping @Sendable () -> Value) -> Value {
    let result = Result<Value>()
    loop.execute {
      result.value = work()
      result.done.signal()
    }
    result.done.wait()
    guard let value = result.value else { preconditionFailure("work is done before it is signalled") }
    return value
  }

  private final class Result<Value: Sendable>: @unchecked Sendable {
    let done = DispatchSemaphore(value: 0)
    var value: Value?
  }

  /// Polls on the loop until the condition holds; false after ten seconds.
  func holds(_ condition: @escaping @Sendable () -> Bool) -> Bool {
    let end = DispatchTime.now() + 10
    let pause = DispatchSemaphore(value: 0)
    while !on(condition) {
      if DispatchTime.now() > end { return false }
      _ = pause.wait(timeout: .now() + .microseconds(200))
    }
    return true
  }

  /// The worker looks at its connections as it will after so many milliseconds.
  func tick(after milliseconds: Int64) {
    on {
      for connection in self.worker.connections { connection.tick(self.worker.milliseconds + milliseconds) }
    }
  }

  var openExchanges: Int { on { self.pipeline.openExchanges } }

  /// A client's end of a new connection.
  func connect() -> Int32 {
    var pair: [Int32] = [0, 0]
    socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair)
    return adopt(pair[0], pair[1])
  }

  /// A client's end of a new TCP connection: only that shows how it ends.
  func connectByTCP() throws -> Int32 {
    let socket = try ListeningSocket(.network(address: "127.0.0.1", port: 0))
    defer { socket.discard() }
    let theirs = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(socket.port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let isConnected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(theirs, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    try #require(isConnected)
    var ready = pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)
    poll(&ready, 1, 10_000)
    let ours = Glibc.accept(socket.descriptor, nil, nil)
    try #require(ours >= 0)
    return adopt(ours, theirs)
  }

  private func adopt(_ ours: Int32, _ theirs: Int32) -> Int32 {
    // Never waited for without end: a test that fails must end all the same.
    var patience = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(theirs, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    _ = fcntl(ours, F_SETFL, fcntl(ours, F_GETFL, 0) | O_NONBLOCK)
    on { self.worker.adopt(ours, from: SourceAddress(nil)) }
    return theirs
  }

  // MARK: The provider

  /// Waits until so many requests have reached the provider.
  func reached(_ count: Int) -> Bool { holds { self.upstream.sent.count >= count } }

  /// The provider answers one request as a whole.
  func answer(_ index: Int, _ text: String) {
    on {
      let exchange = self.upstream.sent[index]
      var head = UpstreamHead()
      head.status = 200
      head.kind = .json
      self.pipeline.upstream(exchange, answered: head)
      let body = """
        {"id":"x","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":\
        "assistant","content":"\(text)"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,\
        "total_tokens":2}}
        """
      Array(body.utf8).withUnsafeBytes { self.pipeline.upstream(exchange, sent: $0) }
      self.pipeline.upstream(exchange, ended: .complete)
    }
  }

  func beginStream(_ index: Int) {
    on {
      var head = UpstreamHead()
      head.status = 200
      head.kind = .eventStream
      self.pipeline.upstream(self.upstream.sent[index], answered: head)
    }
  }

  /// One event of a stream.
  func piece(_ index: Int, _ text: String) {
    on {
      let event =
        "data: {\"id\":\"x\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,"
        + "\"delta\":{\"content\":\"\(text)\"},\"finish_reason\":null}]}\n\n"
      Array(event.utf8).withUnsafeBytes { self.pipeline.upstream(self.upstream.sent[index], sent: $0) }
    }
  }

  func end(_ index: Int, _ end: UpstreamEnd) {
    on {
      if case .complete = end {
        let last =
          "data: {\"id\":\"x\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,"
          + "\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1,"
          + "\"total_tokens\":2}}\n\ndata: [DONE]\n\n"
        Array(last.utf8).withUnsafeBytes { self.pipeline.upstream(self.upstream.sent[index], sent: $0) }
      }
      self.pipeline.upstream(self.upstream.sent[index], ended: end)
    }
  }
}

/// Hands the news of other threads to the loop.
private final class Relay: @unchecked Sendable {
  private let loop: EventLoop
  weak var pipeline: RequestPipeline?

  init(_ loop: EventLoop) { self.loop = loop }
  func wake(_ tickets: [UInt64]) { loop.execute { self.pipeline?.wake(tickets) } }
  func confirmed(_ tokens: [UInt64]) { loop.execute { self.pipeline?.confirmed(tokens) } }
}

private final class StandingClock: GatewayClock {
  let quotas: ManualQuotaClock
  init(_ quotas: ManualQuotaClock) { self.quotas = quotas }
  var monotonicNanoseconds: Int64 { quotas.bootNanoseconds }
  var wallNanoseconds: Int64 { quotas.wallNanoseconds }
}

/// The sender, which sends nothing and keeps what it was given.
final class KeepingUpstream: UpstreamPort {
  private(set) var sent: [Exchange] = []
  private(set) var bodies: [[UInt8]] = []
  private(set) var cancelled = 0
  private(set) var paused = 0
  private(set) var resumed = 0

  func send(_ exchange: Exchange, to target: UpstreamTarget, body: UnsafeRawBufferPointer) {
    sent.append(exchange)
    bodies.append(Array(body))
  }

  func cancel(_ exchange: Exchange) { cancelled += 1 }
  func pause(_ exchange: Exchange) { paused += 1 }
  func resume(_ exchange: Exchange) { resumed += 1 }
  func wake(_ exchange: Exchange, afterMilliseconds milliseconds: Int64) {}
}
