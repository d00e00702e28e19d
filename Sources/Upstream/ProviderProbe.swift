import CCurl
public import Gateway
import Glibc
public import Tenancy

/// One small GET to a provider, or a connection alone, by the rules of all that is sent; for who asks whether it answers.
/// Blocks for as long as its limit: never on a loop.
public struct ProviderProbe: Sendable {
  public enum Outcome: Sendable, Equatable {
    case answered(status: Int, body: [UInt8])
    /// With its TLS; nothing was sent.
    case connected
    case failed(Failure)
  }

  /// Why nothing was answered, in words that hold nothing of a peer's.
  public enum Failure: String, Sendable {
    case name = "its name cannot be resolved"
    case refusedAddress =
      "its address is refused by the rules for outbound connections, or none of its record's networks"
    case connection = "no connection"
    case proxy = "its proxy does not let it through"
    case tls = "its certificate, or ours, was not accepted"
    case pin = "its public key is none of its record's 'pinned-keys'"
    case timeout = "no answer in time"
    case tooLarge = "its answer is too large"
    case broken = "the connection broke, or the answer was not HTTP"
    case setup = "libcurl could not be set up"
  }

  public let url: String
  /// With the credential; never logged.
  public let headerLines: [String]
  /// As ``UpstreamTarget/networks``.
  public let networks: [Network]?
  public let transport: UpstreamTransport?
  public let connectsOnly: Bool
  public let milliseconds: Int
  /// Most bytes of an answer.
  public static let answerLimit = 4 << 20

  public init(
    url: String, headerLines: [String], networks: [Network]?, transport: UpstreamTransport?, connectsOnly: Bool,
    milliseconds: Int
  ) {
    self.url = url
    self.headerLines = headerLines
    self.networks = networks
    self.transport = transport
    self.connectsOnly = connectsOnly
    self.milliseconds = milliseconds
  }

  public func run() -> Outcome {
    guard th_curl_global_init() == CURLE_OK, let easy = curl_easy_init() else { return .failed(.setup) }
    defer { curl_easy_cleanup(easy) }
    var headers: UnsafeMutablePointer<curl_slist>?
    defer { curl_slist_free_all(headers) }
    for line in headerLines {
      guard let longer = curl_slist_append(headers, line) else { return .failed(.setup) }
      headers = longer
    }
    let notes = Notes(rules: AddressRules(networks: transport?.proxy.map(\.networks) ?? networks))
    return withExtendedLifetime(notes) {
      guard set(easy, headers, notes) else { return .failed(.setup) }
      let code = curl_easy_perform(easy)
      if notes.isTooLarge { return .failed(.tooLarge) }
      // Of several addresses one that was refused is no fault where another one was tried.
      let isRefused = notes.addressRefused && !notes.addressTaken
      guard code == CURLE_OK else { return .failed(isRefused ? .refusedAddress : Self.failure(code)) }
      if connectsOnly { return .connected }
      var status = 0
      guard th_curl_easy_get_long(easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK else { return .failed(.broken) }
      return .answered(status: status, body: notes.body)
    }
  }

  private func set(_ easy: UnsafeMutableRawPointer, _ headers: UnsafeMutablePointer<curl_slist>?, _ notes: Notes)
    -> Bool
  {
    let context = Unmanaged.passUnretained(notes).toOpaque()
    var codes = [
      th_curl_easy_set_string(easy, CURLOPT_URL, url),
      th_curl_easy_set_string(easy, CURLOPT_PROTOCOLS_STR, networks == nil ? "https" : "http,https"),
      th_curl_easy_set_slist(easy, CURLOPT_HTTPHEADER, headers),
      th_curl_easy_set_long(easy, CURLOPT_HTTPGET, 1),
      th_curl_easy_set_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS)),
      th_curl_easy_set_long(easy, CURLOPT_TIMEOUT_MS, milliseconds),
      th_curl_easy_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds),
      th_curl_easy_set_write_function(easy, keepBody),
      th_curl_easy_set_ptr(easy, CURLOPT_WRITEDATA, context),
      th_curl_easy_set_opensocket_function(easy, openChecked),
      th_curl_easy_set_ptr(easy, CURLOPT_OPENSOCKETDATA, context),
    ]
    if connectsOnly { codes.append(th_curl_easy_set_long(easy, CURLOPT_CONNECT_ONLY, 1)) }
    guard OutboundRules.apply(to: easy), codes.allSatisfy({ $0 == CURLE_OK }) else { return false }
    return transport.map { OutboundRules.apply($0, to: easy) } ?? true
  }

  private static func failure(_ code: CURLcode) -> Failure {
    switch code {
    case CURLE_COULDNT_RESOLVE_HOST: .name
    case CURLE_COULDNT_CONNECT: .connection
    case CURLE_COULDNT_RESOLVE_PROXY, CURLE_PROXY: .proxy
    case CURLE_OPERATION_TIMEDOUT: .timeout
    case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CACERT_BADFILE: .tls
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH: .pin
    default: .broken
    }
  }
}

/// What the callbacks of one probe note.
private final class Notes {
  let rules: AddressRules
  var body: [UInt8] = []
  var addressRefused = false
  var addressTaken = false
  var isTooLarge = false

  init(rules: AddressRules) { self.rules = rules }
}

private func keepBody(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
  guard let bytes, let context else { return 0 }
  let notes = Unmanaged<Notes>.fromOpaque(context).takeUnretainedValue()
  let length = size &* count
  guard notes.body.count + length <= ProviderProbe.answerLimit else {
    notes.isTooLarge = true
    return 0
  }
  notes.body.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: length))
  return length
}

/// The rules hold for the very address that is connected to, whatever DNS said.
private func openChecked(
  _ context: UnsafeMutableRawPointer?, _ purpose: curlsocktype, _ address: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
  guard let context, purpose == CURLSOCKTYPE_IPCXN, let address, let target = th_curl_sockaddr_address(address) else {
    return -1
  }
  let notes = Unmanaged<Notes>.fromOpaque(context).takeUnretainedValue()
  guard notes.rules.allows(target) else {
    notes.addressRefused = true
    return -1
  }
  notes.addressTaken = true
  return th_curl_sockaddr_open(address)
}
