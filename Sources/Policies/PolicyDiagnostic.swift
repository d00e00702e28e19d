/// Something wrong or odd in a policy file, in the three lines that a person reads.
public struct PolicyDiagnostic: Hashable, Sendable, CustomStringConvertible {
  public enum Severity: String, Sendable { case error, warning }

  public let severity: Severity
  public let message: String
  public let place: Place
  public let hint: String?

  public init(_ severity: Severity, _ message: String, at place: Place, hint: String? = nil) {
    self.severity = severity
    self.message = message
    self.place = place
    self.hint = hint
  }

  /// `error: …`, `  --> file:line:column` and, where there is one, `hint: …`.
  public var description: String {
    let head = "\(severity.rawValue): \(message)\n  --> \(place)"
    return hint.map { "\(head)\nhint: \($0)" } ?? head
  }
}

/// A policy set that cannot be used. The one in force stays.
public struct PolicyError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Code: String, Sendable {
    /// The folder or a file cannot be read.
    case unreadable = "policy_unreadable"
    /// At least one diagnostic is an error.
    case invalid = "policy_invalid"
  }

  public let code: Code
  public let message: String
  /// All of them, errors and warnings, by place.
  public let diagnostics: [PolicyDiagnostic]

  public init(_ code: Code, _ message: String, diagnostics: [PolicyDiagnostic] = []) {
    self.code = code
    self.message = message
    self.diagnostics = diagnostics
  }

  public var description: String {
    diagnostics.isEmpty ? "error: \(message)" : diagnostics.map(\.description).joined(separator: "\n")
  }
}

/// Collects all diagnostics of one load, so that the first error does not hide the others.
final class Report {
  private var found: [PolicyDiagnostic] = []

  func error(_ message: String, at place: Place, hint: String? = nil) {
    found.append(PolicyDiagnostic(.error, message, at: place, hint: hint))
  }

  func warn(_ message: String, at place: Place, hint: String? = nil) {
    found.append(PolicyDiagnostic(.warning, message, at: place, hint: hint))
  }

  var hasErrors: Bool { found.contains { $0.severity == .error } }

  /// By place, without repetitions.
  var diagnostics: [PolicyDiagnostic] {
    var seen = Set<PolicyDiagnostic>()
    return found.filter { seen.insert($0).inserted }
      .enumerated().sorted { ($0.element.place, $0.offset) < ($1.element.place, $1.offset) }.map(\.element)
  }
}
