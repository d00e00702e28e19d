import Glibc

/// How much memory this process may use: the machine's, or what its control group leaves of it.
enum MachineMemory {
  static var bytes: Int {
    let pages = sysconf(Int32(_SC_PHYS_PAGES))
    let size = sysconf(Int32(_SC_PAGESIZE))
    let (product, overflow) = pages.multipliedReportingOverflow(by: size)
    let machine = pages > 0 && size > 0 && !overflow ? product : .max
    return groupLimits.reduce(machine) { min($0, $1) }
  }

  /// `memory.max` of the process's group and of the groups above it (cgroup v2); none where there are no groups.
  private static var groupLimits: [Int] {
    guard let bytes = FileBytes.read("/proc/self/cgroup", limit: 1 << 16),
      let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first(where: { $0.hasPrefix("0::/") })
    else { return [] }
    var parts = line.dropFirst(4).split(separator: "/")
    var limits: [Int] = []
    while true {
      let folder = "/sys/fs/cgroup/" + parts.map { "\($0)/" }.joined()
      if let text = FileBytes.read(folder + "memory.max", limit: 64),
        let limit = Int(String(decoding: text, as: UTF8.self).trimmingSuffix("\n"))
      {
        limits.append(limit)
      }
      guard parts.popLast() != nil else { return limits }
    }
  }
}

extension String {
  fileprivate func trimmingSuffix(_ suffix: String) -> String {
    hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
  }
}
