import CLinux
import Gateway
import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import Upstream

/// With real epoll sets and real sockets: what the kernel reports is what counts.
@Suite("Interest in sockets")
struct SocketTableTests {
  private static let readable: UInt8 = 1
  private static let writable: UInt8 = 2

  private final class Deaf: UpstreamDelegate {
    func upstream(_ exchange: Exchange, answered head: UpstreamHead) {}
    func upstream(_ exchange: Exchange, sent bytes: UnsafeRawBufferPointer) {}
    func upstream(_ exchange: Exchange, ended end: UpstreamEnd) {}
  }

  private let delegate = Deaf()
  private let pool: UpstreamPool
  private let set = EpollSet()
  private let table: SocketTable
  private let owner: MultiHandle

  init() throws {
    pool = try UpstreamPool(loop: MultiThreadedEventLoopGroup.singleton.next(), limits: Limits(), delegate: delegate)
    table = SocketTable(set: set.descriptor)
    owner = try MultiHandle(pool: pool, sockets: table, maximumConnections: 1)
  }

  @Test func wantedSocketReportsToItsOwner() {
    let pair = SocketPair()
    table.want(pair.near, Self.readable, owner: owner)
    #expect(set.ready().isEmpty)
    pair.send()
    #expect(set.ready() == [pair.near: EPOLLIN.rawValue])
    #expect(table.owner(of: pair.near) === owner)
  }

  @Test func interestChangesReachTheKernel() {
    let pair = SocketPair()
    pair.send()
    table.want(pair.near, Self.writable, owner: owner)
    #expect(set.ready() == [pair.near: EPOLLOUT.rawValue])
    table.want(pair.near, Self.readable, owner: owner)
    #expect(set.ready() == [pair.near: EPOLLIN.rawValue])
    table.want(pair.near, Self.readable | Self.writable, owner: owner)
    #expect(set.ready() == [pair.near: EPOLLIN.rawValue | EPOLLOUT.rawValue])
    table.want(pair.near, Self.writable, owner: owner)
    #expect(set.ready() == [pair.near: EPOLLOUT.rawValue])
  }

  @Test func readinessStaysUntilTheDataIsTaken() {
    let pair = SocketPair()
    table.want(pair.near, Self.readable, owner: owner)
    pair.send()
    for _ in 0..<3 { #expect(set.ready().keys.contains(pair.near)) }
  }

  @Test func anOwnerIsTheLastThatWanted() throws {
    let other = try MultiHandle(pool: pool, sockets: table, maximumConnections: 1)
    let pair = SocketPair()
    table.want(pair.near, Self.readable, owner: other)
    table.want(pair.near, Self.readable, owner: owner)
    #expect(table.owner(of: pair.near) === owner)
  }

  @Test func aReportThatNobodyWaitsForTakesTheSocketOut() {
    let pair = SocketPair()
    table.want(pair.near, Self.readable, owner: owner)
    table.want(pair.near, 0, owner: owner)
    pair.send()
    #expect(set.ready().keys.contains(pair.near), "the kernel was spared so far")
    #expect(table.owner(of: pair.near) == nil)
    #expect(set.ready().isEmpty, "it would report for ever")
  }

  @Test func aClosedIdleConnectionReportsOnce() {
    let pair = SocketPair()
    table.want(pair.near, Self.readable, owner: owner)
    table.want(pair.near, 0, owner: owner)
    pair.closeFar()
    #expect(set.ready().keys.contains(pair.near))
    #expect(table.owner(of: pair.near) == nil)
    #expect(set.ready().isEmpty)
  }

  @Test func interestThatComesBackBeforeAReportStillHolds() {
    let pair = SocketPair()
    table.want(pair.near, Self.readable, owner: owner)
    table.want(pair.near, 0, owner: owner)
    table.want(pair.near, Self.readable, owner: owner)
    pair.send()
    #expect(set.ready() == [pair.near: EPOLLIN.rawValue])
    #expect(table.owner(of: pair.near) === owner)
  }

  @Test func interestThatComesBackAfterAReportIsToldAgain() {
    let pair = SocketPair()
    table.want(pair.near, Self.readable, owner: owner)
    table.want(pair.near, 0, owner: owner)
    pair.send()
    #expect(table.owner(of: pair.near) == nil)
    table.want(pair.near, Self.readable, owner: owner)
    #expect(set.ready() == [pair.near: EPOLLIN.rawValue])
    #expect(table.owner(of: pair.near) === owner)
  }

  @Test func aForgottenSocketIsOutEvenIfADuplicateKeepsItOpen() {
    let pair = SocketPair()
    let duplicate = dup(pair.near)
    defer { close(duplicate) }
    table.want(pair.near, Self.readable, owner: owner)
    table.forget(pair.near)
    pair.send()
    #expect(set.ready().isEmpty)
    #expect(table.owner(of: pair.near) == nil)
  }

  @Test func aNumberThatComesBackIsAnotherSocket() {
    let (old, new) = (SocketPair(), SocketPair())
    table.want(old.near, Self.readable, owner: owner)
    table.forget(old.near)
    // Closes the old socket and gives its number to the new one in one step.
    #expect(dup2(new.near, old.near) == old.near)
    #expect(table.owner(of: old.near) == nil)
    table.want(old.near, Self.readable, owner: owner)
    new.send()
    #expect(set.ready() == [old.near: EPOLLIN.rawValue])
  }

  @Test func aNumberThatComesBackUnwantedIsNobodys() {
    let (old, new) = (SocketPair(), SocketPair())
    table.want(old.near, Self.readable, owner: owner)
    table.forget(old.near)
    #expect(dup2(new.near, old.near) == old.near)
    new.send()
    #expect(set.ready().isEmpty)
    #expect(table.owner(of: old.near) == nil)
  }

  @Test func numbersBeyondTheFirstTableWork() throws {
    let pair = SocketPair()
    let high = fcntl(pair.near, F_DUPFD, 3_000)
    try #require(high >= 3_000, "the limit of open files is too low for this test")
    defer { close(high) }
    table.want(high, Self.readable, owner: owner)
    pair.send()
    #expect(set.ready() == [high: EPOLLIN.rawValue])
    #expect(table.owner(of: high) === owner)
    table.forget(high)
    #expect(set.ready().isEmpty)
  }

  @Test(arguments: [-1, Int32.min, 1 << 20, Int32.max])
  func numbersThatAreNoneAreIgnored(descriptor: Int32) {
    table.want(descriptor, Self.readable, owner: owner)
    #expect(table.owner(of: descriptor) == nil)
    table.forget(descriptor)
    #expect(set.ready().isEmpty)
  }

  @Test func aSocketThatTheKernelRefusedIsTriedAgain() {
    let pair = SocketPair()
    let number = fcntl(pair.near, F_DUPFD, 500)
    close(number)
    table.want(number, Self.readable, owner: owner)
    #expect(dup2(pair.near, number) == number)
    defer { close(number) }
    pair.send()
    #expect(set.ready().isEmpty)
    table.want(number, Self.readable, owner: owner)
    #expect(set.ready() == [number: EPOLLIN.rawValue])
  }

  /// Otherwise the table and the handle hold each other, and a stopped pool never closes its connections.
  @Test func aSocketThatNobodyWantsKeepsNoOwner() throws {
    let pair = SocketPair()
    weak var gone: MultiHandle?
    do {
      let other = try MultiHandle(pool: pool, sockets: table, maximumConnections: 1)
      gone = other
      table.want(pair.near, Self.readable, owner: other)
      table.want(pair.near, 0, owner: other)
    }
    #expect(gone == nil)
  }
}
