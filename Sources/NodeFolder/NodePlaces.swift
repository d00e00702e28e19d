import Glibc
package import Quotas

/// Where the nodes of one data folder live: `node`, `node-2`, `node-3`, `node-4`. A process holds one of them. Usually
/// there is one process and one place; while a process relieves another, there are two.
package struct NodePlaces: Sendable {
  private static let count = 4
  private let data: String
  private let runtimeFolder: String?

  /// - Parameter runtimeFolder: As for ``NodeFolder``.
  package init(data: String, runtimeFolder: String?) {
    self.data = data
    self.runtimeFolder = runtimeFolder
  }

  private var paths: [String] { (1...Self.count).map { $0 == 1 ? "\(data)/node" : "\(data)/node-\($0)" } }

  /// Opens a place for the only process of this data folder: the one that was used last, so that its streams of the log
  /// are recovered first.
  /// - Throws: ``QuotaError`` `folder_locked` if a process holds any place.
  package func openAlone() throws(QuotaError) -> NodeFolder {
    var locks: [(path: String, lock: Int32)] = []
    defer { for (_, lock) in locks { close(lock) } }
    for path in paths where path == paths[0] || Self.exists(path) { locks.append((path, try NodeFolder.lock(path))) }
    var newest = 0
    for index in locks.indices where Self.lastStart(locks[index].path) >= Self.lastStart(locks[newest].path) {
      newest = index
    }
    let chosen = locks.remove(at: newest)
    return try NodeFolder(path: chosen.path, runtimeFolder: runtimeFolder, lock: chosen.lock)
  }

  /// Opens a place beside that of the process which is to be relieved.
  /// - Throws: ``QuotaError`` `folder_locked` if processes hold them all.
  package func openBeside() throws(QuotaError) -> NodeFolder {
    for path in paths {
      guard let lock = try Self.free(path) else { continue }
      return try NodeFolder(path: path, runtimeFolder: runtimeFolder, lock: lock)
    }
    throw QuotaError(.folderLocked, "\(Self.count) processes hold this data folder already")
  }

  /// Books what nodes have left behind that no process holds any more, as their own next start would have.
  /// - Returns: How many places other processes hold.
  package func recoverAbandoned(ledger: any Ledger, besides own: NodeFolder) throws(QuotaError) -> Int {
    var held = 0
    var isBooked = false
    for path in paths where path != own.path && Self.exists(path) {
      guard let lock = try Self.free(path) else {
        held += 1
        continue
      }
      guard try Self.hasJournals(path) else {
        close(lock)
        continue
      }
      let folder = try NodeFolder(path: path, runtimeFolder: runtimeFolder, lock: lock)
      let (flight, node, _) = try folder.recover(ledger: ledger)
      flight.clear(node)
      isBooked = true
    }
    // Recovery counts as a start there; the last one used is still our own.
    if isBooked { utimensat(AT_FDCWD, own.path + "/node.epoch", nil, 0) }
    return held
  }

  /// What the nodes of other places show of this boot.
  /// - Parameter areHeld: Only where a process holds the place; else also what processes have left there.
  package func views(besides own: NodeFolder, areHeld: Bool = false) -> [FlightView] {
    paths.filter { $0 != own.path && Self.exists($0) && (!areHeld || Self.isHeld($0)) }.compactMap {
      NodeFolder.view($0, runtimeFolder: runtimeFolder)
    }
  }

  private static func isHeld(_ path: String) -> Bool {
    guard let lock = try? free(path) else { return true }
    close(lock)
    return false
  }

  /// Nil if a process holds it.
  private static func free(_ path: String) throws(QuotaError) -> Int32? {
    do throws(QuotaError) { return try NodeFolder.lock(path) } catch {
      guard error.code == .folderLocked else { throw error }
      return nil
    }
  }

  private static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  private static func hasJournals(_ path: String) throws(QuotaError) -> Bool {
    guard exists(path + "/journal") else { return false }
    return try Files.names(in: path + "/journal").contains { $0.hasSuffix(".thj") }
  }

  private static func lastStart(_ path: String) -> Int64 {
    var status = stat()
    guard stat(path + "/node.epoch", &status) == 0 else { return .min }
    return Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec)
  }
}
