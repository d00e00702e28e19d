import CLinux
import Glibc
import Testing

@testable import EventLoop

/// With real epoll sets and real sockets: what the kernel reports is what counts.
@Suite("Interest in descriptors")
struct WatchTableTests {
  private final class Deaf: Watcher {
    override func ready(_ descriptor: Int32, _ events: Events) {}
  }

  private let set = EpollSet()
  private let table: WatchTable
  private let owner = Deaf()

  init() { table = WatchTable(set: set.descriptor) }

  @Test func wantedSocketReportsToItsOwner() {
    let pair = SocketPair()
    table.want(pair.near, .readable, owner)
    #expect(set.ready().isEmpty)
    pair.send()
    #expect(set.ready() == [pair.near: EPOLLIN.rawValue])
    #expect(table.watcher(of: pair.near) === owner)
  }

  @Test func interestChangesReachTheKernel() {
    let pair = SocketPair()
    pair.send()
    table.want(pair.near, .writable, owner)
    #expect(set.ready() == [pair.near: EPOLLOUT.rawValue])
    table.want(pair.near, .readable, owner)
    #expect(set.ready() == [pair.near: EPOLLIN.rawValue])
    table.want(pair.near, [.readable, .writable], owner)
    #expect(set.ready() == [pair.near: EPOLLIN.rawValue | EPOLLOUT.rawValue])
    table.want(pair.near, .writable, owner)
    #expect(set.ready() == [pair.near: EPOLLOUT.rawValue])
  }

