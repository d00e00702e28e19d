import Gateway
import JSONText

/// Writes HTTP/1.1 answer heads and chunks into buffers; status lines are ready-made.
enum ResponseEncoder {
  static func writeHead(
    _ head: ResponseHead, fields: UnsafeRawBufferPointer, length: Int?, isVersion11: Bool, closes: Bool,
    into buffer: ByteArena
  ) {
    buffer.append(statusLine(head.status))
    switch head.kind {
    case .json: buffer.append("content-type: application/json\r\n")
    case .lines:
      buffer.append("content-type: application/jsonl\r\nx-content-type-options: nosniff\r\n")
    case .eventStream:
      buffer.append(
        "content-type: text/event-stream\r\ncache-control: no-cache, no-transform\r\nx-accel-buffering: no\r\n")
    case .sound(let type):
      buffer.append("content-type: ")
      buffer.append(type.mediaType)
      buffer.append("\r\nx-content-type-options: nosniff\r\n")
    case .text: buffer.append("content-type: text/plain; charset=utf-8\r\nx-content-type-options: nosniff\r\n")
    case .empty: break
    }
    if let length {
      buffer.append("content-length: ")
      buffer.append(number: Int64(length))
      buffer.append("\r\n")
    } else if isVersion11 {
      buffer.append("transfer-encoding: chunked\r\n")
    }
    buffer.append(fields)
    if closes {
      buffer.append("connection: close\r\n\r\n")
    } else if !isVersion11 {
      buffer.append("connection: keep-alive\r\n\r\n")
    } else {
      buffer.append("\r\n")
    }
  }

  static func writeChunk(_ bytes: UnsafeRawBufferPointer, into buffer: ByteArena) {
    writeHex(bytes.count, into: buffer)
    buffer.append("\r\n")
    buffer.append(bytes)
    buffer.append("\r\n")
  }

  static let lastChunk: StaticString = "0\r\n\r\n"
  static let interimContinue: StaticString = "HTTP/1.1 100 Continue\r\n\r\n"

  private static func writeHex(_ value: Int, into buffer: ByteArena) {
    var shift = value == 0 ? 0 : (Int.bitWidth &- 1 &- value.leadingZeroBitCount) & ~3
    while shift >= 0 {
      let digit = UInt8(truncatingIfNeeded: (value >> shift) & 15)
      buffer.append(digit < 10 ? 0x30 &+ digit : 0x57 &+ digit)
      shift &-= 4
    }
  }

  private static func statusLine(_ status: UInt16) -> StaticString {
    switch status {
    case 200: "HTTP/1.1 200 OK\r\n"
    case 400: "HTTP/1.1 400 Bad Request\r\n"
    case 401: "HTTP/1.1 401 Unauthorized\r\n"
    case 403: "HTTP/1.1 403 Forbidden\r\n"
    case 404: "HTTP/1.1 404 Not Found\r\n"
    case 405: "HTTP/1.1 405 Method Not Allowed\r\n"
    case 408: "HTTP/1.1 408 Request Timeout\r\n"
    case 413: "HTTP/1.1 413 Content Too Large\r\n"
    case 414: "HTTP/1.1 414 URI Too Long\r\n"
    case 415: "HTTP/1.1 415 Unsupported Media Type\r\n"
    case 417: "HTTP/1.1 417 Expectation Failed\r\n"
    case 429: "HTTP/1.1 429 Too Many Requests\r\n"
    case 431: "HTTP/1.1 431 Request Header Fields Too Large\r\n"
    case 500: "HTTP/1.1 500 Internal Server Error\r\n"
    case 502: "HTTP/1.1 502 Bad Gateway\r\n"
    case 503: "HTTP/1.1 503 Service Unavailable\r\n"
    case 504: "HTTP/1.1 504 Gateway Timeout\r\n"
    case 505: "HTTP/1.1 505 HTTP Version Not Supported\r\n"
    case 529: "HTTP/1.1 529 Overloaded\r\n"
    default: "HTTP/1.1 500 Internal Server Error\r\n"
    }
  }
}
