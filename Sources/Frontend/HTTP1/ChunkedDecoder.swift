public import JSONText

/// Decodes a chunked request body (RFC 9112, 7.1) as bytes arrive; trailers are read, counted and dropped.
public struct ChunkedDecoder {
  public enum Outcome: Equatable, Sendable {
    case incomplete
    case complete
    case failed(HTTPFault)
  }

  private enum State {
    case size, sizeExtension, sizeEnd, data, dataEnd, dataEndLF
    case trailerStart, trailer, trailerLF, lastLF
    case ended
  }

  private let maximumBytes: Int
  private let maximumTrailerBytes: Int
  private let maximumTrailers: Int
  private var state = State.size
  private var size = 0
  private var digits = 0
  private var lineBytes = 0
  private var trailerBytes = 0
  private var trailerCount = 0
  private var extensionBytes = 0
  /// The line of a trailer as it arrives: checked like a field of the head, then dropped.
  private var trailerLine: [UInt8] = []

  public init(maximumBytes: Int, maximumTrailerBytes: Int = 8 * 1024, maximumTrailers: Int = 100) {
    self.maximumBytes = maximumBytes
    self.maximumTrailerBytes = maximumTrailerBytes
    self.maximumTrailers = maximumTrailers
  }

  /// Reads from `bytes` at `position`, which ends up behind the last byte used; data goes to `body`.
  public mutating func decode(_ bytes: UnsafeRawBufferPointer, from position: inout Int, into body: ByteArena)
    -> Outcome
  {
    while position < bytes.count {
      if state == .data {
        let count = min(size, bytes.count &- position)
        body.append(UnsafeRawBufferPointer(rebasing: bytes[position..<(position &+ count)]))
        position &+= count
        size &-= count
        if size == 0 { state = .dataEnd }
        continue
      }
      let byte = bytes[position]
      position &+= 1
      if let fault = step(byte, body.count) { return .failed(fault) }
      if state == .ended { return .complete }
    }
    return .incomplete
  }

  private mutating func step(_ byte: UInt8, _ received: Int) -> HTTPFault? {
    switch state {
    case .size:
      if let digit = Self.hex(byte) {
        guard digits < 8 else { return .malformedChunk }
        size = size &* 16 &+ digit
        digits &+= 1
        guard size <= maximumBytes &- received else { return .bodyTooLarge }
        return nil
      }
      guard digits > 0 else { return .malformedChunk }
      lineBytes = 0
      return endOfSize(byte)
    case .sizeExtension:
      lineBytes &+= 1
      extensionBytes &+= 1
      guard lineBytes <= 256, extensionBytes <= maximumTrailerBytes else { return .malformedChunk }
      if byte == 0x0D {
        state = .sizeEnd
      } else if byte != 0x09, byte < 0x20 || byte >= 0x7F {
        return .malformedChunk
      }
    case .sizeEnd:
      guard byte == 0x0A else { return .malformedChunk }
      digits = 0
      state = size == 0 ? .trailerStart : .data
    case .dataEnd:
      guard byte == 0x0D else { return .malformedChunk }
      state = .dataEndLF
    case .dataEndLF:
      guard byte == 0x0A else { return .malformedChunk }
      state = .size
    case .trailerStart:
      state = byte == 0x0D ? .lastLF : .trailer
      if state == .trailer { return trailerByte(byte) }
    case .trailer:
      if byte == 0x0D { state = .trailerLF } else { return trailerByte(byte) }
    case .trailerLF:
      guard byte == 0x0A else { return .malformedChunk }
      trailerCount &+= 1
      guard trailerCount <= maximumTrailers else { return .tooManyFields }
      if let fault = TrailerField.fault(trailerLine) { return fault }
      trailerLine.removeAll(keepingCapacity: true)
      state = .trailerStart
    case .lastLF:
      guard byte == 0x0A else { return .malformedChunk }
      state = .ended
    case .data, .ended: break
    }
    return nil
  }

  private mutating func endOfSize(_ byte: UInt8) -> HTTPFault? {
    switch byte {
    case 0x0D: state = .sizeEnd
    case 0x3B: state = .sizeExtension
    default: return .malformedChunk
    }
    return nil
  }

  private mutating func trailerByte(_ byte: UInt8) -> HTTPFault? {
    trailerBytes &+= 1
    guard trailerBytes <= maximumTrailerBytes else { return .headTooLarge }
    trailerLine.append(byte)
    return byte == 0x09 || (byte >= 0x20 && byte < 0x7F) ? nil : .malformedChunk
  }

  private static func hex(_ byte: UInt8) -> Int? {
    switch byte {
    case 0x30...0x39: Int(byte &- 0x30)
    case 0x41...0x46: Int(byte &- 0x37)
    case 0x61...0x66: Int(byte &- 0x57)
    default: nil
    }
  }
}
