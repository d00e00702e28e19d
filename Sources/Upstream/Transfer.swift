import CCurl
import CTLS
import EventLoop
import Gateway
import Glibc
import JSONText

/// One libcurl easy handle and what its callbacks noted; reused for request after request of one pool.
///
/// The callbacks only note: libcurl must not be called from inside them, and neither may the pipeline run there.
final class Transfer {
  let easy: UnsafeMutableRawPointer  // CURL
  unowned let multi: MultiHandle
  private let news: TurnNews
  /// The size of libcurl's buffer: the events of a stream are small, and thousands of them are open at a time. Half of it
  /// would cost a fifth more where a provider sends all of them at once. Fixed for the handle's life, because libcurl may
  /// keep the buffer of an earlier transfer when another stream shares its connection, and believes the size that is set.
  let isForStreams: Bool
  /// The exchange in work; nil while the transfer rests or was cancelled.
  var exchange: Exchange?
  /// The ticket of that exchange, and how often this transfer has been used: news of an earlier use are nobody's.
  var ticket: UInt64 = 0
  private(set) var generation: UInt64 = 0
  private var prepared: PreparedTarget?
  var target: UpstreamTarget? { prepared?.target }
  /// Its place among the active transfers of its multi handle; -1 while it rests.
  var place = -1
  /// What the handle sends; POST unless something else was asked for, nil if libcurl has refused that.
  private var method: UpstreamTarget.Method? = .post
  fileprivate let kept: KeptConnections
  /// libcurl refers to it as long as the easy handle lives.
  private let sessions: TLSSessions
  fileprivate var rules = AddressRules(networks: nil)

  /// Noted by the callbacks since the last delivery. An open stream has most often nothing to deliver.
  private var received: ByteArena?
  var head = UpstreamHead()
  var headComplete = false
  var headDelivered = false
  var isDirty = false
  var result: CURLcode?
  private var headerBytes = 0
  private var fieldCount = 0
  fileprivate var addressRefused = false
  fileprivate var addressTaken = false
  /// The request has begun to leave: from here on the provider may have it.
  private(set) var isBegun = false
  /// The kept connection that libcurl chose was not fit for use; nothing was sent.
  private(set) var isStale = false
  /// Asks libcurl for a new connection, for this use only.
  private var wantsFreshConnection = false
  /// The request leaves on a connection that has answered before.
  private var isOnKnownConnection = false
  /// What the provider has said of the request's stream.
  private(set) var fate = StreamFate()
  /// libcurl tells what happens; only where there may be HTTP/2, for its words cost it time.
  private var isTold = false
  /// Whether there can be TLS between us and whom we speak to.
  private var usesTLS = true
  private var overflow = false
  private var bodyBytes = 0
  private var totalBytes = 0

  /// Reading is to stop; libcurl is told from the write callback. Never over HTTP/2: there libcurl 7.88 stops reading
  /// the whole connection as soon as more comes for a stream that is paused.
  var wantsPause = false
  var isPaused = false
  /// Seconds of the pool's clock: when something last came, and whether anything did.
  var lastActivity: Int64 = 0
  var startedAt: Int64 = 0
  /// Since when it might have been sent, of one that has not begun.
  var waitsSince: Int64 = 0

  init(multi: MultiHandle, isForStreams: Bool) throws(UpstreamError) {
    guard let easy = curl_easy_init() else { throw UpstreamError(.libcurl, detail: "curl_easy_init") }
    self.easy = easy
    self.multi = multi
    news = multi.news
    kept = multi.kept
    sessions = multi.sessions
    self.isForStreams = isForStreams
    guard setConstantOptions() else { throw UpstreamError(.libcurl, detail: "curl_easy_setopt") }
  }

  deinit {
    if isTold { tell(false) }  // nobody is there to be told of the handle's end
    curl_easy_cleanup(easy)
  }

