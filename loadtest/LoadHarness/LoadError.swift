/// Why a run could not be made; failures of single requests are counted in the report instead.
package struct LoadError: Error, Equatable, CustomStringConvertible {
  package enum Code: String, Sendable {
    case badTarget = "bad_target"
    case notLoopback = "not_loopback"
    case badPlan = "bad_plan"
    case connectFailed = "connect_failed"
    case noProcess = "no_process"
  }
  package let code: Code
  package let message: String
  package var description: String { message }

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }
}
