import CLinux
import EventLoop
import Gateway
import Glibc
import JSONText

/// Who speaks a protocol over a ``ClientWire``; called on its loop.
protocol WireProtocol: AnyObject {
  /// How many of the next bytes belong at the end of ``bodyRoom`` and nowhere else; 0: they come by ``received(_:)``.
  var missingBodyBytes: Int { get }
  var bodyRoom: ByteArena? { get }
  /// More is on its way than is worth holding up others for.
  var isSentMuch: Bool { get }
  /// So many bytes were put at the end of ``bodyRoom``.
  func bodyGrew(by count: Int)
  /// The bytes are gone when this returns.
  func received(_ bytes: UnsafeRawBufferPointer)
  /// The client has taken so much of what waited for it.
  func progressed(by bytes: Int)
  /// The connection is over; its descriptor is closed.
  func isGone()
}

/// One client's socket: bytes in, bytes out and the end of both, sealed by TLS or plain. Knows nothing of HTTP.
///
/// What is written goes to the kernel at once or at the turn's end, as the caller wants; what the kernel does not take
/// waits here. A failing write is found out about at the turn's end, never from inside of the write.
final class ClientWire: Watcher {
  private let descriptor: Int32
  private let room: WireRoom
  unowned var user: any WireProtocol
  /// Between the socket and plain bytes, once a handshake is over.
  private var tls: TLSStream?
  /// What the kernel has not taken; present while there is something.
  private var outbox: ByteArena?
  private var taken = 0
  private var isOpen = true
  private var hasFailed = false
  private var isInTurnEnd = false
  private var isBlocked = false
  private var closesOutput = false
  private var readsOn = true
  private var isInLine = false

  init(descriptor: Int32, room: WireRoom, user: any WireProtocol) {
    self.descriptor = descriptor
    self.room = room
    self.user = user
    super.init(isToldLater: true)
  }

  deinit { if isOpen { close() } }

  func start() {
    room.loop.announce(descriptor)
    room.loop.watch(descriptor, interest, by: self)
  }

  private var interest: Interest {
    var interest: Interest = readsOn ? .readable : .peerClosed
    if isBlocked { interest.insert(.writable) }
    return interest
  }

  // MARK: Bytes in

  /// Whether bytes are read as they come; without, they wait in the kernel, and only the client's end is noticed.
  func read(_ reads: Bool) {
    guard reads != readsOn, isOpen else { return }
    readsOn = reads
    room.loop.watch(descriptor, interest, by: self)
  }

  override func ready(_ descriptor: Int32, _ events: Events) {
    if events.contains(.writable) || isBlocked && events.contains(.failed) { flush() }
    guard isOpen else { return }
    if readsOn, !events.isDisjoint(with: [.readable, .peerClosed, .failed]) {
      let user = user  // each look at who is not owned is counted
      if !user.isSentMuch {
        readSome(for: user)
      } else if !isInLine {
        isInLine = true
        room.readLater(self)
      }
    } else if !events.isDisjoint(with: [.peerClosed, .failed]) {
      end()
    }
  }

  /// Its place in line has come.
  /// - Returns: How many bytes were read.
  func readInLine() -> Int {
    isInLine = false
    return isOpen && readsOn ? readSome(for: user) : 0
  }

  /// One read: a client that has more to say is reported by the next turn again, behind the others.
  @discardableResult
  private func readSome(for user: any WireProtocol) -> Int {
    let count = receive(for: user)
    if count > 0 { return count }
    if count == 0 || errno != EAGAIN && errno != EINTR { end() }
    return 0
  }

