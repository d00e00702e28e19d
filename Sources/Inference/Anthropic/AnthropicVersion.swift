/// A version of Anthropic's API that this gateway speaks, as the `anthropic-version` header names it.
public enum AnthropicVersion: String, Sendable, CaseIterable {
  case june2023 = "2023-06-01"
  /// Refuses sampling parameters, documents of the assistant and citations of the user, whatever the model.
  case october2026 = "2026-10-21"

  /// Reads the header's value; nil for a version that nobody here knows.
  public init?(_ value: UnsafeRawBufferPointer) {
    for version in Self.allCases where value.elementsEqual(version.rawValue.utf8) {
      self = version
      return
    }
    return nil
  }
}

extension RequestScan {
  /// What this version of the API refuses in the body that was scanned; nil if nothing.
  public func versionFault(_ version: AnthropicVersion) -> InferenceError? {
    guard version == .october2026, let fault = newerVersionFault else { return nil }
    return InferenceError(
      .unsupportedParameter, param: fault.param,
      message: "'\(fault.param)': \(fault.reason) under anthropic-version 2026-10-21. Leave it out.")
  }

  /// Notes the first such fault.
  func noteNewerVersionFault(_ param: @autoclosure () -> String, _ reason: StaticString) {
    if newerVersionFault == nil { newerVersionFault = (param(), reason) }
  }
}
