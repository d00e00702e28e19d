import Inference
import JSONText
import Redaction

/// Puts the originals back into an answer's texts, one restorer per running text, and keeps the texts as they came for
/// the record.
struct AnswerRestoring: AnswerRewriter {
  private struct Channel {
    let name: AnswerChannel
    var restorer = Restorer()
  }

  private let issued: IssuedPlaceholders
  private let kept: AssembledAnswer?
  /// Of running texts only: there may be as many others as an answer has choices.
  private var channels: [Channel] = []
  /// Bytes of originals that may still be put back.
  var room: Int
  /// There were more.
  private(set) var isFull = false

  /// - Parameters:
  ///   - kept: Takes the texts before restoring; nil where the log keeps no content.
  ///   - room: Bytes of originals that may be put back; beyond them the answer must end.
  init(_ issued: IssuedPlaceholders, kept: AssembledAnswer?, room: Int) {
    self.issued = issued
    self.kept = kept
    self.room = room
  }

  mutating func rewrite(_ text: UnsafeRawBufferPointer, channel: AnswerChannel, into out: ByteArena) -> TextOutcome {
    kept?.append(text, channel)
    guard !issued.isEmpty else { return .unchanged }
    let issued = issued
    return restore(place(of: channel)) { $0.feed(text, depth: Int(channel.depth), issued: issued, into: out) }
  }

  mutating func flush(channel: AnswerChannel, into out: ByteArena) -> TextOutcome {
    guard !issued.isEmpty else { return .unchanged }
    let (issued, place) = (issued, place(of: channel))
    defer { channels.remove(at: place) }
    return restore(place) { $0.finish(depth: Int(channel.depth), issued: issued, into: out) }
  }

  private mutating func restore(_ place: Int, _ work: (inout Restorer) -> Void) -> TextOutcome {
    channels[place].restorer.room = room
    work(&channels[place].restorer)
    room = channels[place].restorer.room
    isFull = isFull || channels[place].restorer.isFull
    return isFull ? .blocked : .replaced
  }

  private mutating func place(of channel: AnswerChannel) -> Int {
    if let place = channels.firstIndex(where: { $0.name == channel }) { return place }
    channels.append(Channel(name: channel))
    return channels.count - 1
  }

  /// What its client is told of an answer that must end so.
  static let tooLarge = Refusal(
    .invalidValue,
    message: "With the values of your request put back, the answer is larger than one may be. Have it repeat them less."
  )
}

/// A streamed answer in the form of a RESP record: runs of `u8 kind | u8 choice | u16 index | u32 length | bytes`, little
/// endian. Neighbouring pieces of one text are one run.
final class AssembledAnswer {
  let runs = ByteArena(capacity: 256)
  private var last: AnswerChannel?
  private var lastStart = 0

  func append(_ escaped: UnsafeRawBufferPointer, _ channel: AnswerChannel) {
    guard escaped.count > 0, !channel.isRepeated else { return }
    if last != channel || channel.field == .whole {
      last = channel
      lastStart = runs.count
      runs.append(Self.kind(channel.field))
      runs.append(UInt8(clamping: channel.choice))
      let index = UInt16(clamping: channel.index)
      runs.append(UInt8(index & 0xFF))
      runs.append(UInt8(index >> 8))
      for _ in 0..<4 { runs.append(0) }
    }
    JSONEscape.unescape(escaped, to: runs)
    let length = UInt32(clamping: runs.count - lastStart - 8)
    runs.base.storeBytes(of: length.littleEndian, toByteOffset: lastStart + 4, as: UInt32.self)
  }

  private static func kind(_ field: AnswerChannel.Field) -> UInt8 {
    switch field {
    case .content, .transcript, .bare: 1
    case .whole: 2
    case .toolArguments, .functionArguments: 3
    case .reasoning, .reasoningContent, .thinking: 4
    case .refusal: 5
    }
  }
}

/// A streamed answer under way.
struct StreamState {
  var reader = AnswerStream.none
  var restoring: AnswerRestoring?
  var kept: AssembledAnswer?
  /// The status line has gone out: from here on errors travel in the stream.
  var hasBegun = false
  var lastSentAt: Int64 = 0
  var receivedBytes = 0
  /// What waits for the client and is counted with the bodies.
  var waitingBytes = 0
  /// What is counted of ``kept`` and of what the reader keeps.
  var keptBytes = 0
  /// Output bytes seen when the client went.
  var bytesAtAbort = 0

  mutating func reset() { self = StreamState() }
}