  private func setConstantOptions() -> Bool {
    let me = Unmanaged.passUnretained(self).toOpaque()
    let codes = [
      th_curl_easy_set_ptr(easy, CURLOPT_PRIVATE, me),
      th_curl_easy_set_ptr(easy, CURLOPT_SHARE, sessions.share),
      th_curl_easy_set_long(easy, CURLOPT_POST, 1),
      th_curl_easy_set_long(easy, CURLOPT_TCP_KEEPALIVE, 1),
      th_curl_easy_set_long(easy, CURLOPT_SSL_SESSIONID_CACHE, 1),
      th_curl_easy_set_long(easy, CURLOPT_MAXLIFETIME_CONN, 600),
      th_curl_easy_set_long(easy, CURLOPT_MAXAGE_CONN, 300),
      th_curl_easy_set_long(easy, CURLOPT_DNS_CACHE_TIMEOUT, 60),
      // libcurl takes a byte more: together 2 KiB, where allocators have a size.
      th_curl_easy_set_long(easy, CURLOPT_BUFFERSIZE, isForStreams ? 2 * 1024 - 1 : 16 * 1024),
      th_curl_easy_set_write_function(easy, noteBody),
      th_curl_easy_set_ptr(easy, CURLOPT_WRITEDATA, me),
      th_curl_easy_set_header_function(easy, noteHeader),
      th_curl_easy_set_ptr(easy, CURLOPT_HEADERDATA, me),
      th_curl_easy_set_prereq_function(easy, beforeRequest),
      th_curl_easy_set_ptr(easy, CURLOPT_PREREQDATA, me),
      th_curl_easy_set_opensocket_function(easy, openSocket),
      th_curl_easy_set_ptr(easy, CURLOPT_OPENSOCKETDATA, me),
      th_curl_easy_set_closesocket_function(easy, closeSocket),
      th_curl_easy_set_ptr(easy, CURLOPT_CLOSESOCKETDATA, Unmanaged.passUnretained(kept).toOpaque()),
      th_curl_easy_set_debug_function(easy, noteTalk),
      th_curl_easy_set_ptr(easy, CURLOPT_DEBUGDATA, me),
    ]
    // Not a word of RTSP is spoken. libcurl sends once more by itself what had no answer on a kept connection, which
    // ``beforeRequest`` forbids; with this it does so for refused streams alone, and says so. Where RTSP was left out of
    // libcurl, a refused stream counts as a lost one.
    _ = th_curl_easy_set_long(easy, CURLOPT_RTSP_REQUEST, Int(CURL_RTSPREQ_RECEIVE))
    return OutboundRules.apply(to: easy) && codes.allSatisfy { $0 == CURLE_OK }
  }

  /// Sets what differs from the last request. `body` must outlive the transfer.
  func prepare(_ target: UpstreamTarget, body: UnsafeRawBufferPointer) -> Bool {
    if self.target !== target {
      guard let prepared = multi.prepared(target), point(at: prepared) else { return false }
    }
    generation &+= 1
    head = UpstreamHead()
    headComplete = false
    headDelivered = false
    result = nil
    headerBytes = 0
    fieldCount = 0
    addressRefused = false
    addressTaken = false
    isBegun = false
    if isStale { forbidReuse(false) }
    isStale = false
    isOnKnownConnection = false
    fate = StreamFate()
    if isTold { tell(false) }
    if wantsFreshConnection { _ = setFreshConnection(false) }
    overflow = false
    totalBytes = 0
    wantsPause = false
    isPaused = false
    bodyBytes = body.count
    guard setMethod(target.method) else { return false }
    guard target.method == .post else { return true }
    return th_curl_easy_set_const_ptr(easy, CURLOPT_POSTFIELDS, body.baseAddress) == CURLE_OK
      && th_curl_easy_set_off(easy, CURLOPT_POSTFIELDSIZE_LARGE, Int64(body.count)) == CURLE_OK
  }

