import NIOCore

/// Reads a chunked request body, however its bytes are cut.
struct ChunkedBody {
  enum Step: Equatable { case needMore, done, malformed }
  private enum State { case size, data(left: Int), dataEnd, trailer }

  /// What was decoded so far.
  private(set) var bytes = ByteBuffer()
  private var state = State.size

  mutating func feed(_ input: inout ByteBuffer) -> Step {
    while true {
      switch state {
      case .size:
        switch Self.takeLine(&input) {
        case .needMore: return .needMore
        case .malformed: return .malformed
        case .line(let line):
          guard let size = Self.size(in: line), size <= RequestHead.bodyLimit - bytes.readableBytes else {
            return .malformed
          }
          state = size == 0 ? .trailer : .data(left: size)
        }
      case .data(let left):
        guard var part = input.readSlice(length: min(left, input.readableBytes)), part.readableBytes > 0 else {
          return .needMore
        }
        let taken = bytes.writeBuffer(&part)
        state = taken == left ? .dataEnd : .data(left: left - taken)
      case .dataEnd:
        switch Self.takeLine(&input) {
        case .needMore: return .needMore
        case .line(let line) where line.readableBytes == 0: state = .size
        case .line, .malformed: return .malformed
        }
      case .trailer:
        switch Self.takeLine(&input) {
        case .needMore: return .needMore
        case .malformed: return .malformed
        case .line(let line): if line.readableBytes == 0 { return .done }
        }
      }
    }
  }

  private enum Line { case needMore, malformed, line(ByteBuffer) }

  /// Takes a line with its CRLF off `input`; the line comes back without it.
  private static func takeLine(_ input: inout ByteBuffer) -> Line {
    let feed = input.withUnsafeReadableBytes { $0.index(of: 0x0A, from: 0, to: min($0.count, 4_096)) }
    guard let feed else { return input.readableBytes >= 4_096 ? .malformed : .needMore }
    guard let line = input.readSlice(length: feed + 1),
      line.getInteger(at: line.readerIndex + feed - 1, as: UInt8.self) == 0x0D,
      let text = line.getSlice(at: line.readerIndex, length: feed - 1)
    else { return .malformed }
    return .line(text)
  }

  private static func size(in line: ByteBuffer) -> Int? {
    var value = 0
    var digits = 0
    for byte in line.readableBytesView {
      let digit: Int
      switch byte {
      case 0x30...0x39: digit = Int(byte) - 0x30
      case 0x41...0x46: digit = Int(byte) - 0x37
      case 0x61...0x66: digit = Int(byte) - 0x57
      case 0x3B, 0x20, 0x09: return digits > 0 ? value : nil
      default: return nil
      }
      value = value * 16 + digit
      digits += 1
      guard value <= RequestHead.bodyLimit, digits <= 16 else { return nil }
    }
    return digits > 0 ? value : nil
  }
}
