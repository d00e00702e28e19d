/// A person a record is about, for erasure and export.
public struct Subject: Hashable, Sendable {
  public enum Kind: String, Sendable {
    /// A tag that the application sent.
    case tag
    /// The user field of the body.
    case field
    /// The user of the key.
    case user
  }

  public let kind: Kind
  public let id: String

  public init(_ kind: Kind, id: String) {
    self.kind = kind
    self.id = id
  }
}

/// What one hand-over to the log holds: any of request, response and metadata of one record, and journal bytes.
///
/// An exchange hands over two: its request before sending, everything else at its end. One reference goes through the
/// queue and the writer's lists instead of a dozen. It is its loop's until it is queued, then the writer's; the queue's
/// lock lies between the two.
public final class LogEntry: @unchecked Sendable {
  public static let maximalSubjects = 8

  public let stream: LogStream
  public let recordID: UInt128
  /// More than 8 make the entry refused.
  public let subjects: [Subject]
  /// ``RequestPayload`` bytes. Ignored in the mode `off`.
  public let request: [UInt8]?
  /// The body, or runs if `responseIsAssembled`. Ignored in the mode `off`.
  public let response: [UInt8]?
  public let responseIsAssembled: Bool
  /// The first part number of `response`: more than 0 when earlier entries held the answer's beginning.
  public let responseFirstPart: UInt16
  /// False while further entries with parts of the answer follow.
  public let responseIsLast: Bool
  /// JSON with `v` and `request_id`; no text, no names.
  public let metadata: [UInt8]?
  /// JSON of an ADMIN record.
  public let administration: [UInt8]?
  /// Opaque: appended to the node journal in the batch of the records, before confirmation.
  public let journal: [UInt8]
  /// Told to `onConfirmed` when the entry counts as written; 0: nobody waits.
  public let token: UInt64
  /// This begins an attempt that has not been sent: it may be refused. What ends one is taken as long as memory allows.
  let opensExchange: Bool
  /// Bytes that the queue keeps for it; nil: it was not let in before.
  let room: Int?
  /// Counted against the queue's bound: payloads and what keeps them.
  let footprint: Int
  /// Monotonic, when it was queued.
  var queuedAt: UInt64 = 0

  /// - Parameter room: What ``LogWriter/takeRoom(_:of:)`` has taken for it, and the queue counts as its own from here on;
  ///   0 if it was only asked whether there is room.
  public init(
    stream: LogStream, recordID: UInt128, subjects: [Subject] = [], request: [UInt8]? = nil,
    response: [UInt8]? = nil, responseIsAssembled: Bool = false, responseFirstPart: UInt16 = 0,
    responseIsLast: Bool = true, metadata: [UInt8]? = nil, administration: [UInt8]? = nil, journal: [UInt8] = [],
    token: UInt64 = 0, opensExchange: Bool = false, room: Int? = nil
  ) {
    self.stream = stream
    self.recordID = recordID
    self.subjects = subjects
    self.request = request
    self.response = response
    self.responseIsAssembled = responseIsAssembled
    self.responseFirstPart = responseFirstPart
    self.responseIsLast = responseIsLast
    self.metadata = metadata
    self.administration = administration
    self.journal = journal
    self.token = token
    self.opensExchange = opensExchange || (request != nil && response == nil && metadata == nil)
    self.room = room
    let payloads = (request?.count ?? 0) + (response?.count ?? 0) + (metadata?.count ?? 0)
    footprint = 512 + payloads + (administration?.count ?? 0) + journal.count
  }

  /// At most the frames that it is sealed into.
  var mostFrames: UInt64 { UInt64(footprint / FrameHeader.maximalPayloadBytes) + 4 }

  /// Nobody waits for it: it is written with what comes next, or when the writer looks around.
  public var canWait: Bool { opensExchange && token == 0 && stream.durability == .buffered }

  /// What is left if the queue has no room for the answer: what it cost must have room.
  public var withoutResponse: LogEntry {
    LogEntry(
      stream: stream, recordID: recordID, subjects: subjects, request: request,
      responseIsAssembled: responseIsAssembled, responseFirstPart: responseFirstPart, responseIsLast: responseIsLast,
      metadata: metadata, administration: administration, journal: journal, token: token,
      opensExchange: opensExchange)
  }
}

/// `u16 length | JSON {dialect, route, alias, content_type} | body`.
public struct RequestPayload: Sendable, Equatable {
  public let description: [UInt8]
  public let body: [UInt8]

  /// - Parameter description: JSON of at most 65,535 bytes.
  public init(description: [UInt8], body: [UInt8]) throws(SealedLogError) {
    guard description.count <= Int(UInt16.max) else { throw .malformed("request description") }
    self.description = description
    self.body = body
  }

  public init(_ payload: [UInt8]) throws(SealedLogError) {
    var reader = LittleEndianReader(payload)
    description = try reader.take(Int(try reader.integer(UInt16.self)))
    body = reader.rest()
  }

  public var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(2 + description.count + body.count)
    bytes.append(little: UInt16(truncatingIfNeeded: description.count))
    bytes += description
    bytes += body
    return bytes
  }
}
