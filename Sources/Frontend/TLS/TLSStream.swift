import CLinux
import CTLS
import Gateway
import Glibc
import JSONText

/// One connection's TLS: received bytes become plain ones, plain ones become records, and records that the kernel does
/// not take are held.
///
/// OpenSSL reads and writes memory, by a BIO of our own, and never the socket. So a read of the socket brings many
/// records in one call and all of them are opened at once: nothing readable stays behind in OpenSSL that epoll could not
/// know of. And records of a turn leave in one call, a partial write is ours to finish, and no write of OpenSSL's ever
/// has to be repeated.
final class TLSStream {
  enum Step { case wantsMore, established, failed }

  private let context: TLSContext  // read during the handshake, which only has its address
  private let ssl: OpaquePointer
  private let room: WireRoom
  /// Received and not yet taken by OpenSSL; within one call only, for the memory is shared.
  private var input = UnsafeRawBufferPointer(start: nil, count: 0)
  /// Records that the kernel has not taken; present while there are some.
  private var held: ByteArena?
  private var taken = 0
  private var isEstablished = false
  private var isBroken = false
  private var hasSaidGoodbye = false
  private var lateMessages = 0

  /// Nobody changes keys that often; each time costs us far more than its sender.
  private static let mostLateMessages = 64
  /// Plain bytes sealed for one call of the kernel: four full records.
  private static let portion = 64 * 1024

  /// Nil without memory.
  init?(_ context: TLSContext, room: WireRoom) {
    guard let ssl = SSL_new(context.raw) else { return nil }
    self.context = context
    self.room = room
    self.ssl = ssl
    guard let bio = MemoryIO.shared.open(for: self) else { return nil }
    SSL_set_bio(ssl, bio, bio)
    SSL_set_accept_state(ssl)
  }

  deinit {
    SSL_free(ssl)
    if let held { room.give(held) }
  }

  static func of(_ ssl: OpaquePointer?) -> TLSStream? { ssl.flatMap { MemoryIO.stream(SSL_get_rbio($0)) } }

  // MARK: OpenSSL's side

  fileprivate func take(_ destination: UnsafeMutableRawPointer, _ room: Int) -> Int {
    let count = lateMessages > Self.mostLateMessages ? 0 : min(room, input.count)
    guard count > 0, let start = input.baseAddress else { return 0 }
    destination.copyMemory(from: start, byteCount: count)
    input = UnsafeRawBufferPointer(rebasing: input[count...])
    return count
  }

  fileprivate func put(_ bytes: UnsafeRawBufferPointer) { room.records.append(bytes) }

  func sawHandshakeMessage() { if isEstablished { lateMessages &+= 1 } }

  // MARK: The handshake

  /// Goes on with the handshake. What it answers lies in the room's records afterwards, an alert as well.
  ///
  /// When it is established, further bytes of these may be left for ``open(into:)``: to be used before they go.
  func shakeHands(_ bytes: UnsafeRawBufferPointer) -> Step {
    input = bytes
    ERR_clear_error()
    let result = SSL_do_handshake(ssl)
    if result == 1 {
      isEstablished = true
      return .established
    }
    let wantsMore = SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ
    forgetInput()
    if !wantsMore { isBroken = true }
    return wantsMore ? .wantsMore : .failed
  }

  /// What both sides have agreed to speak.
  var negotiated: ApplicationProtocol {
    var name: UnsafePointer<UInt8>?
    var length: UInt32 = 0
    SSL_get0_alpn_selected(ssl, &name, &length)
    let bytes = UnsafeRawBufferPointer(start: name, count: name == nil ? 0 : Int(length))
    return ApplicationProtocol(rawValue: String(decoding: bytes, as: UTF8.self)) ?? .http11
  }

  // MARK: Bytes in

  /// Bytes of the socket, to be opened at once.
  func feed(_ bytes: UnsafeRawBufferPointer) { input = bytes }

  /// Whether ``open(into:)`` can still bring something.
  var hasInput: Bool { !isBroken && (input.count > 0 || SSL_pending(ssl) > 0) }

  /// The memory of what was fed goes.
  func forgetInput() { input = UnsafeRawBufferPointer(start: nil, count: 0) }

  /// Plain bytes of at most one record.
  /// - Returns: How many; 0 if more must be received; -1 if nothing more will come.
  func open(into room: UnsafeMutableRawBufferPointer) -> Int {
    var count = 0
    ERR_clear_error()
    if SSL_read_ex(ssl, room.baseAddress, room.count, &count) == 1 { return count }
    switch SSL_get_error(ssl, 0) {
    case SSL_ERROR_WANT_READ where lateMessages <= Self.mostLateMessages: return 0
    case SSL_ERROR_ZERO_RETURN: return -1
    default:
      isBroken = true
      return -1
    }
  }

  // MARK: Bytes out

  /// Bytes of records that wait for the kernel.
  var heldBytes: Int { (held?.count ?? 0) &- taken }

