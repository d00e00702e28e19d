import FoundationEssentials

/// Reads the admin token: from a file or from standard input, never from an argument.
enum TokenFile {
  /// - Parameter path: `-` reads one line of standard input.
  static func read(_ path: String, console: Console) throws(CommandFailure) -> String {
    let text: String
    if path == "-" {
      text = console.readInput() ?? ""
    } else {
      guard let data = FileManager.default.contents(atPath: path), data.count <= 4096,
        let content = String(validating: data, as: UTF8.self)
      else {
        throw CommandFailure(
          .notLoggedIn, code: "no_token", "the token file cannot be read", place: path,
          hint: "TORHAUS_TOKEN_FILE or --token-file names a file that holds a token 'tha_…'")
      }
      warnIfOpen(path, console: console)
      text = content
    }
    let token = String(text.filter { !$0.isWhitespace })
    guard token.hasPrefix("tha_"), token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw CommandFailure(
        .notLoggedIn, code: "no_token", "that is no admin token", place: path == "-" ? "standard input" : path,
        hint: "an admin token begins with 'tha_'")
    }
    return token
  }

  private static func warnIfOpen(_ path: String, console: Console) {
    guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
      let mode = attributes[.posixPermissions] as? Int, mode & 0o077 != 0
    else { return }
    console.talk("warning: others can read \(DisplayText.escaped(path, limit: 200)); run 'chmod 600' on it")
  }
}
