/// The sending side could not be set up; no request is affected, the loop does not start.
package struct UpstreamError: Error, Sendable {
  package enum Code: String, Sendable {
    case libcurl = "libcurl"
  }
  package let code: Code
  package let detail: String
  init(_ code: Code, detail: String) {
    self.code = code
    self.detail = detail
  }
}
