import Foundation
import Testing

@testable import StorageSQLite

/// Who does not have the lock does not write: two processes at once may damage the file.
struct WriterLockTests {
  @Test func withoutTheLockNothingIsDone() {
    let lock = WriterLock(descriptor: -1)
    var isDone = false
    #expect(throws: WriterLock.Unavailable.self) { try lock.hold { isDone = true } }
    #expect(!isDone)
  }

  @Test func whatIsThrownUnderTheLockLetsItGo() throws {
    struct Wrong: Error {}
    let path = NSTemporaryDirectory() + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: path + "-lock") }
    let (one, other) = (try #require(WriterLock(path)), try #require(WriterLock(path)))
    #expect(throws: Wrong.self) { try one.hold { throw Wrong() } }
    #expect(try other.hold { 7 } == 7)
  }
}
