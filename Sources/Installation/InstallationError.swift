/// Why an installation does not start, in the three lines an operator reads.
package struct InstallationError: Error, Sendable, CustomStringConvertible {
  package enum Code: String, Sendable {
    case invalidConfiguration = "invalid_configuration"
    case invalidPolicies = "invalid_policies"
    case secretMissing = "secret_missing"
    case secretExposed = "secret_exposed"
    case folderUnwritable = "folder_unwritable"
    case storeUnusable = "store_unusable"
    case portTaken = "port_taken"
  }

  package let code: Code
  package let message: String
  /// `file:line:column`, or empty.
  package let place: String
  package let hint: String

  package init(_ code: Code, _ message: String, place: String = "", hint: String = "") {
    self.code = code
    self.message = message
    self.place = place
    self.hint = hint
  }

  static func unwritable(_ path: String) -> InstallationError {
    InstallationError(.folderUnwritable, "\(path) cannot be written", hint: "check owner, mode and free space")
  }

  package var description: String {
    var lines = ["error: \(message)"]
    if !place.isEmpty { lines.append("  --> \(place)") }
    if !hint.isEmpty { lines.append("hint: \(hint)") }
    return lines.joined(separator: "\n")
  }
}