  /// Nearly all that is sent is a POST, as which a handle is made.
  private func setMethod(_ wanted: UpstreamTarget.Method) -> Bool {
    guard wanted != method || wanted != .post else { return true }
    method = nil  // half set is neither
    let isSet: Bool
    switch wanted {
    case .post:
      isSet =
        th_curl_easy_set_ptr(easy, CURLOPT_CUSTOMREQUEST, nil) == CURLE_OK
        && th_curl_easy_set_long(easy, CURLOPT_POST, 1) == CURLE_OK
    case .get, .delete:
      isSet =
        th_curl_easy_set_const_ptr(easy, CURLOPT_POSTFIELDS, nil) == CURLE_OK
        && th_curl_easy_set_long(easy, CURLOPT_HTTPGET, 1) == CURLE_OK
        && (wanted == .get
          ? th_curl_easy_set_ptr(easy, CURLOPT_CUSTOMREQUEST, nil) == CURLE_OK
          : th_curl_easy_set_string(easy, CURLOPT_CUSTOMREQUEST, wanted.rawValue) == CURLE_OK)
    }
    if isSet { method = wanted }
    return isSet
  }

  private func point(at prepared: PreparedTarget) -> Bool {
    let target = prepared.target
    guard th_curl_easy_set_ptr(easy, CURLOPT_CURLU, UnsafeMutableRawPointer(prepared.address)) == CURLE_OK,
      th_curl_easy_set_slist(easy, CURLOPT_HTTPHEADER, prepared.headers) == CURLE_OK
    else { return false }
    self.prepared = prepared
    let isPlain = target.url.hasPrefix("http:")
    usesTLS = target.transport?.proxy != nil || !isPlain
    // With a proxy it is the proxy's address that is connected to; the provider's name is the proxy's to resolve.
    rules = AddressRules(
      networks: target.transport?.proxy.map(\.networks) ?? target.networks)
    // A handle's pool has one transport for life, so nothing of an earlier one must be undone.
    if let transport = target.transport, !OutboundRules.apply(transport, to: easy) { return false }
    // So is its signature: all of a pool's targets are signed, or none is.
    if let signature = target.signature, !OutboundRules.apply(signature, to: easy) { return false }
    // Whether a connection can be shared shows in its TLS. Without, requests would wait for that until the first answer
    // is over.
    let version = isPlain ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS
    guard th_curl_easy_set_long(easy, CURLOPT_PIPEWAIT, isPlain ? 0 : 1) == CURLE_OK,
      th_curl_easy_set_long(easy, CURLOPT_HTTP_VERSION, Int(version)) == CURLE_OK
    else { return false }
    return th_curl_easy_set_string(easy, CURLOPT_PROTOCOLS_STR, target.isLocal ? "http,https" : "https") == CURLE_OK
      && th_curl_easy_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, target.connectMilliseconds) == CURLE_OK
  }

  /// Makes ready for the same request once more, after a kept connection was not fit for it.
  func prepareAgain() -> Bool {
    result = nil
    isStale = false
    forbidReuse(false)
    return setFreshConnection(true)
  }

  /// Keeps what libcurl has brought until the turn's end.
  /// - Returns: What libcurl is to be told: all of it, or why not.
  fileprivate func note(body bytes: UnsafeRawBufferPointer) -> Int {
    if wantsPause {
      isPaused = true
      return Int(CURL_WRITEFUNC_PAUSE)
    }
    totalBytes &+= bytes.count
    guard totalBytes <= multi.limits.streamBytes else {
      overflow = true
      return tooMuch()
    }
    if received == nil { received = news.takeBuffer() }
    received?.append(bytes)
    news.add(self)
    return bytes.count
  }

  fileprivate func note(header line: UnsafeRawBufferPointer) -> Int {
    headerBytes &+= line.count
    // Each head has its own fields, interim ones too; all together they have their bytes.
    fieldCount = UpstreamHeadLine.isStatus(line) ? 0 : line.count > 2 ? fieldCount &+ 1 : fieldCount
    guard headerBytes <= multi.limits.upstreamHeadBytes, fieldCount <= multi.limits.upstreamFieldCount else {
      return tooMuch()
    }
    guard !headComplete else { return line.count }  // trailers
    UpstreamHeadLine.read(line, into: &head)
    // An empty line ends the head, unless it was an interim one.
    if line.count <= 2, head.status >= 200 {
      headComplete = true
      news.add(self)
    }
    return line.count
  }

  /// Has libcurl end the transfer, and its connection where nobody else uses it: the reset of a stream would lie unsent
  /// (see ``MultiHandle``), and its provider go on.
  private func tooMuch() -> Int {
    forbidReuse(true)
    return 0
  }

  /// What was noted; whoever takes it gives it back to the multi handle.
  func takeReceived() -> ByteArena? {
    defer { received = nil }
    return received
  }

  private func setFreshConnection(_ isWanted: Bool) -> Bool {
    wantsFreshConnection = isWanted
    return th_curl_easy_set_long(easy, CURLOPT_FRESH_CONNECT, isWanted ? 1 : 0) == CURLE_OK
  }

  /// The connection is not fit for use: it ends here, or libcurl would choose it for the next request, too.
  fileprivate func rejectConnection() {
    isStale = true
    forbidReuse(true)
  }

  /// The request begins to leave on a connection.
  fileprivate func begin(on connection: ConnectionName, isKnown: Bool, isHTTP2: Bool) {
    isBegun = true
    isOnKnownConnection = isKnown
    fate.connection = connection
    if usesTLS, isHTTP2 || !isKnown { tell(true) }
  }

  private func tell(_ isWanted: Bool) {
    isTold = th_curl_easy_set_long(easy, CURLOPT_VERBOSE, isWanted ? 1 : 0) == CURLE_OK && isWanted
  }

  func note(_ talk: StreamTalk) { fate.note(talk) }

  /// Whether libcurl's handle is as good as new. One that has failed may still hold for refused what comes next.
  var mayRest: Bool { result == nil || result == CURLE_OK || !isBegun }

  /// Whether libcurl has given all of the request's body away by now.
  func noteSentBody() {
    var sent: Int64 = 0
    head.hasTakenRequest =
      th_curl_easy_get_off(easy, CURLINFO_SIZE_UPLOAD_T, &sent) == CURLE_OK && sent >= Int64(bodyBytes)
  }

  /// Has libcurl end this use's connection with it, if no other stream is on it.
  func forbidReuse(_ isForbidden: Bool) {
    _ = th_curl_easy_set_long(easy, CURLOPT_FORBID_REUSE, isForbidden || neverReuses ? 1 : 0)
  }

  /// Within TLS to a proxy nobody sees what is left over, so there no connection serves twice.
  private var neverReuses: Bool { target?.transport?.proxy?.url.hasPrefix("https:") == true }

  /// Of an answer that is not whole: the socket on which there may be others.
  var sharedSocket: curl_socket_t? {
    guard usesTLS, isBegun, result == nil else { return nil }
    var descriptor: curl_socket_t = -1
    let code = th_curl_easy_get_socket(easy, CURLINFO_ACTIVESOCKET, &descriptor)
    return code == CURLE_OK && descriptor >= 0 ? descriptor : nil
  }

  /// An answer is whole: its connection is known from now on.
  func noteConnection() {
    guard !isOnKnownConnection, let name = fate.connection, kept.find(name) == nil else { return }
    var version = 0
    var descriptor: curl_socket_t = -1
    guard th_curl_easy_get_long(easy, CURLINFO_HTTP_VERSION, &version) == CURLE_OK,
      th_curl_easy_get_socket(easy, CURLINFO_ACTIVESOCKET, &descriptor) == CURLE_OK
    else { return }
    kept.keep(descriptor, as: name, isHTTP2: version == Int(CURL_HTTP_VERSION_2_0))
  }

  /// Whether TLS has taken more from the socket than was read of it: what a provider said beyond its last answer, which
  /// looking at the socket does not show.
  fileprivate var holdsUnreadRecords: Bool {
    usesTLS && th_curl_easy_get_ssl(easy).map { SSL_has_pending(OpaquePointer($0)) != 0 } ?? false
  }

  /// How the transfer ended, in the pipeline's words.
  var end: UpstreamEnd {
    guard let result else { return .cut }
    return Self.end(
      isWhole: result == CURLE_OK, isBegun: isBegun, addressRefused: addressRefused && !addressTaken,
      overflow: overflow,
      isUntouched: headerBytes == 0 && totalBytes == 0 && fate.isUntouched)
  }

  /// - Parameters:
  ///   - isBegun: The request has left, or may have.
  ///   - addressRefused: None of the provider's addresses is one to connect to.
  ///   - isUntouched: The provider has said that it has done nothing with the request.
  static func end(isWhole: Bool, isBegun: Bool, addressRefused: Bool, overflow: Bool, isUntouched: Bool) -> UpstreamEnd
  {
    if addressRefused, !isBegun { return .addressRefused }
    if overflow { return .tooLarge }
    if isWhole { return .complete }
    if isBegun, isUntouched { return .refused }
    // Not by libcurl's code: it calls an answer that is no HTTP an unknown protocol, as it does a wrong URL.
    return isBegun ? .cut : .notConnected
  }
}

