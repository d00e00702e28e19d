import CLinux
import Foundation
import Glibc
import NIOCore
import NIOPosix

/// Tells an event loop that a foreign epoll set has something ready. NIO cannot watch a descriptor that is not its own.
///
/// One-shot: after each report the owner empties the set and arms again; if the set is still ready, the next report
/// comes at once, so no wake-up is lost.
protocol Readiness: AnyObject {
  func arm()
  func close()
}

/// How a loop is woken for libcurl's sockets, chosen once at start and shown in the log and by `torhaus doctor`.
package enum ReadinessKind: String, Sendable {
  /// The kernel signals an eventfd that is an ordinary channel of the loop: no other thread is involved.
  case kernelPoll = "kernel-poll"
  /// A thread waits for the set and hands over: where the kernel's AIO is refused, as in some sandboxes.
  case watcherThread = "watcher-thread"
}

enum ReadinessSource {
  /// Call on the loop; the future succeeds when reports can arrive.
  static func make(set: Int32, on loop: any EventLoop, ready: @escaping @Sendable () -> Void) throws(UpstreamError)
    -> (source: any Readiness, kind: ReadinessKind, started: EventLoopFuture<Void>)
  {
    if let poll = KernelPoll(set: set) { return (poll, .kernelPoll, poll.start(on: loop, ready: ready)) }
    return (try WatcherThread(set: set, on: loop, ready: ready), .watcherThread, loop.makeSucceededVoidFuture())
  }
}

/// `IOCB_CMD_POLL` on the epoll set, reported through an eventfd channel.
private final class KernelPoll: Readiness {
  private var context: aio_context_t = 0
  private let set: Int32
  private let signal: Int32
  private var channel: (any Channel)?

  /// Nil where the kernel has no AIO polls.
  init?(set: Int32) {
    self.set = set
    signal = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))
    guard signal >= 0 else { return nil }
    guard th_aio_setup(8, &context) == 0 else {
      Glibc.close(signal)
      return nil
    }
    guard th_aio_poll(context, set, signal) == 0 else {
      th_aio_destroy(context)
      Glibc.close(signal)
      return nil
    }
  }

  func start(on loop: any EventLoop, ready: @escaping @Sendable () -> Void) -> EventLoopFuture<Void> {
    let context = context
    let handler = SignalHandler {
      _ = th_aio_drain(context)
      ready()
    }
    let me = NIOLoopBound(self, eventLoop: loop)
    // The channel owns a duplicate; the original stays for the kernel's submissions.
    return NIOPipeBootstrap(group: loop)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler) }
      }
      .takingOwnershipOfDescriptor(input: dup(signal))
      .map { me.value.channel = $0 }
  }

  func arm() { _ = th_aio_poll(context, set, signal) }

  func close() {
    th_aio_destroy(context)
    channel?.close(promise: nil)
    Glibc.close(signal)
  }
}

/// Reads the eventfd's counter away and reports.
private final class SignalHandler: ChannelInboundHandler, @unchecked Sendable {
  typealias InboundIn = ByteBuffer
  private let ready: @Sendable () -> Void
  init(ready: @escaping @Sendable () -> Void) { self.ready = ready }
  func channelRead(context: ChannelHandlerContext, data: NIOAny) { ready() }
}

/// A small thread that waits for the set, edge by edge, and hands over to the loop.
private final class WatcherThread: Readiness {
  private let outer: Int32
  private let set: Int32
  private let stop: Int32

  init(set: Int32, on loop: any EventLoop, ready: @escaping @Sendable () -> Void) throws(UpstreamError) {
    self.set = set
    outer = epoll_create1(Int32(EPOLL_CLOEXEC))
    stop = eventfd(0, Int32(EFD_CLOEXEC))
    guard outer >= 0, stop >= 0, th_epoll_control(outer, EPOLL_CTL_ADD, stop, EPOLLIN.rawValue) == 0,
      th_epoll_control(outer, EPOLL_CTL_ADD, set, EPOLLIN.rawValue | EPOLLONESHOT.rawValue) == 0
    else { throw UpstreamError(.noReadiness, detail: "epoll: \(errno)") }
    let (outer, stop) = (outer, stop)
    Thread.detachNewThread {
      var event = epoll_event()
      while true {
        let count = epoll_wait(outer, &event, 1, -1)
        if count < 0, errno == EINTR { continue }
        guard count > 0, event.data.fd != stop else { break }
        loop.execute { ready() }
      }
      Glibc.close(outer)
      Glibc.close(stop)
    }
  }

  func arm() { _ = th_epoll_control(outer, EPOLL_CTL_MOD, set, EPOLLIN.rawValue | EPOLLONESHOT.rawValue) }

  func close() {
    var one: UInt64 = 1
    _ = write(stop, &one, 8)
  }
}
