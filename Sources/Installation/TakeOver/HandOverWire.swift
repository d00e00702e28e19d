import CLinux
import Dispatch
import Glibc

/// What two processes say to each other while one relieves the other, a byte each, over a socket that only they have.
///
///     successor: prepared   everything is open and loaded; nothing is accepted yet
///     relieved:  go         nothing new is accepted and unspent leases are given back
///     successor: serving    it accepts
///
/// Whoever sees the other's end instead goes on alone.
struct HandOverWire: Sendable {
  enum Word: UInt8 {
    case prepared = 0x70
    case go = 0x67
    case serving = 0x73
  }

  /// What was heard of the other one.
  enum News { case word, nothing, end, nonsense }

  let descriptor: Int32

  /// - Returns: False if the other one is gone.
  func say(_ word: Word) -> Bool {
    var byte = word.rawValue
    while true {
      let count = send(descriptor, &byte, 1, Int32(MSG_NOSIGNAL))
      if count == 1 { return true }
      guard count < 0, errno == EINTR else { return false }
    }
  }

  /// Waits for a word; blocks.
  /// - Returns: False if the time is over, or the other one is gone or says something else.
  func hear(_ word: Word, milliseconds: Int32) -> Bool { news(of: word, milliseconds: milliseconds) == .word }

  /// As ``hear(_:milliseconds:)``, for whom it matters why there is no word.
  func news(of word: Word, milliseconds: Int32) -> News {
    var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    let end = Self.now + Int64(milliseconds)
    while true {
      let left = end - Self.now
      guard left > 0 else { return .nothing }
      let ready = poll(&waiting, 1, Int32(clamping: left))
      if ready < 0, errno == EINTR { continue }
      guard ready > 0 else { return .nothing }
      var byte: UInt8 = 0
      let count = recv(descriptor, &byte, 1, 0)
      if count < 0, errno == EINTR { continue }
      guard count == 1 else { return .end }
      return byte == word.rawValue ? .word : .nonsense
    }
  }

  func close() { Glibc.close(descriptor) }

  private static var now: Int64 { Int64(clamping: DispatchTime.now().uptimeNanoseconds / 1_000_000) }
}
