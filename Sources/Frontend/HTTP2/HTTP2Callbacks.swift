import CNghttp2

/// What libnghttp2 calls, turned into calls of the ``HTTP2Connection`` in question.
enum HTTP2Callbacks {
  /// Copied into every session; made once.
  struct Table: @unchecked Sendable {
    let callbacks: OpaquePointer?

    fileprivate init() {
      var table: OpaquePointer?
      guard nghttp2_session_callbacks_new(&table) == 0 else {
        callbacks = nil
        return
      }
      nghttp2_session_callbacks_set_on_begin_headers_callback(table, http2BeginHeaders)
      nghttp2_session_callbacks_set_on_header_callback(table, http2NoteField)
      nghttp2_session_callbacks_set_on_frame_recv_callback(table, http2FrameReceived)
      nghttp2_session_callbacks_set_on_data_chunk_recv_callback(table, http2NoteData)
      nghttp2_session_callbacks_set_on_stream_close_callback(table, http2StreamClosed)
      nghttp2_session_callbacks_set_on_frame_send_callback(table, http2FrameSent)
      nghttp2_session_callbacks_set_send_data_callback(table, http2WriteBody)
      callbacks = table
    }
  }

  static let shared = Table()
}

private func connection(_ user: UnsafeMutableRawPointer?) -> HTTP2Connection? {
  user.map { Unmanaged<HTTP2Connection>.fromOpaque($0).takeUnretainedValue() }
}

private func has(_ flag: nghttp2_flag, _ flags: UInt8) -> Bool { flags & UInt8(flag.rawValue) != 0 }

// MARK: In

private func http2BeginHeaders(
  _: OpaquePointer?, frame: UnsafePointer<nghttp2_frame>?, user: UnsafeMutableRawPointer?
) -> Int32 {
  guard let frame, let connection = connection(user) else { return NGHTTP2_ERR_CALLBACK_FAILURE.rawValue }
  let isRequest = frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST
  let isTaken = connection.headBegan(frame.pointee.hd.stream_id, isTrailer: !isRequest)
  return isTaken ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE.rawValue
}

private func http2NoteField(
  _: OpaquePointer?, _: UnsafePointer<nghttp2_frame>?, name: UnsafePointer<UInt8>?, nameCount: Int,
  value: UnsafePointer<UInt8>?, valueCount: Int, _: UInt8, user: UnsafeMutableRawPointer?
) -> Int32 {
  guard let connection = connection(user) else { return NGHTTP2_ERR_CALLBACK_FAILURE.rawValue }
  let isTaken = connection.field(
    UnsafeRawBufferPointer(start: name, count: nameCount), UnsafeRawBufferPointer(start: value, count: valueCount))
  return isTaken ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE.rawValue
}

private func http2FrameReceived(
  _: OpaquePointer?, frame: UnsafePointer<nghttp2_frame>?, user: UnsafeMutableRawPointer?
) -> Int32 {
  guard let frame, let connection = connection(user) else { return 0 }
  let header = frame.pointee.hd
  let endsStream = has(NGHTTP2_FLAG_END_STREAM, header.flags)
  switch UInt32(header.type) {
  case NGHTTP2_HEADERS.rawValue:
    if frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST {
      connection.headEnded(header.stream_id, endsStream: endsStream)
    } else {
      connection.trailerEnded(header.stream_id)
    }
  case NGHTTP2_DATA.rawValue where endsStream: connection.bodyEnded(header.stream_id)
  case NGHTTP2_RST_STREAM.rawValue: connection.resetByClient(header.stream_id)
  case NGHTTP2_SETTINGS.rawValue where !has(NGHTTP2_FLAG_ACK, header.flags): connection.greeted()
  case NGHTTP2_PING.rawValue where has(NGHTTP2_FLAG_ACK, header.flags): connection.heard()
  default: break
  }
  return 0
}

private func http2NoteData(
  _: OpaquePointer?, _: UInt8, stream: Int32, bytes: UnsafePointer<UInt8>?, count: Int, user: UnsafeMutableRawPointer?
) -> Int32 {
  connection(user)?.data(stream, UnsafeRawBufferPointer(start: bytes, count: count))
  return 0
}

private func http2StreamClosed(_: OpaquePointer?, stream: Int32, _: UInt32, user: UnsafeMutableRawPointer?) -> Int32 {
  connection(user)?.streamClosed(stream)
  return 0
}

// MARK: Out

private func http2FrameSent(
  _: OpaquePointer?, frame: UnsafePointer<nghttp2_frame>?, user: UnsafeMutableRawPointer?
) -> Int32 {
  guard let frame, let connection = connection(user) else { return 0 }
  let header = frame.pointee.hd
  switch UInt32(header.type) {
  case NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue:
    connection.sent(header.stream_id, endsStream: has(NGHTTP2_FLAG_END_STREAM, header.flags))
  case NGHTTP2_GOAWAY.rawValue: connection.sentEnd()
  case NGHTTP2_RST_STREAM.rawValue: connection.sentReset(code: frame.pointee.rst_stream.error_code)
  default: break
  }
  return 0
}

func http2ReadBody(
  _: OpaquePointer?, stream: Int32, _: UnsafeMutablePointer<UInt8>?, most: Int, flags: UnsafeMutablePointer<UInt32>?,
  _: UnsafeMutablePointer<nghttp2_data_source>?, user: UnsafeMutableRawPointer?
) -> Int {
  guard let connection = connection(user), let flags else { return Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue) }
  switch connection.dataLength(of: stream, most: most) {
  case .bytes(let count, let isLast):
    if count > 0 { flags.pointee |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue }
    if isLast { flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue }
    return count
  case .later: return Int(NGHTTP2_ERR_DEFERRED.rawValue)
  // The library resets the stream with INTERNAL_ERROR.
  case .broken: return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
  }
}

private func http2WriteBody(
  _: OpaquePointer?, frame: UnsafeMutablePointer<nghttp2_frame>?, header: UnsafePointer<UInt8>?, count: Int,
  _: UnsafeMutablePointer<nghttp2_data_source>?, user: UnsafeMutableRawPointer?
) -> Int32 {
  guard let frame, let header, let connection = connection(user) else {
    return NGHTTP2_ERR_CALLBACK_FAILURE.rawValue
  }
  let isFull = connection.writeData(
    frame.pointee.hd.stream_id, UnsafeRawBufferPointer(start: header, count: 9), count)
  return isFull ? NGHTTP2_ERR_PAUSE.rawValue : 0
}