  private func receive(for user: any WireProtocol) -> Int {
    if tls != nil { return receiveRecords() }
    let missing = user.missingBodyBytes
    if missing > 0, let body = user.bodyRoom {
      let count = body.extend(upTo: min(missing, 128 * 1024)) { recv(descriptor, $0.baseAddress, $0.count, 0) }
      if count > 0 { user.bodyGrew(by: count) }
      return count
    }
    let buffer = room.readBuffer
    let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
    if count > 0 { user.received(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
    return count
  }

  /// Whether bytes have come that nobody has read. A delayed loop may look at its clock before it has read what a
  /// client sent in time: closing then would reset the connection.
  var hasUnread: Bool {
    var byte: UInt8 = 0
    return isOpen && recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) > 0
  }

  // MARK: TLS

  /// From now on all bytes are sealed; what waits already goes out before, as it is.
  func secure(by stream: TLSStream) {
    tls = stream
    guard let outbox else { return }
    stream.hold(UnsafeRawBufferPointer(rebasing: outbox.bytes[taken...]))
    room.give(outbox)
    self.outbox = nil
    taken = 0
  }

  private func receiveRecords() -> Int {
    let buffer = room.readBuffer
    let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
    guard count > 0, let tls else { return count }
    tls.feed(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    openWhatIsFed()
    return count
  }

  /// Opens all that was received, even if its user wants no more for now: it is bounded by what one call reads, and so
  /// nothing waits where epoll cannot see it.
  func openWhatIsFed() {
    guard let tls else { return }
    var isOver = false
    while !isOver, isOpen, tls.hasInput {
      let missing = user.missingBodyBytes
      let count: Int
      if missing > 0, let body = user.bodyRoom {
        count = body.extend(upTo: min(missing, room.openBuffer.count)) { tls.open(into: $0) }
        if count > 0 { user.bodyGrew(by: count) }
      } else {
        count = tls.open(into: room.openBuffer)
        if count > 0 { user.received(UnsafeRawBufferPointer(rebasing: room.openBuffer[..<count])) }
      }
      isOver = count < 0
    }
    tls.forgetInput()
    guard isOpen else { return room.records.reset() }
    // Opening can bring about records of its own: alerts, answers to new keys.
    if !tls.release(to: descriptor) || tls.heldBytes > 256 * 1024 { return fail() }
    if isOver { return end() }
    if tls.heldBytes > 0, !isInTurnEnd { block(true) }
  }

  // MARK: Bytes out

  /// Bytes that wait for the client to take them.
  var heldBytes: Int { (outbox?.count ?? 0) &- taken &+ (tls?.heldBytes ?? 0) }

  /// Whether the client takes what it is given, as far as is known.
  var isWritable: Bool { isOpen && !hasFailed && !isBlocked && heldBytes < room.limits.heldHighBytes }

  /// Hands both runs of bytes to the kernel now, in one call; keeps what it does not take.
  func write(_ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer) {
    guard isOpen, !hasFailed else { return }
    var sent = 0
    if heldBytes == 0 {
      sent =
        if let tls {
          tls.send(head, body, to: descriptor)
        } else {
          th_send_two(descriptor, head.baseAddress, head.count, body.baseAddress, body.count)
        }
      if sent < 0 {
        guard errno == EAGAIN || errno == EINTR else { return fail() }
        sent = 0
      }
      guard sent < head.count &+ body.count || heldBytes > 0 else { return }
      block(true)
    }
    guard sent < head.count &+ body.count else { return }
    let waiting = pending
    if sent < head.count { waiting.append(UnsafeRawBufferPointer(rebasing: head[sent...])) }
    waiting.append(UnsafeRawBufferPointer(rebasing: body[min(body.count, max(0, sent &- head.count))...]))
  }

  /// Where bytes can be put that go out at the turn's end, all of a turn in one call.
  var pending: ByteArena {
    askForTurnEnd()
    if let outbox { return outbox }
    let fresh = room.takeArena()
    outbox = fresh
    return fresh
  }

  private func askForTurnEnd() {
    guard !isInTurnEnd, isOpen else { return }
    isInTurnEnd = true
    room.flushAtEndOfTurn(self)
  }

  func turnEnded() {
    isInTurnEnd = false
    if hasFailed { return end() }
    if !isBlocked { flush() }
  }

  /// Writes what waits, as far as the kernel takes it.
  func flush() {
    let before = heldBytes
    guard isOpen, !hasFailed, before > 0 || outbox != nil else { return }
    guard sendWaiting() else { return fail() }
    let left = heldBytes
    if taken == outbox?.count {
      if let outbox { room.give(outbox) }
      outbox = nil
      taken = 0
    } else if let outbox, taken > outbox.count / 2, taken > 64 * 1024 {
      outbox.dropFirst(taken)
      taken = 0
    }
    block(left > 0)
    if left == 0, closesOutput { finishOutput() }
    if left == 0 || left < before { user.progressed(by: max(0, before &- left)) }
  }

  /// As much as the kernel takes, or a turn bears: then it goes on when the kernel reports that there is room.
  /// - Returns: False if the connection has failed.
  private func sendWaiting() -> Bool {
    if let tls, tls.heldBytes > 0, !tls.sendHeld(to: descriptor) { return errno == EAGAIN }
    guard let outbox else { return true }
    let most = taken &+ room.limits.turnWriteBytes
    while taken < outbox.count, taken < most {
      let count: Int
      if let tls {
        let rest = UnsafeRawBufferPointer(rebasing: outbox.bytes[taken...])
        count = tls.send(rest, UnsafeRawBufferPointer(start: nil, count: 0), to: descriptor)
      } else {
        count = send(descriptor, outbox.base + taken, outbox.count &- taken, Int32(MSG_NOSIGNAL))
      }
      guard count >= 0 else {
        if errno == EINTR { continue }
        return errno == EAGAIN
      }
      taken &+= count
    }
    return true
  }

  private func block(_ blocks: Bool) {
    guard blocks != isBlocked else { return }
    isBlocked = blocks
    room.loop.watch(descriptor, interest, by: self)
  }

  // MARK: The end

  /// Nothing more is written: the client is told once it has everything, and may still send and read on.
  func closeOutput() {
    closesOutput = true
    if isOpen, heldBytes == 0 { finishOutput() }
  }

  /// The last byte is out.
  private func finishOutput() {
    guard isOpen, !hasFailed else { return }
    if let tls, !tls.sayGoodbye(to: descriptor) { return errno == EAGAIN ? block(true) : fail() }
    shutdown(descriptor, Int32(SHUT_WR))
  }

  /// Ends at the turn's end, and the client sees a cut: what waits is lost, and the end is no orderly one.
  func cut() {
    guard isOpen else { return }
    var atOnce = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &atOnce, socklen_t(MemoryLayout<linger>.size))
    fail()
  }

  private func fail() {
    hasFailed = true
    askForTurnEnd()
  }

  /// Closes now and tells the user.
  func end() {
    guard isOpen else { return }
    close()
    user.isGone()
  }

  private func close() {
    isOpen = false
    if let tls, !hasFailed, heldBytes == 0 { _ = tls.sayGoodbye(to: descriptor) }
    room.loop.forget(descriptor)
    Glibc.close(descriptor)
    if let outbox { room.give(outbox) }
    outbox = nil
    taken = 0
  }
}