  /// As sendmsg(2) of both runs, sealed: -1 with `errno` if the kernel takes nothing. What has been sealed counts as
  /// taken; of its records the rest is held. Sealing takes time: one call takes what a turn bears, or a portion more.
  func send(_ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, to descriptor: Int32) -> Int {
    guard sendHeld(to: descriptor) else { return -1 }
    let total = head.count &+ body.count
    var sealed = 0
    while sealed < total, sealed < room.limits.turnWriteBytes, heldBytes == 0 {
      let count = seal(head, body, from: sealed)
      guard count > 0 else {
        room.records.reset()
        errno = EPIPE
        return -1
      }
      guard release(to: descriptor) else { return -1 }
      sealed &+= count
    }
    return sealed
  }

  /// Makes records of the next portion; head and body share their first one.
  private func seal(_ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, from start: Int) -> Int {
    if start < head.count, body.count > 0, head.count &- start < room.joinBuffer.count {
      let rest = UnsafeRawBufferPointer(rebasing: head[start...])
      room.joinBuffer.copyMemory(from: rest)
      let first = UnsafeRawBufferPointer(rebasing: body[..<min(body.count, room.joinBuffer.count &- rest.count)])
      UnsafeMutableRawBufferPointer(rebasing: room.joinBuffer[rest.count...]).copyMemory(from: first)
      let joined = rest.count &+ first.count
      guard seal(UnsafeRawBufferPointer(rebasing: room.joinBuffer[..<joined])) else { return -1 }
      let more = UnsafeRawBufferPointer(
        rebasing: body[first.count..<min(body.count, first.count &+ Self.portion &- room.joinBuffer.count)])
      guard more.count == 0 || seal(more) else { return -1 }
      return joined &+ more.count
    }
    let bytes = start < head.count ? head[start...] : body[(start &- head.count)...]
    let next = UnsafeRawBufferPointer(rebasing: bytes.prefix(Self.portion))
    return seal(next) ? next.count : -1
  }

  private func seal(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count > 0 else { return true }
    var count = 0
    ERR_clear_error()
    // Short of a broken connection it takes all: the records go to memory.
    guard !isBroken, SSL_write_ex(ssl, bytes.baseAddress, bytes.count, &count) == 1, count == bytes.count else {
      isBroken = true
      return false
    }
    return true
  }

  /// Gives the kernel the records that OpenSSL has made, and holds what it does not take.
  /// - Returns: False if the connection has failed.
  func release(to descriptor: Int32) -> Bool {
    let records = room.records
    guard records.count > 0 else { return true }
    defer { records.reset() }
    guard held == nil else {
      hold(records.bytes)
      return true
    }
    let count = Glibc.send(descriptor, records.base, records.count, Int32(MSG_NOSIGNAL))
    guard count >= 0 || errno == EAGAIN || errno == EINTR else { return false }
    if count < records.count { hold(UnsafeRawBufferPointer(rebasing: records.bytes[max(0, count)...])) }
    return true
  }

  /// Records that go out before all others.
  func hold(_ records: UnsafeRawBufferPointer) {
    guard records.count > 0 else { return }
    if held == nil { held = room.takeArena() }
    held?.append(records)
  }

  /// Gives the kernel what is held.
  /// - Returns: True if nothing is held any more; else `errno` says why.
  func sendHeld(to descriptor: Int32) -> Bool {
    while let held {
      let count = Glibc.send(descriptor, held.base + taken, held.count &- taken, Int32(MSG_NOSIGNAL))
      guard count >= 0 else {
        if errno == EINTR { continue }
        return false
      }
      taken &+= count
      guard taken == held.count else { continue }
      room.give(held)
      self.held = nil
      taken = 0
    }
    return true
  }

  /// Tells the peer, once, that nothing more comes, so that it can tell an end from a cut.
  /// - Returns: As ``sendHeld(to:)``.
  func sayGoodbye(to descriptor: Int32) -> Bool {
    if isEstablished, !isBroken, !hasSaidGoodbye {
      hasSaidGoodbye = true
      ERR_clear_error()
      SSL_shutdown(ssl)
      guard release(to: descriptor) else { return false }
    }
    return sendHeld(to: descriptor)
  }
}

/// The BIO by which OpenSSL reads and writes a stream's memory.
private struct MemoryIO: @unchecked Sendable {
  static let shared = MemoryIO()
  private let method: OpaquePointer?

  private init() {
    method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "torhaus")
    BIO_meth_set_read_ex(method) { bio, destination, room, count in
      th_bio_clear_retry(bio)
      count?.pointee = 0
      guard let destination, let stream = MemoryIO.stream(bio) else { return 0 }
      let taken = stream.take(destination, room)
      guard taken > 0 else {
        th_bio_retry_read(bio)
        return 0
      }
      count?.pointee = taken
      return 1
    }
    BIO_meth_set_write_ex(method) { bio, bytes, length, count in
      th_bio_clear_retry(bio)
      guard let stream = MemoryIO.stream(bio) else { return 0 }
      stream.put(UnsafeRawBufferPointer(start: bytes, count: length))
      count?.pointee = length
      return 1
    }
    BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
  }

  /// For one stream, which must outlive it.
  func open(for stream: TLSStream) -> OpaquePointer? {
    guard let method, let bio = BIO_new(method) else { return nil }
    BIO_set_data(bio, Unmanaged.passUnretained(stream).toOpaque())
    BIO_set_init(bio, 1)
    return bio
  }

  static func stream(_ bio: OpaquePointer?) -> TLSStream? {
    BIO_get_data(bio).map { Unmanaged<TLSStream>.fromOpaque($0).takeUnretainedValue() }
  }
}
