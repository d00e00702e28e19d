import Foundation

/// How many cores the process may use: those it may run on, or fewer where its control group has less time than they give.
enum AvailableCores {
  static var count: Int {
    let path = text("/proc/self/cgroup").flatMap(group) ?? "/"
    let quota = text("/sys/fs/cgroup\(path == "/" ? "" : path)/cpu.max")
    return count(active: ProcessInfo.processInfo.activeProcessorCount, quota: quota)
  }

  /// - Parameter quota: The text of `cpu.max`: microseconds of processor time, or `max`, and the period they are for
  ///   (cgroup-v2.rst of the kernel). Nil where there is none.
  static func count(active: Int, quota: String?) -> Int {
    let words = (quota ?? "").split { $0 == " " || $0 == "\n" }
    guard words.count == 2, let time = Int(words[0]), let period = Int(words[1]), time > 0, period > 0 else {
      return max(1, active)
    }
    // Part of a core is one as well: a loop may sleep, but there must be one.
    let (whole, rest) = time.quotientAndRemainder(dividingBy: period)
    return max(1, min(active, rest == 0 ? whole : whole &+ 1))
  }

  /// The process's own group under version 2, of the text of `/proc/self/cgroup`.
  static func group(_ text: String) -> String? {
    text.split(separator: "\n").first { $0.hasPrefix("0::/") }.map { String($0.dropFirst(3)) }
  }

  private static func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
}
