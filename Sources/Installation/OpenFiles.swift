import Glibc

/// How many descriptors this process may have open.
enum OpenFiles {
  /// Raises the soft limit to the hard one, for the soft one is 1,024 on many machines, for the sake of programs that use
  /// `select`, and tells what holds then.
  static func limit() -> Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
    if limit.rlim_cur < limit.rlim_max {
      var raised = limit
      raised.rlim_cur = limit.rlim_max
      if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
    }
    return Int(clamping: limit.rlim_cur)
  }
}
