import EventLoop
import Gateway
import JSONText

/// A clear-text connection whose first bytes have not told yet which HTTP it speaks.
///
/// The preface of HTTP/2 is no request of HTTP/1.1, so whoever sends it means it (*prior knowledge*, RFC 9113, 3.3). The
/// other way, an `Upgrade` within HTTP/1.1, is not offered: proxies that pass it on blindly lose sight of what follows.
final class OpeningConnection: WireProtocol, ClientConnection {
  private static let preface: StaticString = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

  private let worker: LoopWorker
  private var wire: ClientWire?
  /// Bytes of the preface that have come.
  private var matched = 0
  private var began: Int64
  private var isDraining = false
  private var lingerMilliseconds = 0
  private var drainBegan: Int64 = 0
  var index = -1
  let source: SourceAddress

  /// - Parameter descriptor: A connected socket that does not block; the connection closes it.
  init(descriptor: Int32, worker: LoopWorker, source: SourceAddress) {
    self.worker = worker
    self.source = source
    began = worker.milliseconds
    wire = ClientWire(descriptor: descriptor, room: worker.room, user: self)
  }

  func start() { wire?.start() }

  let missingBodyBytes = 0
  var bodyRoom: ByteArena? { nil }
  let isSentMuch = false
  func bodyGrew(by count: Int) {}
  func progressed(by bytes: Int) {}

  func received(_ bytes: UnsafeRawBufferPointer) {
    let preface = UnsafeRawBufferPointer(start: Self.preface.utf8Start, count: Self.preface.utf8CodeUnitCount)
    let count = min(bytes.count, preface.count &- matched)
    let before = matched
    if bytes[..<count].elementsEqual(preface[matched..<(matched &+ count)]) {
      if matched == 0 { began = worker.milliseconds }
      matched &+= count
      guard matched == preface.count, let wire else { return }
      guard let connection = HTTP2Connection(wire: wire, worker: worker, source: source) else { return close() }
      give(to: connection)
      pass(preface[..<before], bytes, to: connection)
    } else if let wire {
      let connection = Connection(wire: wire, worker: worker, source: source)
      give(to: connection)
      pass(preface[..<before], bytes, to: connection)
    }
  }

  private func give(to connection: any ClientConnection) {
    wire = nil
    worker.replace(self, by: connection)
  }

  private func pass(
    _ before: Slice<UnsafeRawBufferPointer>, _ bytes: UnsafeRawBufferPointer,
    to connection: some WireProtocol & ClientConnection
  ) {
    if !before.isEmpty { connection.received(UnsafeRawBufferPointer(rebasing: before)) }
    connection.received(bytes)
    if isDraining { connection.drain(lingerMilliseconds: lingerMilliseconds) }
  }

  func isGone() {
    wire = nil
    worker.remove(self)
  }

  func tick(_ now: Int64) {
    let limits = worker.limits
    let isLate = now &- began > Int64(matched > 0 ? limits.headMilliseconds : limits.idleMilliseconds)
    let isUnwanted = isDraining && matched == 0 && now &- drainBegan >= Int64(lingerMilliseconds)
    // What has come is looked at first, even if it is us who are late.
    if isLate || isUnwanted, wire?.hasUnread != true { close() }
  }

  func drain(lingerMilliseconds: Int) {
    isDraining = true
    self.lingerMilliseconds = lingerMilliseconds
    drainBegan = worker.milliseconds
    if matched == 0, lingerMilliseconds == 0, wire?.hasUnread != true { close() }
  }

  func close() { wire?.end() }
}
