import Glibc

/// Where a command's words go and what it knows of its surroundings. Data is written to one side, talk to the other.
struct Console {
  /// Writes data; the text has its line ends.
  let writeData: (String) -> Void
  /// Writes talk.
  let writeTalk: (String) -> Void
  let readInput: () -> String?
  let environment: [String: String]
  let dataIsTerminal: Bool
  let talkIsTerminal: Bool
  let inputIsTerminal: Bool
  /// Columns of the terminal; nil where there is none.
  let columns: Int?

  func talk(_ line: String) { writeTalk(line + "\n") }
}

extension Console {
  /// The process's own streams.
  static func ofProcess(environment: [String: String]) -> Console {
    let dataIsTerminal = isatty(STDOUT_FILENO) == 1
    return Console(
      writeData: { write($0, to: STDOUT_FILENO) }, writeTalk: { write($0, to: STDERR_FILENO) },
      readInput: { readLine(strippingNewline: true) }, environment: environment, dataIsTerminal: dataIsTerminal,
      talkIsTerminal: isatty(STDERR_FILENO) == 1, inputIsTerminal: isatty(STDIN_FILENO) == 1,
      columns: dataIsTerminal ? terminalColumns() : nil)
  }

  /// The whole text, past interruptions and short writes; a reader that went away ends it.
  private static func write(_ text: String, to descriptor: Int32) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }

  private static func terminalColumns() -> Int? {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }
}
