/// Colour, by NO_COLOR, FORCE_COLOR, TERM and `--color`. Meaning never hangs on it.
struct Style: Equatable {
  enum Choice: String, CaseIterable { case auto, always, never }

  let isColoured: Bool

  init(isColoured: Bool) { self.isColoured = isColoured }

  /// The flag wins, then NO_COLOR, then FORCE_COLOR; else colour where a terminal that can show it is.
  init(choice: Choice, environment: [String: String], isTerminal: Bool) {
    func isSet(_ name: String) -> Bool { environment[name].map { !$0.isEmpty } ?? false }
    switch choice {
    case .always: isColoured = true
    case .never: isColoured = false
    case .auto:
      if isSet("NO_COLOR") {
        isColoured = false
      } else if isSet("FORCE_COLOR") {
        isColoured = environment["FORCE_COLOR"] != "0"
      } else {
        isColoured = isTerminal && environment["TERM"] != "dumb"
      }
    }
  }

  func bold(_ text: String) -> String { wrapped(text, code: "1") }
  func red(_ text: String) -> String { wrapped(text, code: "31") }

  private func wrapped(_ text: String, code: String) -> String {
    isColoured && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}