/// A transfer behind libcurl's untyped pointer. The multi handle's owner keeps it alive while libcurl has it.
private func transfer(_ pointer: UnsafeMutableRawPointer?) -> Transfer? {
  pointer.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
}

// The next two come with each piece and line of an answer. For the same reason no reference is counted there.

private func noteBody(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
  guard let context, let bytes else { return 0 }
  return Unmanaged<Transfer>.fromOpaque(context)._withUnsafeGuaranteedRef {
    $0.note(body: UnsafeRawBufferPointer(start: bytes, count: size &* count))
  }
}

private func noteHeader(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
  guard let context, let bytes else { return 0 }
  return Unmanaged<Transfer>.fromOpaque(context)._withUnsafeGuaranteedRef {
    $0.note(header: UnsafeRawBufferPointer(start: bytes, count: size &* count))
  }
}

/// The last word before a request leaves. libcurl sends a request once more by itself when a kept connection ends
/// without an answer; the provider may then have it twice and bill it twice, and the books know of one. Another attempt
/// is the pipeline's to make, with a reservation of its own.
private func beforeRequest(
  _ context: UnsafeMutableRawPointer?, _ address: UnsafeMutablePointer<CChar>?,
  _ localAddress: UnsafeMutablePointer<CChar>?, _ port: Int32, _ localPort: Int32
) -> Int32 {
  guard let transfer = transfer(context), !transfer.isBegun else { return CURL_PREREQFUNC_ABORT }
  let name = ConnectionName(localPort: localPort, address: address, port: port)
  let kept = transfer.kept.find(name)
  guard kept?.isQuiet ?? true, !transfer.holdsUnreadRecords else {
    transfer.rejectConnection()
    return CURL_PREREQFUNC_ABORT
  }
  transfer.begin(on: name, isKnown: kept != nil, isHTTP2: kept?.isHTTP2 ?? false)
  return CURL_PREREQFUNC_OK
}

