/// How much of the bodies that one connection is sending may lie here at the same time, as far as they tell no length:
/// the others are counted as a whole before they begin.
///
/// Each stream may send its first window unasked. Whoever has more to send waits in line until what it may come to fits
/// beside what the others may; so everybody who was let in can finish, and memory has a bound.
struct UploadRoom {
  private let limit: Int
  private var used = 0
  private var line: [Int32] = []

  init(limit: Int) { self.limit = limit }

  /// - Returns: False if the stream has to wait; it is in line then.
  mutating func take(_ bytes: Int, for stream: Int32) -> Bool {
    guard line.isEmpty, fits(bytes) else {
      line.append(stream)
      return false
    }
    used += bytes
    return true
  }

  /// One alone always fits: a body is never larger than the limit on bodies.
  private func fits(_ bytes: Int) -> Bool { used == 0 || bytes <= limit - used }

  mutating func give(_ bytes: Int) { used -= bytes }

  mutating func leave(_ stream: Int32) { line.removeAll { $0 == stream } }

  /// Who is the first in line.
  var first: Int32? { line.first }

  /// Lets the first in line in.
  /// - Returns: False if it has to wait on.
  mutating func admitFirst(_ bytes: Int) -> Bool {
    guard !line.isEmpty, fits(bytes) else { return false }
    line.removeFirst()
    used += bytes
    return true
  }
}
