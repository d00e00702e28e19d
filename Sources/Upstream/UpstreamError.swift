/// The sending side could not be set up; no request is affected, the loop does not start.
public struct UpstreamError: Error, Sendable {
  public enum Code: String, Sendable {
    case libcurl = "libcurl"
  }
  public let code: Code
  public let detail: String
  init(_ code: Code, detail: String) {
    self.code = code
    self.detail = detail
  }
}