/// libcurl's words; a GOAWAY concerns all that is on its connection.
private func noteTalk(
  _ easy: UnsafeMutableRawPointer?, _ kind: curl_infotype, _ bytes: UnsafeMutablePointer<CChar>?, _ count: Int,
  _ context: UnsafeMutableRawPointer?
) -> Int32 {
  guard kind == CURLINFO_TEXT, let bytes, let transfer = transfer(context),
    let talk = StreamTalk(UnsafeRawBufferPointer(start: bytes, count: count))
  else { return 0 }
  if case .goodbye = talk, let connection = transfer.fate.connection {
    transfer.multi.note(talk, on: connection)
  } else {
    transfer.note(talk)
  }
  return 0
}

private func openSocket(
  _ context: UnsafeMutableRawPointer?, _ purpose: curlsocktype, _ address: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
  guard let transfer = transfer(context), let address, purpose == CURLSOCKTYPE_IPCXN,
    let target = th_curl_sockaddr_address(address)
  else { return -1 }
  guard transfer.rules.allows(target) else {
    transfer.addressRefused = true
    return -1
  }
  let descriptor = th_curl_sockaddr_open(address)
  if descriptor >= 0 {
    transfer.addressTaken = true
    transfer.kept.opened(descriptor)
  }
  return descriptor
}

private func closeSocket(_ context: UnsafeMutableRawPointer?, _ descriptor: curl_socket_t) -> Int32 {
  if let context { Unmanaged<KeptConnections>.fromOpaque(context).takeUnretainedValue().closed(descriptor) }
  return close(descriptor)
}
