import NIOCore

/// Writes a response's status line and headers.
///
/// Every answer but the prepared one also carries headers of the kind that providers send and a gateway must not pass on.
struct ResponseFrame {
  var status = 200
  var contentType: StaticString = "application/json"
  var isStream = false
  var contentLength: Int?
  var isChunked = false
  var closes = false
  var retryAfterSeconds: Int?
  var number: UInt64 = 0
  var vendor = Vendor.openAI

  func write(into buffer: inout ByteBuffer) {
    buffer.writeStaticString("HTTP/1.1 ")
    buffer.writeString(String(status))
    buffer.writeStaticString(" ")
    buffer.writeString(ErrorAnswer.reason(of: status))
    buffer.writeStaticString("\r\ncontent-type: ")
    buffer.writeStaticString(contentType)
    if let contentLength {
      buffer.writeStaticString("\r\ncontent-length: ")
      buffer.writeString(String(contentLength))
    }
    if isChunked { buffer.writeStaticString("\r\ntransfer-encoding: chunked") }
    if isStream { buffer.writeStaticString("\r\ncache-control: no-cache") }
    if closes { buffer.writeStaticString("\r\nconnection: close") }
    if let retryAfterSeconds {
      buffer.writeStaticString("\r\nretry-after: ")
      buffer.writeString(String(retryAfterSeconds))
    }
    buffer.writeStaticString(vendor.requestIDField)
    buffer.writeHex(Int(truncatingIfNeeded: number & 0xFFFF_FFFF))
    buffer.writeStaticString(vendor.furtherFields)
    if vendor == .bedrock, status != 200 {
      buffer.writeStaticString("\r\nx-amzn-errortype: ")
      buffer.writeString(VendorError.amazonType(status))
    }
    buffer.writeStaticString("\r\nset-cookie: __mock=1; path=/\r\n\r\n")
  }
}
