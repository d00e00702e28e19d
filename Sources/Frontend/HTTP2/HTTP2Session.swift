import CNghttp2
import Gateway

/// One libnghttp2 session, the server's side: frames, header compression and the state machine. Its limits are ours; what
/// it tells goes to the ``HTTP2Connection`` that owns it.
///
/// Not copyable, and without a mutating method: the library calls back in the middle of a call, and what it calls may ask
/// for more.
struct HTTP2Session: ~Copyable {
  /// Error codes that go out (RFC 9113, 7).
  enum Code: UInt32 {
    case noError = 0
    case internalError = 2
    case settingsTimeout = 4
    case refusedStream = 7
    case cancel = 8
    case enhanceYourCalm = 11
  }

  private let raw: OpaquePointer

  private init(raw: OpaquePointer) { self.raw = raw }

  /// Nil without memory.
  /// - Parameter isProxy: The other side is a proxy: streams that it takes back are its clients' doing.
  static func make(limits: Limits, isProxy: Bool) -> HTTP2Session? {
    guard let callbacks = HTTP2Callbacks.shared.callbacks else { return nil }
    var options: OpaquePointer?
    guard nghttp2_option_new(&options) == 0 else { return nil }
    defer { nghttp2_option_del(options) }
    nghttp2_option_set_no_auto_window_update(options, 1)
    nghttp2_option_set_no_closed_streams(options, 1)
    nghttp2_option_set_max_outbound_ack(options, limits.http2.idleFrames)
    nghttp2_option_set_max_deflate_dynamic_table_size(options, limits.http2.ownTableBytes)
    // The library has a limit of its own, which ends the connection. There is one reset for a request that was opened:
    // the meter sees to that.
    if isProxy { nghttp2_option_set_stream_reset_rate_limit(options, 1_000_000, 1_000_000) }
    var raw: OpaquePointer?
    guard nghttp2_session_server_new3(&raw, callbacks, nil, options, nil) == 0, let raw else { return nil }
    guard submitSettings(raw, limits) else {
      nghttp2_session_del(raw)
      return nil
    }
    return HTTP2Session(raw: raw)
  }

  deinit { nghttp2_session_del(raw) }

  private static func submitSettings(_ raw: OpaquePointer, _ limits: Limits) -> Bool {
    func entry(_ id: nghttp2_settings_id, _ value: Int) -> nghttp2_settings_entry {
      nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: UInt32(clamping: value))
    }
    let entries = [
      entry(NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, limits.http2.clientTableBytes),
      entry(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.http2.streams),
      entry(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.http2.streamWindowBytes),
      entry(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits.headBytes),
      // The tree of priorities is much state for nothing that we would use.
      entry(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1),
    ]
    return nghttp2_submit_settings(raw, 0, entries, entries.count) == 0
      && nghttp2_session_set_local_window_size(raw, 0, 0, Int32(clamping: limits.http2.connectionWindowBytes)) == 0
  }

  /// Who is called back; must stay as long as the session is used.
  borrowing func tell(_ connection: HTTP2Connection) {
    nghttp2_session_set_user_data(raw, Unmanaged.passUnretained(connection).toOpaque())
  }

  // MARK: Bytes

  /// - Returns: False if the connection cannot go on; a fault that the protocol knows was told to the client already.
  borrowing func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    nghttp2_session_mem_recv(raw, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count) == bytes.count
  }

  /// The next frames to go out, valid until the next call; none if there is nothing, nil if the session is broken. DATA
  /// goes through ``HTTP2Connection/writeData(_:_:_:)`` in between.
  borrowing func next() -> UnsafeRawBufferPointer? {
    var start: UnsafePointer<UInt8>?
    let count = nghttp2_session_mem_send(raw, &start)
    return count < 0 ? nil : UnsafeRawBufferPointer(start: start, count: count)
  }

  borrowing func wantsToWrite() -> Bool { nghttp2_session_want_write(raw) != 0 }

  /// Everything was said, and nothing is listened to.
  borrowing func isOver() -> Bool { nghttp2_session_want_read(raw) == 0 && nghttp2_session_want_write(raw) == 0 }

  // MARK: Streams

  /// Not retained: the connection keeps its streams until the library has told that they are closed.
  borrowing func attach(_ stream: HTTP2Stream) -> Bool {
    nghttp2_session_set_stream_user_data(raw, stream.id, Unmanaged.passUnretained(stream).toOpaque()) == 0
  }

  borrowing func stream(_ id: Int32) -> HTTP2Stream? {
    nghttp2_session_get_stream_user_data(raw, id).map { Unmanaged<HTTP2Stream>.fromOpaque($0).takeUnretainedValue() }
  }

  borrowing func takeTurns(_ stream: Int32) { _ = th_nghttp2_take_turns(raw, stream) }

  /// Whether the client has said all it has to say on a stream.
  borrowing func isRequestOver(_ stream: Int32) -> Bool { nghttp2_session_get_stream_remote_close(raw, stream) != 0 }

  /// Whether it is the client's window of this stream that lets out nothing.
  borrowing func isShut(_ stream: Int32) -> Bool { nghttp2_session_get_stream_remote_window_size(raw, stream) <= 0 }

  /// Bytes of a body were taken; the client may send as many more.
  borrowing func consumed(_ count: Int, of stream: Int32) { _ = nghttp2_session_consume_stream(raw, stream, count) }

  borrowing func consumedOfConnection(_ count: Int) { _ = nghttp2_session_consume_connection(raw, count) }

  /// An answer's head; its body is asked for by ``HTTP2Connection/dataLength(of:most:)``.
  borrowing func respond(_ stream: Int32, _ fields: UnsafeBufferPointer<nghttp2_nv>, hasBody: Bool) {
    var body = nghttp2_data_provider()
    body.read_callback = http2ReadBody
    _ =
      hasBody
      ? nghttp2_submit_response(raw, stream, fields.baseAddress, fields.count, &body)
      : nghttp2_submit_response(raw, stream, fields.baseAddress, fields.count, nil)
  }

  /// A head before the answer's head.
  borrowing func inform(_ stream: Int32, _ fields: UnsafeBufferPointer<nghttp2_nv>) {
    _ = nghttp2_submit_headers(raw, 0, stream, nil, fields.baseAddress, fields.count, nil)
  }

  /// There is more of a body after there was none.
  borrowing func resume(_ stream: Int32) { _ = nghttp2_session_resume_data(raw, stream) }

  borrowing func reset(_ stream: Int32, _ code: Code) { _ = nghttp2_submit_rst_stream(raw, 0, stream, code.rawValue) }

  // MARK: The end

  /// Says that there will be an end.
  borrowing func announceEnd() { _ = nghttp2_submit_shutdown_notice(raw) }

  /// Asks for a sign that everything before this was heard.
  borrowing func ping() { _ = nghttp2_submit_ping(raw, 0, nil) }

  /// Says which request was the last one taken.
  borrowing func sayLast() {
    _ = nghttp2_submit_goaway(raw, 0, nghttp2_session_get_last_proc_stream_id(raw), Code.noError.rawValue, nil, 0)
  }

  /// Ends everything with this frame.
  borrowing func terminate(_ code: Code) { _ = nghttp2_session_terminate_session(raw, code.rawValue) }
}
