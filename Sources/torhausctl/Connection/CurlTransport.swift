import CCurl
import Glibc

/// The transport over libcurl: one connection, no redirects, no proxies, nothing from the environment.
struct CurlTransport: AdminTransport {
  let server: ServerAddress
  let token: String?

  /// One page of answers at most; the server's own pages are far smaller.
  private static let answerLimit = 256 << 20

  func send(_ request: TransportRequest) throws(CommandFailure) -> TransportResponse {
    guard th_curl_global_init() == CURLE_OK, let handle = curl_easy_init() else { throw unreachable("libcurl") }
    defer { curl_easy_cleanup(handle) }
    var headers: UnsafeMutablePointer<curl_slist>?
    defer { curl_slist_free_all(headers) }
    for line in headerLines(request) { headers = curl_slist_append(headers, line) ?? headers }
    let answer = Answer(limit: Self.answerLimit)
    let result = try withExtendedLifetime(answer) { () throws(CommandFailure) -> CURLcode in
      try setFixed(handle)
      try check(th_curl_easy_set_string(handle, CURLOPT_URL, server.origin + request.target))
      try check(th_curl_easy_set_string(handle, CURLOPT_CUSTOMREQUEST, request.method))
      try check(th_curl_easy_set_slist(handle, CURLOPT_HTTPHEADER, headers))
      if let body = request.body {
        try check(th_curl_easy_set_off(handle, CURLOPT_POSTFIELDSIZE_LARGE, Int64(body.count)))
        try check(body.withUnsafeBytes { th_curl_easy_set_const_ptr(handle, CURLOPT_COPYPOSTFIELDS, $0.baseAddress) })
      }
      let context = Unmanaged.passUnretained(answer).toOpaque()
      try check(th_curl_easy_set_ptr(handle, CURLOPT_WRITEDATA, context))
      try check(th_curl_easy_set_write_function(handle, receiveBody))
      try check(th_curl_easy_set_ptr(handle, CURLOPT_HEADERDATA, context))
      try check(th_curl_easy_set_header_function(handle, receiveHeader))
      return curl_easy_perform(handle)
    }
    guard result == CURLE_OK else { throw unreachable(String(cString: curl_easy_strerror(result))) }
    var status = 0
    try check(th_curl_easy_get_long(handle, CURLINFO_RESPONSE_CODE, &status))
    return TransportResponse(status: status, requestID: answer.requestID, body: answer.body)
  }

  private func headerLines(_ request: TransportRequest) -> [String] {
    var lines = ["Accept: application/json", "Expect:", "User-Agent: torhausctl"]
    if let token { lines.append("Authorization: Bearer \(token)") }
    if request.body != nil { lines.append("Content-Type: application/json") }
    return lines
  }

  private func setFixed(_ handle: UnsafeMutableRawPointer) throws(CommandFailure) {
    try check(
      th_curl_easy_set_string(handle, CURLOPT_PROTOCOLS_STR, server.origin.hasPrefix("https") ? "https" : "http"))
    try check(th_curl_easy_set_string(handle, CURLOPT_REDIR_PROTOCOLS_STR, "https"))
    try check(th_curl_easy_set_string(handle, CURLOPT_PROXY, ""))
    try check(th_curl_easy_set_string(handle, CURLOPT_NOPROXY, "*"))
    for (option, value) in [
      (CURLOPT_NOSIGNAL, 1), (CURLOPT_FOLLOWLOCATION, 0), (CURLOPT_NETRC, 0), (CURLOPT_SSL_VERIFYPEER, 1),
      (CURLOPT_SSL_VERIFYHOST, 2), (CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2), (CURLOPT_PATH_AS_IS, 1),
      (CURLOPT_CONNECTTIMEOUT_MS, 5000), (CURLOPT_TIMEOUT_MS, 600_000), (CURLOPT_HTTP09_ALLOWED, 0),
    ] {
      try check(th_curl_easy_set_long(handle, option, value))
    }
    if server.origin.hasPrefix("http:") {
      try check(th_curl_easy_set_opensocket_function(handle, openLoopback))
    }
  }

  private func check(_ code: CURLcode) throws(CommandFailure) {
    guard code == CURLE_OK else { throw unreachable(String(cString: curl_easy_strerror(code))) }
  }

  private func unreachable(_ why: String) -> CommandFailure {
    CommandFailure(
      .unreachable, code: "unreachable", "the server does not answer: \(why)", place: server.origin,
      hint: "is 'torhaus serve' running there? --server or TORHAUS_SERVER name another")
  }
}

/// What came back so far; libcurl's callbacks write to it while it is kept alive by the call.
private final class Answer {
  private(set) var body: [UInt8] = []
  private(set) var requestID: String?
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  /// False when the answer grows beyond its limit.
  func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count <= limit - body.count else { return false }
    body.append(contentsOf: bytes)
    return true
  }

  func read(header bytes: UnsafeRawBufferPointer) {
    let line = String(decoding: bytes, as: UTF8.self)
    guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == "x-request-id" else { return }
    requestID = String(line[line.index(after: colon)...].filter { !$0.isWhitespace })
  }
}

private func receiveBody(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
  guard let bytes, let context else { return 0 }
  let answer = Unmanaged<Answer>.fromOpaque(context).takeUnretainedValue()
  let length = size.multipliedReportingOverflow(by: count).partialValue
  return answer.append(UnsafeRawBufferPointer(start: bytes, count: length)) ? length : 0
}

private func receiveHeader(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
  guard let bytes, let context else { return 0 }
  let length = size.multipliedReportingOverflow(by: count).partialValue
  Unmanaged<Answer>.fromOpaque(context).takeUnretainedValue().read(
    header: UnsafeRawBufferPointer(start: bytes, count: length))
  return length
}

/// Plain http never leaves the machine, whatever `localhost` resolves to.
private func openLoopback(
  _: UnsafeMutableRawPointer?, _: curlsocktype, _ address: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
  guard let address, th_curl_sockaddr_is_loopback(address) == 1 else { return CURL_SOCKET_BAD }
  return th_curl_sockaddr_open(address)
}
