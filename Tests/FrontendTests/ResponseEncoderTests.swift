import Gateway
import JSONText
import Testing

@testable import Frontend

@Suite("Answer heads and chunks")
struct ResponseEncoderTests {
  private func head(
    _ status: UInt16 = 200, _ kind: ResponseHead.ContentKind = .json, fields: String = "", length: Int? = 0,
    isVersion11: Bool = true, closes: Bool = false
  ) -> String {
    let buffer = ByteArena()
    Array(fields.utf8).withUnsafeBytes { bytes in
      ResponseEncoder.writeHead(
        ResponseHead(status: status, kind: kind), fields: bytes, length: length, isVersion11: isVersion11,
        closes: closes, into: buffer)
    }
    return String(decoding: buffer.bytes, as: UTF8.self)
  }

  @Test func plainAnswer() {
    #expect(
      head(fields: "x-request-id: req_1\r\n", length: 12)
        == "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 12\r\nx-request-id: req_1\r\n\r\n")
  }

  @Test func emptyAnswerHasALengthAndNoType() {
    #expect(head(200, .empty) == "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
  }

  @Test func streamIsChunkedUncachedAndUnbuffered() {
    #expect(
      head(200, .eventStream, length: nil)
        == "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache, no-transform\r\n"
        + "x-accel-buffering: no\r\ntransfer-encoding: chunked\r\n\r\n")
  }

  @Test(arguments: SoundType.allCases) func soundIsWhatItIs(type: SoundType) {
    #expect(
      head(200, .sound(type), length: nil)
        == "HTTP/1.1 200 OK\r\ncontent-type: \(type.mediaType)\r\nx-content-type-options: nosniff\r\n"
        + "transfer-encoding: chunked\r\n\r\n")
  }

  @Test func bareTextIsText() {
    #expect(head(200, .text, length: 3).contains("\r\ncontent-type: text/plain; charset=utf-8\r\n"))
  }

  @Test func lastAnswerSaysClose() {
    #expect(head(400, length: 2, closes: true).hasSuffix("content-length: 2\r\nconnection: close\r\n\r\n"))
    #expect(head(400, length: 2, isVersion11: false, closes: true).hasSuffix("\r\nconnection: close\r\n\r\n"))
  }

  @Test func oldClientsAreToldThatTheConnectionStays() {
    #expect(head(length: 2, isVersion11: false).hasSuffix("content-length: 2\r\nconnection: keep-alive\r\n\r\n"))
  }

  @Test func oldClientsGetNoChunks() {
    let stream = head(200, .eventStream, length: nil, isVersion11: false, closes: true)
    #expect(!stream.contains("transfer-encoding"))
    #expect(!stream.contains("content-length"))
    #expect(stream.hasSuffix("connection: close\r\n\r\n"))
  }

  @Test(
    arguments: [200, 400, 401, 403, 404, 405, 408, 413, 414, 415, 417, 429, 431, 500, 502, 503, 504, 505, 529]
      as [UInt16])
  func everyStatusOfTheDesignHasItsLine(status: UInt16) {
    let line = head(status).prefix { $0 != "\r\n" }
    #expect(line.hasPrefix("HTTP/1.1 \(status) "))
    #expect(line.count > 13, "a reason stands behind it")
  }

  @Test(arguments: HTTPFaultTests.all)
  func everyRefusalHasItsLine(fault: HTTPFault, status: UInt16) {
    #expect(head(fault.status).hasPrefix("HTTP/1.1 \(status) "))
  }

  @Test(arguments: [0, 1, 199, 204, 304, 418, 599, 999, UInt16.max])
  func aStatusThatWeNeverSendBecomesAnInternalError(status: UInt16) {
    #expect(head(status).hasPrefix("HTTP/1.1 500 Internal Server Error\r\n"))
  }

  @Test(arguments: [0, 1, 9, 10, 11, 99, 100, 101, 65_535, 1_000_000, 33_554_432, Int.max])
  func lengthsAreDecimal(length: Int) {
    #expect(head(length: length).contains("\r\ncontent-length: \(length)\r\n"))
  }

  @Test(arguments: [1, 9, 10, 15, 16, 17, 159, 160, 255, 256, 4095, 4096, 65_535, 65_536])
  func chunksAreFramedInHex(count: Int) {
    let data = [UInt8](repeating: 0x61, count: count)
    let buffer = ByteArena()
    data.withUnsafeBytes { ResponseEncoder.writeChunk($0, into: buffer) }
    #expect(
      Array(buffer.bytes) == Array("\(String(count, radix: 16))\r\n".utf8) + data + [13, 10])
  }

  @Test func chunksAndTheLastOneAreABodyThatWeWouldReadOurselves() {
    let buffer = ByteArena()
    for count in [1, 16, 255, 4096] {
      [UInt8](repeating: 0x0A, count: count).withUnsafeBytes { ResponseEncoder.writeChunk($0, into: buffer) }
    }
    buffer.append(ResponseEncoder.lastChunk)
    let read = ChunkedBody(Array(buffer.bytes), maximumBytes: 1 << 20)
    #expect(read.outcome == .complete)
    #expect(read.data == [UInt8](repeating: 0x0A, count: 1 + 16 + 255 + 4096))
  }

  @Test func interimAnswerIsOneHeadOnly() {
    #expect(ResponseEncoder.interimContinue.description == "HTTP/1.1 100 Continue\r\n\r\n")
  }
}
