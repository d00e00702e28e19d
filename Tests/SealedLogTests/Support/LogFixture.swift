import Cryptography
import Dispatch
import Foundation
import KeyProviders
import Synchronization
import Tenancy
import Testing

@testable import SealedLog

/// A log in a temporary folder with one key provider; removed when it goes.
final class LogFixture: Sendable {
  static let node = NodeID(0x1111_2222_3333_4444_5555_6666_7777_8888)

  let root: String
  let log: String
  let provider = MemoryKeyProvider()
  let confirmed = Confirmed()
  private let tenants = Mutex<[TenantID: TenantKeys]>([:])

  init() throws {
    let base = FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
    root = "\(base)/sealedlog-\(UUID().uuidString)"
    log = "\(root)/log"
    try FileManager.default.createDirectory(atPath: log, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  func keys(_ tenant: TenantID) throws(SealedLogError) -> TenantKeys {
    if let known = tenants.withLock({ $0[tenant] }) { return known }
    let made = try TenantKeys.create(tenant: tenant, provider: provider)
    tenants.withLock { $0[tenant] = made }
    return made
  }

  func known(_ tenant: TenantID) throws(SealedLogError) -> TenantKeys {
    guard let keys = tenants.withLock({ $0[tenant] }) else { throw SealedLogError(.keyUnavailable, "no keys") }
    return keys
  }

  func replace(_ keys: TenantKeys) { tenants.withLock { $0[keys.tenant] = keys } }

  func stream(
    _ tenant: TenantID = .first, mode: ContentMode = .managed, durability: Durability = .buffered
  ) throws -> LogStream {
    try keys(tenant).stream(mode: mode, durability: durability)
  }

  func writer(
    epoch: UInt32 = 1, options: WriterOptions = WriterOptions(), disk: (any LogDisk)? = nil,
    clock: LogClock = .system, journal: String? = nil
  ) throws -> LogWriter {
    let confirmed = confirmed
    return try LogWriter(
      folder: log, node: Self.node, epoch: epoch, keys: provider, journal: journal, clock: clock, options: options,
      disk: disk, onConfirmed: { loop, tokens in confirmed.add(loop, tokens) })
  }

  func reader(_ folder: String? = nil) -> LogReader {
    LogReader(
      folder: folder ?? log, keys: provider,
      tenantKeys: { (tenant) throws(SealedLogError) in
        try self.known(tenant)
      })
  }

  var verifyKeys: LogVerify.Keys {
    LogVerify.Keys(provider: provider, tenantKeys: { (tenant) throws(SealedLogError) in try self.known(tenant) })
  }

  func verify(_ folder: String? = nil, withKeys: Bool = true) throws -> LogVerification {
    LogVerify.verify(
      folder: folder ?? log, installationKey: try provider.installationKey(), keys: withKeys ? verifyKeys : nil)
  }

  /// Whether a segment has its footer.
  func isEnded(_ path: String) -> Bool {
    guard let file = try? readFile(path), let scan = try? SegmentScan(file) else { return false }
    return scan.frames.contains { $0.header.type == .footer }
  }

  /// Whether a frame of a record stands in a segment's file.
  func isWritten(_ record: UInt128, to path: String) -> Bool {
    guard let file = try? readFile(path), let scan = try? SegmentScan(file) else { return false }
    return scan.frames.contains { $0.header.record == record }
  }

  /// What a process killed at this moment leaves behind.
  func copy(_ name: String = UUID().uuidString) throws -> String {
    let path = "\(root)/\(name)"
    try FileManager.default.copyItem(atPath: log, toPath: path)
    return path
  }

  /// All segment files of a stream, oldest first.
  func segments(_ tenant: TenantID = .first, mode: ContentMode = .managed, in folder: String? = nil) -> [String] {
    let stream = StreamName(tenant: tenant, node: Self.node, mode: mode)
    return (try? StreamFolder(log: folder ?? log, stream: stream))?.segments.map(\.path) ?? []
  }
}

extension TenantID {
  static let first = TenantID(0xAAAA_0000_0000_0000_0000_0000_0000_0001)
  static let second = TenantID(0xBBBB_0000_0000_0000_0000_0000_0000_0002)
}

/// A request of a record, with the record's number as its token.
func entry(
  _ stream: LogStream, _ number: Int, size: Int = 100, subjects: [Subject] = [], metadata: [UInt8]? = nil,
  journal: [UInt8] = []
) -> LogEntry {
  LogEntry(
    stream: stream, recordID: UInt128(number), subjects: subjects, request: bytes(size), metadata: metadata,
    journal: journal, token: UInt64(number))
}

/// Tokens in the order of their confirmation.
final class Confirmed: Sendable {
  private let tokens = Mutex<[UInt64]>([])

  func add(_ loop: Int, _ more: [UInt64]) { tokens.withLock { $0 += more } }
  var all: [UInt64] { tokens.withLock { $0 } }

  /// Polls until a token is there or the time is up.
  func waits(for token: UInt64, seconds: Double = 10) -> Bool { holds(seconds) { self.all.contains(token) } }
}

/// Polls a condition with a deadline.
func holds(_ seconds: Double = 10, _ condition: () -> Bool) -> Bool {
  let end = DispatchTime.now() + seconds
  let pause = DispatchSemaphore(value: 0)
  while !condition() {
    if DispatchTime.now() > end { return false }
    _ = pause.wait(timeout: .now() + .milliseconds(2))
  }
  return true
}

/// A clock that stands until it is set.
final class TestClock: Sendable {
  private let now: Mutex<UInt64>
  private let drift = Mutex<UInt64>(0)

  init(_ start: UInt64 = 1_800_000_000_000_000_000) { now = Mutex(start) }

  func advance(seconds: Double) { now.withLock { $0 += UInt64(seconds * 1e9) } }
  func jumpWall(seconds: UInt64) { drift.withLock { $0 += seconds * 1_000_000_000 } }

  var clock: LogClock {
    LogClock(
      wall: { self.now.withLock { $0 } + self.drift.withLock { $0 } }, monotonic: { self.now.withLock { $0 } },
      boot: { self.now.withLock { $0 } })
  }
}

/// A generator with a seed, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

func bytes(_ count: Int, seed: UInt64 = 7) -> [UInt8] {
  var random = SplitMix(state: seed &+ UInt64(count))
  return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
}

func readFile(_ path: String) throws -> [UInt8] { try Files.read(path) }

func writeFile(_ path: String, _ bytes: [UInt8]) throws {
  #expect(FileManager.default.createFile(atPath: path, contents: Data(bytes)))
}