  @Test func readinessStaysUntilTheDataIsTaken() {
    let pair = SocketPair()
    table.want(pair.near, .readable, owner)
    pair.send()
    for _ in 0..<3 { #expect(set.ready().keys.contains(pair.near)) }
  }

  @Test func anOwnerIsTheLastThatWanted() {
    let other = Deaf()
    let pair = SocketPair()
    table.want(pair.near, .readable, other)
    table.want(pair.near, .readable, owner)
    #expect(table.watcher(of: pair.near) === owner)
  }

  @Test func aReportThatNobodyWaitsForTakesTheSocketOut() {
    let pair = SocketPair()
    table.announce(pair.near)
    table.want(pair.near, .readable, owner)
    table.want(pair.near, [], owner)
    pair.send()
    #expect(set.ready().keys.contains(pair.near), "the kernel was spared so far")
    #expect(table.watcher(of: pair.near) == nil)
    #expect(set.ready().isEmpty, "it would report for ever")
  }

  @Test func aClosedIdleConnectionReportsOnce() {
    let pair = SocketPair()
    table.announce(pair.near)
    table.want(pair.near, .readable, owner)
    table.want(pair.near, [], owner)
    pair.closeFar()
    #expect(set.ready().keys.contains(pair.near))
    #expect(table.watcher(of: pair.near) == nil)
    #expect(set.ready().isEmpty)
  }

  @Test func interestThatComesBackBeforeAReportStillHolds() {
    let pair = SocketPair()
    table.announce(pair.near)
    table.want(pair.near, .readable, owner)
    table.want(pair.near, [], owner)
    table.want(pair.near, .readable, owner)
    pair.send()
    #expect(set.ready() == [pair.near: EPOLLIN.rawValue])
    #expect(table.watcher(of: pair.near) === owner)
  }

  @Test func interestThatComesBackAfterAReportIsToldAgain() {
    let pair = SocketPair()
    table.announce(pair.near)
    table.want(pair.near, .readable, owner)
    table.want(pair.near, [], owner)
    pair.send()
    #expect(table.watcher(of: pair.near) == nil)
    table.want(pair.near, .readable, owner)
    #expect(set.ready() == [pair.near: EPOLLIN.rawValue])
    #expect(table.watcher(of: pair.near) === owner)
  }

  @Test func aForgottenSocketIsOutEvenIfADuplicateKeepsItOpen() {
    let pair = SocketPair()
    let duplicate = dup(pair.near)
    defer { close(duplicate) }
    table.want(pair.near, .readable, owner)
    table.forget(pair.near)
    pair.send()
    #expect(set.ready().isEmpty)
    #expect(table.watcher(of: pair.near) == nil)
  }

  @Test func aNumberThatComesBackIsAnotherSocket() {
    let (old, new) = (SocketPair(), SocketPair())
    table.want(old.near, .readable, owner)
    table.forget(old.near)
    // Closes the old socket and gives its number to the new one in one step.
    #expect(dup2(new.near, old.near) == old.near)
    #expect(table.watcher(of: old.near) == nil)
    table.want(old.near, .readable, owner)
    new.send()
    #expect(set.ready() == [old.near: EPOLLIN.rawValue])
  }

  @Test func aNumberThatComesBackUnwantedIsNobodys() {
    let (old, new) = (SocketPair(), SocketPair())
    table.want(old.near, .readable, owner)
    table.forget(old.near)
    #expect(dup2(new.near, old.near) == old.near)
    new.send()
    #expect(set.ready().isEmpty)
    #expect(table.watcher(of: old.near) == nil)
  }

  @Test func numbersBeyondTheFirstTableWork() throws {
    let pair = SocketPair()
    let high = fcntl(pair.near, F_DUPFD, 3_000)
    try #require(high >= 3_000, "the limit of open files is too low for this test")
    defer { close(high) }
    table.want(high, .readable, owner)
    pair.send()
    #expect(set.ready() == [high: EPOLLIN.rawValue])
    #expect(table.watcher(of: high) === owner)
    table.forget(high)
    #expect(set.ready().isEmpty)
  }

  @Test(arguments: [-1, Int32.min, 1 << 22, Int32.max])
  func numbersThatAreNoneAreIgnored(descriptor: Int32) {
    table.want(descriptor, .readable, owner)
    #expect(table.watcher(of: descriptor) == nil)
    table.forget(descriptor)
    #expect(set.ready().isEmpty)
  }

  @Test func aSocketThatTheKernelRefusedIsTriedAgain() {
    let pair = SocketPair()
    let number = fcntl(pair.near, F_DUPFD, 500)
    close(number)
    table.want(number, .readable, owner)
    #expect(dup2(pair.near, number) == number)
    defer { close(number) }
    pair.send()
    #expect(set.ready().isEmpty)
    table.want(number, .readable, owner)
    #expect(set.ready() == [number: EPOLLIN.rawValue])
  }

  /// libcurl's resolver: opened, watched, let go and closed without a word, and its number is somebody else's at once.
  @Test func whatWasNotAnnouncedLeavesTheSetAsSoonAsNobodyWantsIt() {
    let (old, new) = (SocketPair(), SocketPair())
    old.send()
    table.want(old.near, .readable, owner)
    table.want(old.near, [], owner)
    #expect(set.ready().isEmpty)
    #expect(dup2(new.near, old.near) == old.near)
    let other = Deaf()
    table.announce(old.near)
    table.want(old.near, .readable, other)
    new.send()
    #expect(set.ready() == [old.near: EPOLLIN.rawValue])
    #expect(table.watcher(of: old.near) === other)
    table.forget(old.near)
  }

  @Test func anAnnouncedNumberHasNoPast() {
    let (old, new) = (SocketPair(), SocketPair())
    table.announce(old.near)
    table.want(old.near, .readable, owner)
    // Closed by somebody who says nothing.
    #expect(dup2(new.near, old.near) == old.near)
    table.announce(old.near)
    table.want(old.near, .readable, owner)
    new.send()
    #expect(set.ready() == [old.near: EPOLLIN.rawValue])
  }

  @Test func aNumberThatTheKernelHasLostIsGivenToItAgain() {
    let (old, new) = (SocketPair(), SocketPair())
    table.announce(old.near)
    table.want(old.near, .readable, owner)
    #expect(dup2(new.near, old.near) == old.near)
    table.want(old.near, [.readable, .writable], owner)
    new.send()
    #expect(set.ready() == [old.near: EPOLLIN.rawValue | EPOLLOUT.rawValue])
  }

  @Test func aPeersEndIsToldWithoutReading() {
    let pair = SocketPair()
    table.want(pair.near, .peerClosed, owner)
    pair.send()
    #expect(set.ready().isEmpty, "bytes are not asked for")
    pair.closeFar()
    let events = WatchTable.events(set.ready()[pair.near] ?? 0)
    #expect(events.contains(.peerClosed) && events.contains(.failed))
  }

  /// Otherwise the table and its watchers hold each other, and what was stopped never closes its sockets.
  @Test func theTableKeepsNoWatcher() {
    let pair = SocketPair()
    weak var gone: Deaf?
    do {
      let other = Deaf()
      gone = other
      table.want(pair.near, .readable, other)
      table.forget(pair.near)
    }
    #expect(gone == nil)
  }
}
