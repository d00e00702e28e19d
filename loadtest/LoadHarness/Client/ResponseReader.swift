import Glibc
import NIOCore

/// Cuts a connection's bytes into responses; knows only what a load client needs to know.
struct ResponseReader {
  enum Step {
    case needMore
    case head(status: Int)
    case body(ByteBuffer)
    /// The response is complete; the connection may carry the next one if `keepsAlive`.
    case end(keepsAlive: Bool)
    case malformed
  }
  private enum State {
    case head
    case length(left: Int)
    case chunkSize, chunkData(left: Int), chunkEnd, trailer
    case untilClose
  }

  private static let headLimit = 65_536
  private var state = State.head
  private var keepsAlive = true

  mutating func next(_ input: inout ByteBuffer) -> Step {
    switch state {
    case .head: return readHead(&input)
    case .length(let left):
      guard left > 0 else { return finish() }
      guard let part = Self.take(&input, upTo: left) else { return .needMore }
      state = .length(left: left - part.readableBytes)
      return .body(part)
    case .untilClose:
      guard let part = Self.take(&input, upTo: .max) else { return .needMore }
      return .body(part)
    case .chunkData(let left):
      guard let part = Self.take(&input, upTo: left) else { return .needMore }
      state = part.readableBytes == left ? .chunkEnd : .chunkData(left: left - part.readableBytes)
      return .body(part)
    case .chunkSize, .chunkEnd, .trailer: return readChunkLine(&input)
    }
  }

  /// Whether a connection that ends now ends a response properly: only one that has no other end.
  func isCompleteAtClose() -> Bool {
    if case .untilClose = state { return true }
    return false
  }

  private mutating func finish() -> Step {
    state = .head
    return .end(keepsAlive: keepsAlive)
  }

  private static func take(_ input: inout ByteBuffer, upTo limit: Int) -> ByteBuffer? {
    guard input.readableBytes > 0 else { return nil }
    return input.readSlice(length: min(limit, input.readableBytes))
  }

  private mutating func readChunkLine(_ input: inout ByteBuffer) -> Step {
    while true {
      let feed = input.withUnsafeReadableBytes { Self.index(of: 0x0A, in: $0, from: 0) }
      guard let feed else { return input.readableBytes > 4_096 ? .malformed : .needMore }
      guard let line = input.readSlice(length: feed + 1), feed > 0,
        line.getInteger(at: line.readerIndex + feed - 1, as: UInt8.self) == 0x0D
      else { return .malformed }
      let length = feed - 1
      switch state {
      case .chunkEnd:
        guard length == 0 else { return .malformed }
        state = .chunkSize
      case .trailer: if length == 0 { return finish() }
      default:
        guard let size = Self.chunkSize(line, length: length) else { return .malformed }
        if size > 0 {
          state = .chunkData(left: size)
          return next(&input)
        }
        state = .trailer
      }
    }
  }

  private static func chunkSize(_ line: ByteBuffer, length: Int) -> Int? {
    var value = 0
    var digits = 0
    scan: for byte in line.readableBytesView.prefix(length) {
      switch byte {
      case 0x30...0x39: value = value * 16 + Int(byte) - 0x30
      case 0x41...0x46: value = value * 16 + Int(byte) - 0x37
      case 0x61...0x66: value = value * 16 + Int(byte) - 0x57
      case 0x3B, 0x20, 0x09: break scan
      default: return nil
      }
      digits += 1
      guard value <= 1 << 40, digits <= 16 else { return nil }
    }
    return digits > 0 ? value : nil
  }

  private mutating func readHead(_ input: inout ByteBuffer) -> Step {
    while true {
      let parsed = input.withUnsafeReadableBytes { ResponseHead.parse($0, limit: Self.headLimit) }
      guard case .complete(let head, let length) = parsed else {
        return parsed == .incomplete ? .needMore : .malformed
      }
      input.moveReaderIndex(forwardBy: min(length, input.readableBytes))
      if head.status < 200 { continue }
      keepsAlive = head.keepsAlive
      if head.isChunked {
        state = .chunkSize
      } else if let length = head.contentLength {
        state = .length(left: length)
      } else if head.status == 204 || head.status == 304 {
        state = .length(left: 0)
      } else {
        keepsAlive = false
        state = .untilClose
      }
      return .head(status: head.status)
    }
  }

  static func index(of byte: UInt8, in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
    guard start >= 0, start < bytes.count, let base = bytes.baseAddress,
      let hit = memchr(base + start, Int32(byte), bytes.count - start)
    else { return nil }
    return UnsafeRawPointer(hit) - base
  }
}
