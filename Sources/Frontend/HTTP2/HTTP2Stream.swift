import Gateway
import JSONText

/// One request of an HTTP/2 connection and its answer.
///
/// Holds of an answer what the client's windows do not let out yet: a client that reads one stream slowly has that one's
/// provider paused, or beyond a bound its stream ended where that speaks HTTP/2, and no other.
final class HTTP2Stream: ClientPort {
  enum Phase {
    case head
    /// Reading a body.
    case body
    /// A request is in work, or answered.
    case working
  }

  /// What comes behind the bytes that are held.
  private enum Ending { case open, complete, broken }

  let id: Int32
  /// Nil once the stream is closed: what the pipeline still says is for nobody.
  var connection: HTTP2Connection?
  var exchange: Exchange?
  /// Position in the connection's table of streams.
  var index = -1
  var phase = Phase.head
  var isHead = false
  var isResetByClient = false
  /// A frame of the answer has gone out.
  private(set) var hasSent = false

  // The body
  var pace: BodyPace
  /// Bytes that are received and that the client was not told so.
  var unconsumed = 0
  /// Of the body, while it is under way.
  var uploadedBytes = 0
  /// What the body may still come to, as far as its client has said so.
  var expected: Int?
  /// Bytes set aside for it in the connection's ``UploadRoom``.
  var room = 0
  var isWaitingForRoom = false
  /// Its client may send on as it is read.
  var isLetIn = false

  // The answer
  private var held: ByteArena?
  private var taken = 0
  /// Of ``held``, once its exchange is over.
  private var lease: AnswerLease?
  private var ending = Ending.open
  /// The library has the answer's head.
  private var hasBegun = false
  /// The library has asked for more and was told that there is none yet.
  private var isDeferred = false
  /// Present once something had to wait.
  private var writePace: WritePace?

  init(id: Int32, connection: HTTP2Connection) {
    self.id = id
    self.connection = connection
    pace = BodyPace(connection.limits, bytes: 0, now: connection.now)
  }

  // MARK: Answers out (ClientPort)

  var heldBytes: Int { (held?.count ?? 0) &- taken }

  func keep(_ lease: AnswerLease) { if heldBytes > 0 { self.lease = lease } }

  /// Bytes wait for the client's window, or the end of a stream does: with a window that is used up to the byte the library
  /// asks for no more, not even for the end.
  var isWaitingForClient: Bool { heldBytes > 0 || exchange == nil && writePace != nil }

  /// To be asked while something waits only.
  func isTooSlow(_ now: Int64) -> Bool { writePace?.isTooSlow(now: now) ?? false }

  func respond(_ response: ResponseHead, fields: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer) {
    exchange = nil
    guard let connection else { return }
    let hasBody = !isHead && !body.isEmpty
    if hasBody { hold(body) }
    ending = .complete
    hasBegun = true
    connection.respond(self, response, fields, length: body.count, hasBody: hasBody)
  }

  func begin(_ response: ResponseHead, fields: UnsafeRawBufferPointer) {
    hasBegun = true
    connection?.respond(self, response, fields, length: nil, hasBody: true)
  }

  func send(_ bytes: UnsafeRawBufferPointer) {
    guard connection != nil, bytes.count > 0 else { return }
    hold(bytes)
    goOn()
  }

  func end() { finish(.complete) }

  /// What is held goes out, then the stream is reset: its client cannot take that for a normal end.
  func abort() {
    finish(.broken)
    // With a shut window the library would not ask for what there is not.
    if !hasBegun || heldBytes == 0 { connection?.reset(self, .internalError) }
  }

  private func finish(_ ending: Ending) {
    exchange = nil
    self.ending = ending
    if heldBytes == 0, let connection { beginWaiting(connection) }
    goOn()
  }

  private func hold(_ bytes: UnsafeRawBufferPointer) {
    guard let connection else { return }
    if heldBytes == 0 { beginWaiting(connection) }
    if held == nil { held = connection.takeArena() }
    held?.append(bytes)
  }

  /// Until now it was not this stream's own window that it waited for.
  func beginAnew(_ now: Int64) { writePace?.begin(now: now) }

  private func beginWaiting(_ connection: HTTP2Connection) {
    writePace = WritePace(connection.limits, now: connection.now)
  }

  private func goOn() {
    guard isDeferred else { return }
    isDeferred = false
    connection?.resume(self)
  }

  // MARK: Frames out

  enum Data {
    case bytes(count: Int, isLast: Bool)
    case later, broken
  }

  /// How much of the body goes into the next frame.
  func next(most: Int) -> Data {
    let count = min(most, heldBytes)
    if count == 0 {
      switch ending {
      case .complete: return .bytes(count: 0, isLast: true)
      case .broken: return .broken
      case .open:
        isDeferred = true
        return .later
      }
    }
    return .bytes(count: count, isLast: count == heldBytes && ending == .complete)
  }

  /// A frame of this stream has gone out; what says no more than "continue" is no answer.
  func noteSent() { if hasBegun { hasSent = true } }

  /// Writes the next bytes of the body.
  func take(_ count: Int, into target: ByteArena, _ now: Int64) {
    guard let held, count <= heldBytes else { return }
    target.append(UnsafeRawBufferPointer(rebasing: held.bytes[taken..<(taken &+ count)]))
    taken &+= count
    writePace?.took(count, now: now)
    lease?.shrink(to: heldBytes)
    if taken == held.count {
      dropHeld()
    } else if taken > held.count / 2, taken > 64 * 1024 {
      held.dropFirst(taken)
      taken = 0
    }
  }

  /// Whatever is held goes nowhere, and nothing that comes can look like a normal end.
  func giveUp() {
    ending = .broken
    dropHeld()
  }

  func dropHeld() {
    if let held { connection?.give(held) }
    held = nil
    taken = 0
    lease = nil
  }
}
