import Synchronization
import Testing

@testable import SealedLog

@Suite("What segments share")
struct SealingToolsTests {
  @Test("Random bytes for nonces are fetched for many, and none serves twice")
  func nonces() throws {
    let calls = Mutex(0)
    let pool = NoncePool { (count) throws(SealedLogError) in
      let call = calls.withLock { calls in
        calls += 1
        return calls
      }
      return (0..<count).map { at in UInt8(truncatingIfNeeded: at % 4 == 3 ? call : (at / 4) >> (8 * (at % 4))) }
    }
    let seen = try (0..<3000).map { _ in try pool.next() }
    #expect(Set(seen).count == 3000)
    #expect(calls.withLock { $0 } == 94)
  }

  @Test("Each batch has bytes of its own: a machine that was copied goes on with others")
  func forgotten() throws {
    let calls = Mutex(0)
    let pool = NoncePool { (count) throws(SealedLogError) in
      calls.withLock { $0 += 1 }
      return [UInt8](repeating: 0, count: count)
    }
    _ = try pool.next()
    _ = try pool.next()
    #expect(calls.withLock { $0 } == 1)
    pool.forget()
    _ = try pool.next()
    #expect(calls.withLock { $0 } == 2)
  }

  @Test("Without random bytes there is no nonce")
  func noRandom() {
    let pool = NoncePool { (_) throws(SealedLogError) in [] }
    #expect(throws: SealedLogError.self) { try pool.next() }
  }

  @Test("A buffer that was given is lent again, empty, and its owner keeps none")
  func buffers() {
    let shelf = FrameBuffers()
    var buffer = shelf.take()
    buffer.append(contentsOf: [UInt8](repeating: 7, count: 5000))
    let capacity = buffer.capacity
    shelf.give(&buffer)
    #expect(buffer.isEmpty && buffer.capacity == 0)
    let again = shelf.take()
    #expect(again.isEmpty && again.capacity == capacity)
    #expect(shelf.take().capacity == 0)
  }

  @Test("Few are kept, and none of a megabyte")
  func bounds() {
    let shelf = FrameBuffers()
    var large = [UInt8](repeating: 1, count: 2 << 20)
    shelf.give(&large)
    #expect(shelf.take().capacity == 0)
    for _ in 0..<5 {
      var small = [UInt8](repeating: 1, count: 100)
      shelf.give(&small)
    }
    #expect((0..<5).filter { _ in shelf.take().capacity > 0 }.count == 2)
  }
}
