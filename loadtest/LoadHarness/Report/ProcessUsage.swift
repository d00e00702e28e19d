import Foundation

/// CPU time and memory of a process and its children, from `/proc`.
package struct ProcessUsage: Sendable, Equatable {
  /// User and system time of all its threads, and of children that still run or were waited for, in seconds.
  package let cpuSeconds: Double
  package let residentKiB: Int
  package let threads: Int
  /// Open descriptors; nil if those of one process may not be counted.
  package let descriptors: Int?

  /// - Throws: ``LoadError`` with code `no_process` if there is none with this id.
  package static func read(_ pid: Int32) throws(LoadError) -> ProcessUsage {
    guard let root = stat(of: pid) else { throw LoadError(.noProcess, "There is no process \(pid).") }
    var ticks = root.ownTicks + root.waitedTicks
    var pages = root.residentPages
    var threads = root.threads
    var descriptors = Self.descriptors(of: pid)
    for child in descendants(of: pid) {
      guard let stat = stat(of: child) else { continue }
      ticks += stat.ownTicks + stat.waitedTicks
      pages += stat.residentPages
      threads += stat.threads
      let more = Self.descriptors(of: child)
      descriptors = descriptors.flatMap { sum in more.map { sum + $0 } }
    }
    return ProcessUsage(
      cpuSeconds: Double(ticks) / Double(max(1, sysconf(Int32(_SC_CLK_TCK)))),
      residentKiB: pages * max(1, sysconf(Int32(_SC_PAGESIZE))) / 1_024, threads: threads, descriptors: descriptors)
  }

  private static func descriptors(of pid: Int32) -> Int? {
    try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count
  }

  /// What the harness's own process used so far, in seconds.
  package static func ownCPUSeconds() -> Double {
    var usage = rusage()
    guard getrusage(RUSAGE_SELF.rawValue, &usage) == 0 else { return 0 }
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1_000_000 }
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
  }

  /// The fields of `/proc/PID/stat` that matter (proc(5)).
  struct Stat: Equatable {
    let parent: Int32
    let ownTicks: Int
    let waitedTicks: Int
    let residentPages: Int
    let threads: Int

    /// Reads a line; the command's name may hold spaces and brackets, so counting starts after its last bracket.
    init?(_ line: String) {
      guard let bracket = line.lastIndex(of: ")") else { return nil }
      let fields = line[line.index(after: bracket)...].split(whereSeparator: { $0 == " " || $0 == "\n" })
      guard fields.count > 21, let parent = Int32(fields[1]), let user = Int(fields[11]), let system = Int(fields[12]),
        let waitedUser = Int(fields[13]), let waitedSystem = Int(fields[14]), let threads = Int(fields[17]),
        let pages = Int(fields[21])
      else { return nil }
      self.parent = parent
      ownTicks = user + system
      waitedTicks = waitedUser + waitedSystem
      residentPages = pages
      self.threads = threads
    }
  }

  private static func stat(of pid: Int32) -> Stat? {
    guard let line = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return nil }
    return Stat(line)
  }

  private static func descendants(of pid: Int32) -> [Int32] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    var children: [Int32: [Int32]] = [:]
    for other in names.compactMap({ Int32($0) }) {
      guard let stat = stat(of: other) else { continue }
      children[stat.parent, default: []].append(other)
    }
    var found: [Int32] = []
    var open = [pid]
    while let next = open.popLast() {
      let own = children[next] ?? []
      found += own
      open += own
    }
    return found
  }
}
