import Glibc
package import Quotas
import Staging

/// The data folder of one node: one process at a time holds it, and it knows who the node is and which start this is.
///
/// `node.lock` (flock), `node.id` (16 random bytes, in hex), `node.epoch` (decimal), `journal/<epoch>.thj` or
/// `journal/<epoch>.<number>.thj`, and the flight table, which prefers `runtimeFolder/<node>/flight` on tmpfs.
package final class NodeFolder: Sendable {
  package let path: String
  /// The node; random, made at the first start.
  package let id: UInt128
  /// Grows by one per start; durable before anybody sees it.
  package let epoch: UInt32
  /// Of the running kernel; 0 where it does not tell.
  package let bootID: UInt128
  /// Where the flight table lies.
  package let flightPath: String
  /// Where bytes may lie that are on their way to the log and the journal; nil without memory that outlives the process,
  /// and can be told from that of an earlier boot.
  package let stagingPath: String?
  /// Where the last process has said that its bytes lie, there is nothing, though it ran in this boot: the last 50 ms of
  /// its records may be missing.
  package let hasLostStaged: Bool
  private let lock: Int32

  /// - Parameter runtimeFolder: `$RUNTIME_DIRECTORY`, nil without one: then the flight table lies in the data folder.
  /// - Throws: ``QuotaError`` `folder_locked` if another process holds the folder, `folder_unusable` if it cannot be
  ///   read or written, or holds an id or epoch that is none: nothing is guessed.
  package convenience init(path: String, runtimeFolder: String?) throws(QuotaError) {
    try self.init(path: path, runtimeFolder: runtimeFolder, lock: try Self.lock(path))
  }

  /// - Returns: The descriptor that holds the folder, which is made when missing.
  static func lock(_ path: String) throws(QuotaError) -> Int32 {
    try Files.makeFolder(path)
    return try Files.lock(path + "/node.lock")
  }

  /// - Parameter lock: What ``lock(_:)`` has returned; closed here, whatever happens.
  init(path: String, runtimeFolder: String?, lock: Int32) throws(QuotaError) {
    self.path = path
    self.lock = lock
    do {
      try Files.makeFolder(path + "/journal")
      bootID = Self.currentBootID()
      hasLostStaged = try !Self.replayStaged(path, bootID: bootID)
      id = try Self.identity(path + "/node.id")
      epoch = try Self.nextEpoch(path + "/node.epoch")
      flightPath = Self.flightPath(path, id: id, runtimeFolder: runtimeFolder)
      if let runtimeFolder { try Files.makeFolder(runtimeFolder + "/" + Self.hex(id)) }
      let memory = Self.memoryFolder(path, id: id, runtimeFolder: runtimeFolder)
      stagingPath = bootID != 0 && StagedMemory.isMemory(folder: memory) ? memory + "/staged" : nil
    } catch {
      close(lock)
      throw error
    }
  }

  deinit { close(lock) }

  // MARK: Staged bytes

  /// Says where they lie from now on; durable before there are any.
  package func noteStaging(_ staging: String) throws(QuotaError) {
    try Files.replace(path + "/staged.at", with: Array("\(Self.hex(bootID)) \(staging)\n".utf8))
  }

  /// After an orderly end everything stands in its file.
  package func forgetStaging() throws(QuotaError) {
    try Files.remove(path + "/staged.at")
    if let stagingPath { try Files.remove(stagingPath) }
  }

  /// What the last process counted as written comes into its files before anybody reads them.
  /// - Returns: False if it should be there and is not.
  private static func replayStaged(_ path: String, bootID: UInt128) throws(QuotaError) -> Bool {
    guard let note = try Files.read(path + "/staged.at") else { return true }
    let text = trimmed(note)
    guard let end = text.firstIndex(of: " "), let boot = UInt128(text[..<end], radix: 16) else {
      throw QuotaError(
        .folderUnusable, "staged.at does not say where records lie; restore it, or delete it to give them up")
    }
    let staged = String(text[text.index(after: end)...])
    let isThere = access(staged, F_OK) == 0
    do throws(StagingError) { try StagedReplay.run(staged, into: dataFolder(path)) } catch {
      throw QuotaError(.folderUnusable, "\(error); mend that, or delete \(staged) to give them up")
    }
    try Files.remove(path + "/staged.at")
    return isThere || boot != bootID
  }

  /// The folder that holds a node's; what is staged names its files from there.
  static func dataFolder(_ path: String) -> String {
    guard let end = path.lastIndex(of: "/") else { return "." }
    return end == path.startIndex ? "/" : String(path[..<end])
  }

  static func flightPath(_ path: String, id: UInt128, runtimeFolder: String?) -> String {
    memoryFolder(path, id: id, runtimeFolder: runtimeFolder) + "/flight"
  }

  /// Where files lie that are mapped.
  private static func memoryFolder(_ path: String, id: UInt128, runtimeFolder: String?) -> String {
    runtimeFolder.map { "\($0)/\(hex(id))" } ?? path
  }

  /// What the process that holds this folder shows of itself; nil if there is nothing of this boot.
  static func view(_ path: String, runtimeFolder: String?) -> FlightView? {
    guard let text = try? Files.read(path + "/node.id"), let id = UInt128(trimmed(text), radix: 16),
      let bytes = try? Files.read(flightPath(path, id: id, runtimeFolder: runtimeFolder))
    else { return nil }
    return FlightView(bytes, bootID: currentBootID())
  }

  /// Where this start's journal belongs; further files of it are `<epoch>.<number>.thj`.
  package var journalPath: String { path + "/journal/\(epoch).thj" }

  /// All journal files of earlier starts, oldest first.
  package func earlierJournals() throws(QuotaError) -> [QuotaRecovery.Journal] {
    var journals: [QuotaRecovery.Journal] = []
    for (name, fileEpoch) in try journalNames() where fileEpoch < epoch {
      guard let bytes = try Files.read(path + "/journal/" + name) else { continue }
      journals.append(QuotaRecovery.Journal(epoch: fileEpoch, bytes: bytes))
    }
    return journals
  }

  /// After recovery is booked: they are no longer needed.
  package func removeEarlierJournals() throws(QuotaError) {
    for (name, fileEpoch) in try journalNames() where fileEpoch < epoch {
      try Files.remove(path + "/journal/" + name)
    }
  }

  /// What an earlier process left in the flight table; nil if there is none or it is not whole.
  package func earlierFlight() throws(QuotaError) -> FlightSnapshot? {
    guard let bytes = try Files.read(flightPath), let snapshot = FlightSnapshot(bytes), snapshot.node == id else {
      return nil
    }
    return snapshot
  }

  /// The whole start after whatever stop: reads what is there, books it in the ledger, and only then takes the flight
  /// table over. May be killed anywhere and run again.
  ///
  /// - Parameter knowsRates: How full the rates are is known from elsewhere: ``QuotaGate/raiseRates(_:)`` follows.
  /// - Returns: the memory and node for the gate, and what was found.
  package func recover(
    ledger: any Ledger, slots: Int = 4_096, rates: Int = 65_536, knowsRates: Bool = false
  ) throws(QuotaError) -> (flight: MappedFlightMemory, node: QuotaGate.Node, report: QuotaRecovery.Report) {
    let opening = try ledger.open(node: id, epoch: epoch)
    let flight = try earlierFlight()
    let isSameBoot = flight.map { $0.bootID == bootID && bootID != 0 } ?? false
    let recovery = QuotaRecovery(
      flight: flight, isSameBoot: isSameBoot, journals: try earlierJournals(), opening: opening, epoch: epoch)
    try recovery.apply(to: ledger, node: id, epoch: epoch)
    try removeEarlierJournals()
    let memory = try MappedFlightMemory(path: flightPath, slots: slots, rates: rates)
    var rateStart = recovery.report.rateStart
    if isSameBoot, !memory.isNew {
      rateStart = .kept
    } else if knowsRates {
      rateStart = .full
    } else if rateStart == .kept {
      rateStart = .emptyAt(recovery.report.lastTime)
    }
    let node = QuotaGate.Node(
      id: id, epoch: epoch, bootID: bootID, lastTime: recovery.report.lastTime, rateStart: rateStart)
    return (memory, node, recovery.report)
  }

  private func journalNames() throws(QuotaError) -> [(name: String, epoch: UInt32)] {
    var found: [(name: String, epoch: UInt32, number: UInt32)] = []
    for name in try Files.names(in: path + "/journal") {
      let parts = name.split(separator: ".", omittingEmptySubsequences: false)
      guard parts.count == 2 || parts.count == 3, parts.last == "thj", let epoch = UInt32(parts[0]) else { continue }
      if parts.count == 3, UInt32(parts[1]) == nil { continue }
      found.append((name, epoch, parts.count == 3 ? UInt32(parts[1]) ?? 0 : 0))
    }
    return found.sorted { ($0.epoch, $0.number) < ($1.epoch, $1.number) }.map { ($0.name, $0.epoch) }
  }

  private static func identity(_ path: String) throws(QuotaError) -> UInt128 {
    if let bytes = try Files.read(path) {
      let text = trimmed(bytes)
      guard text.utf8.count == 32, let id = UInt128(text, radix: 16), id != 0 else {
        throw QuotaError(.folderUnusable, "node.id holds no node id; restore it from a backup")
      }
      return id
    }
    var random = SystemRandomNumberGenerator()
    let id = UInt128.random(in: 1...UInt128.max, using: &random)
    try Files.replace(path, with: Array((hex(id) + "\n").utf8))
    return id
  }

  private static func nextEpoch(_ path: String) throws(QuotaError) -> UInt32 {
    var last: UInt32 = 0
    if let bytes = try Files.read(path) {
      guard let epoch = UInt32(trimmed(bytes)), epoch < .max else {
        throw QuotaError(.folderUnusable, "node.epoch holds no number; restore it from a backup")
      }
      last = epoch
    }
    try Files.replace(path, with: Array("\(last + 1)\n".utf8))
    return last + 1
  }

  private static func trimmed(_ bytes: [UInt8]) -> String {
    String(decoding: bytes.last == 0x0A ? bytes.dropLast() : bytes[...], as: UTF8.self)
  }

  private static func hex(_ value: UInt128) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: max(0, 32 - digits.utf8.count)) + digits
  }

  private static func currentBootID() -> UInt128 {
    guard let bytes = try? Files.read("/proc/sys/kernel/random/boot_id") else { return 0 }
    return UInt128(trimmed(bytes).filter { $0 != "-" }, radix: 16) ?? 0
  }
}
