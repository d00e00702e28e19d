import CNghttp2
import Gateway

/// The fields of an answer's head as the library takes them, made from what ``ResponseEncoder`` writes as lines.
///
/// The library copies what is not constant. Our own texts may stand in the compression table; all that tells of a request
/// stays out of it.
struct HTTP2Answer {
  /// More than an answer has: the pipeline's fields come from a closed set.
  private static let most = 48

  /// Calls `use` with the fields; what they point to is gone when it returns.
  /// - Parameters:
  ///   - fields: Complete header lines with lower-case names.
  ///   - length: Nil for a stream.
  static func withFields(
    _ head: ResponseHead, _ fields: UnsafeRawBufferPointer, length: Int?,
    _ use: (UnsafeBufferPointer<nghttp2_nv>) -> Void
  ) {
    withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: most) { list in
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { digits in
        var answer = HTTP2Answer(list: list)
        let status = write(Int(head.status), digits, from: 0)
        answer.add(":status", UnsafeBufferPointer(rebasing: digits[0..<status]))
        switch head.kind {
        case .json: answer.add("content-type", "application/json")
        case .lines:
          answer.add("content-type", "application/jsonl")
          answer.add("x-content-type-options", "nosniff")
        case .eventStream:
          answer.add("content-type", "text/event-stream")
          answer.add("cache-control", "no-cache, no-transform")
          answer.add("x-accel-buffering", "no")
        case .sound(let type):
          answer.add("content-type", type.mediaType)
          answer.add("x-content-type-options", "nosniff")
        case .text:
          answer.add("content-type", "text/plain; charset=utf-8")
          answer.add("x-content-type-options", "nosniff")
        case .empty: break
        }
        if let length {
          let end = write(length, digits, from: status)
          answer.add("content-length", UnsafeBufferPointer(rebasing: digits[status..<end]), isIndexed: false)
        }
        answer.add(lines: fields)
        use(UnsafeBufferPointer(rebasing: list[0..<answer.count]))
      }
    }
  }

  private let list: UnsafeMutableBufferPointer<nghttp2_nv>
  private var count = 0

  private init(list: UnsafeMutableBufferPointer<nghttp2_nv>) { self.list = list }

  private mutating func add(_ name: StaticString, _ value: StaticString) {
    add(name, UnsafeBufferPointer(start: value.utf8Start, count: value.utf8CodeUnitCount))
  }

  private mutating func add(_ name: StaticString, _ value: UnsafeBufferPointer<UInt8>, isIndexed: Bool = true) {
    add(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount), value, isIndexed: isIndexed)
  }

  private mutating func add(
    _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>, isIndexed: Bool
  ) {
    guard count < list.count else { return }
    let flags = isIndexed ? NGHTTP2_NV_FLAG_NONE : NGHTTP2_NV_FLAG_NO_INDEX
    list.initializeElement(
      at: count,
      to: nghttp2_nv(
        name: UnsafeMutablePointer(mutating: name.baseAddress),
        value: UnsafeMutablePointer(mutating: value.baseAddress),
        namelen: name.count, valuelen: value.count, flags: UInt8(flags.rawValue)))
    count += 1
  }

  /// `name: value` CRLF, again and again.
  private mutating func add(lines: UnsafeRawBufferPointer) {
    let bytes = lines.assumingMemoryBound(to: UInt8.self)
    var start = 0
    while start < bytes.count {
      var colon = start
      while colon < bytes.count, bytes[colon] != 0x3A { colon += 1 }
      var end = colon
      while end < bytes.count, bytes[end] != 0x0D { end += 1 }
      let value = min(colon + 2, end)
      if colon > start, colon < bytes.count {
        add(
          UnsafeBufferPointer(rebasing: bytes[start..<colon]), UnsafeBufferPointer(rebasing: bytes[value..<end]),
          isIndexed: false)
      }
      start = end + 2
    }
  }

  /// A number's digits; where they end.
  private static func write(_ value: Int, _ digits: UnsafeMutableBufferPointer<UInt8>, from start: Int) -> Int {
    var divisor = 1
    while value / divisor >= 10 { divisor &*= 10 }
    var end = start
    while divisor > 0, end < digits.count {
      digits.initializeElement(at: end, to: 0x30 &+ UInt8(truncatingIfNeeded: value / divisor % 10))
      divisor /= 10
      end += 1
    }
    return end
  }
}
