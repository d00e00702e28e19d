/// Why a command did not do its work: what happened, where, what to do next, and the code it ends with.
struct CommandFailure: Error, Equatable {
  /// The exit codes of `operating.md` section 1.
  enum Exit: Int32, CaseIterable {
    case failed = 1, declined = 2, differences = 3, notLoggedIn = 4, forbidden = 5, notFound = 6, conflict = 7
    case limit = 8, usage = 64, unreachable = 69, interrupted = 130
  }

  let exit: Exit
  /// Stable, for scripts.
  let code: String
  let message: String
  /// A file with line and column, an address, a command; empty if there is none.
  let place: String
  let hint: String
  let requestID: String?

  init(
    _ exit: Exit, code: String, _ message: String, place: String = "", hint: String = "", requestID: String? = nil
  ) {
    self.exit = exit
    self.code = code
    self.message = message
    self.place = place
    self.hint = hint
    self.requestID = requestID
  }

  /// Up to three lines for people, or one object for scripts.
  func rendered(as format: OutputFormat, style: Style) -> String {
    if format == .json || format == .jsonl {
      return JSONTree.members(
        (
          "error",
          .members(
            ("code", .text(code)), ("message", .text(message)), ("hint", hint.isEmpty ? nil : .text(hint)),
            ("request_id", requestID.map { .text($0) }))
        )
      ).line + "\n"
    }
    var lines = [style.red("error:") + " " + Self.safe(message)]
    if !place.isEmpty { lines.append("  --> " + Self.safe(place)) }
    if !hint.isEmpty { lines.append("hint: " + Self.safe(hint)) }
    return lines.map { $0 + "\n" }.joined()
  }

  private static func safe(_ text: String) -> String { DisplayText.escaped(text, limit: 500) }
}
