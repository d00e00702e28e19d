/// A person a record is about, for erasure and export.
package struct Subject: Hashable, Sendable {
  package enum Kind: String, Sendable {
    /// A tag that the application sent.
    case tag
    /// The user field of the body.
    case field
    /// The user of the key.
    case user
  }

  package let kind: Kind
  package let id: String

  package init(_ kind: Kind, id: String) {
    self.kind = kind
    self.id = id
  }
}

/// What one hand-over to the log holds: any of request, response and metadata of one record, and journal bytes.
///
/// An exchange hands over two: its request before sending, everything else at its end.
package struct LogEntry: Sendable {
  package static let maximalSubjects = 8

  package var stream: LogStream
  package var recordID: UInt128
  /// More than 8 make the entry refused.
  package var subjects: [Subject]
  /// ``RequestPayload`` bytes. Ignored in the mode `off`.
  package var request: [UInt8]?
  /// The body, or runs if `responseIsAssembled`. Ignored in the mode `off`.
  package var response: [UInt8]?
  package var responseIsAssembled: Bool
  /// The first part number of `response`: more than 0 when earlier entries held the answer's beginning.
  package var responseFirstPart: UInt16
  /// False while further entries with parts of the answer follow.
  package var responseIsLast: Bool
  /// JSON with `v` and `request_id`; no text, no names.
  package var metadata: [UInt8]?
  /// JSON of an ADMIN record.
  package var administration: [UInt8]?
  /// Opaque: appended to the node journal in the batch of the records, before confirmation.
  package var journal: [UInt8]
  /// Told to `onConfirmed` when the entry counts as written; 0: nobody waits.
  package var token: UInt64
  /// This begins an attempt that has not been sent: it may be refused. What ends one is taken as long as memory allows.
  let opensExchange: Bool

  package init(
    stream: LogStream, recordID: UInt128, subjects: [Subject] = [], request: [UInt8]? = nil,
    response: [UInt8]? = nil, responseIsAssembled: Bool = false, responseFirstPart: UInt16 = 0,
    responseIsLast: Bool = true, metadata: [UInt8]? = nil, administration: [UInt8]? = nil, journal: [UInt8] = [],
    token: UInt64 = 0, opensExchange: Bool = false
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
  }

  /// Counted against the queue's bound: payloads and what keeps them.
  var footprint: Int {
    512 + (request?.count ?? 0) + (response?.count ?? 0) + (metadata?.count ?? 0) + (administration?.count ?? 0)
      + journal.count
  }

}

/// An entry on its way to the writer and through its lists: one reference instead of a dozen.
///
/// Its loop's until it is queued, then the writer's; the queue's lock lies between the two.
package final class HeldEntry: @unchecked Sendable {
  let entry: LogEntry
  /// Bytes that the queue keeps for it; nil: it was not let in before.
  let room: Int?
  /// Monotonic, when it was queued.
  var queuedAt: UInt64 = 0

  /// - Parameter room: What ``LogWriter/takeRoom(_:of:)`` has taken for it, and the queue counts as its own from here on;
  ///   0 if it was only asked whether there is room.
  package init(_ entry: consuming LogEntry, room: Int? = nil) {
    self.entry = entry
    self.room = room
  }

  /// Nobody waits for it: it is written with what comes next, or when the writer looks around.
  var canWait: Bool { entry.opensExchange && entry.token == 0 && entry.stream.durability == .buffered }

  /// What is left if the queue has no room for the answer: what it cost must have room.
  package var withoutResponse: HeldEntry {
    var entry = entry
    entry.response = nil
    return HeldEntry(entry)
  }
}

/// `u16 length | JSON {dialect, route, alias, content_type} | body`.
package struct RequestPayload: Sendable, Equatable {
  package let description: [UInt8]
  package let body: [UInt8]

  /// - Parameter description: JSON of at most 65,535 bytes.
  package init(description: [UInt8], body: [UInt8]) throws(SealedLogError) {
    guard description.count <= Int(UInt16.max) else { throw .malformed("request description") }
    self.description = description
    self.body = body
  }

  package init(_ payload: [UInt8]) throws(SealedLogError) {
    var reader = LittleEndianReader(payload)
    description = try reader.take(Int(try reader.integer(UInt16.self)))
    body = reader.rest()
  }

  package var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(2 + description.count + body.count)
    bytes.append(little: UInt16(truncatingIfNeeded: description.count))
    bytes += description
    bytes += body
    return bytes
  }
}
