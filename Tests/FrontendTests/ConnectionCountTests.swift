import Dispatch
import Glibc
import Testing

@testable import Frontend

@Suite("Limits on connections count for the process")
struct ConnectionCountTests {
  private func source(_ number: UInt32) -> SourceAddress {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = number.bigEndian
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { SourceAddress($0) }
    }
  }

  @Test func oneMoreThanTheLimitIsRefusedUntilOneLeaves() {
    let count = ConnectionCount(limit: 2, perSource: 2)
    #expect(count.admits(source(1)))
    #expect(count.admits(source(2)))
    #expect(!count.admits(source(3)))
    count.left(source(1))
    #expect(count.admits(source(3)))
    #expect(count.reading == ConnectionCount.Reading(open: 2, refused: 1, refusedPerSource: 0))
  }

  @Test func oneSourceCannotHaveAll() {
    let count = ConnectionCount(limit: 10, perSource: 2)
    #expect(count.admits(source(1)) && count.admits(source(1)))
    #expect(!count.admits(source(1)))
    #expect(count.admits(source(2)))
    count.left(source(1))
    #expect(count.admits(source(1)))
    #expect(count.reading == ConnectionCount.Reading(open: 3, refused: 0, refusedPerSource: 1))
  }

  @Test func whoCarriesManySourcesIsHeldToTheWholeNumberOnly() {
    let count = ConnectionCount(limit: 3, perSource: 1)
    for _ in 0..<3 { #expect(count.admits(source(1), isMany: true)) }
    #expect(!count.admits(source(1), isMany: true))
  }

  @Test func nothingIsRememberedOfWhoHasLeft() {
    let count = ConnectionCount(limit: 100, perSource: 100)
    for number in 0..<100 { #expect(count.admits(source(UInt32(number)))) }
    for number in 0..<100 { count.left(source(UInt32(number))) }
    #expect(count.sources == 0 && count.reading.open == 0)
  }

  /// Every loop closes connections of its own; what one thread takes off another must see.
  @Test func manyThreadsNeverAdmitMoreThanTheLimit() {
    let count = ConnectionCount(limit: 8, perSource: 8)
    DispatchQueue.concurrentPerform(iterations: 4) { thread in
      for _ in 0..<5_000 {
        guard count.admits(source(UInt32(thread))) else { continue }
        #expect(count.reading.open <= 8)
        count.left(source(UInt32(thread)))
      }
    }
    #expect(count.reading.open == 0 && count.sources == 0)
  }
}
