import Glibc

/// Says to the operator, on stderr, what needs attention. Never content, credentials or names of people.
enum OperatorLog {
  static func say(_ text: String) {
    // Control characters cannot forge further lines.
    let line = Array("torhaus: \(text)".utf8.map { $0 < 0x20 && $0 != 0x0A ? 0x3F : $0 }) + [0x0A]
    _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
