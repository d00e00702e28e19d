import NIOCore

/// A request as it came, with its number in the journal.
struct Arrival {
  let head: RequestHead
  let body: ByteBuffer
  let number: UInt64
  let method: String
  /// As it stands in the request line, query included.
  let target: String
  /// By lower-case name.
  let fields: [String: String]

  init(_ head: RequestHead, _ headBytes: ByteBuffer, _ body: ByteBuffer, number: UInt64) {
    let entry = JournalEntryText.request(head: headBytes, body: ByteBuffer())
    self.head = head
    self.body = body
    self.number = number
    method = entry.method
    target = entry.path
    fields = entry.headers
  }

  /// The key of `Authorization: Bearer`, or nil.
  var bearer: String? {
    guard let value = fields["authorization"], value.lowercased().hasPrefix("bearer "), value.utf8.count > 7 else {
      return nil
    }
    return String(value.dropFirst(7))
  }

  func hasKey(_ name: String) -> Bool { fields[name].map { !$0.isEmpty } ?? false }

  /// The body as JSON; the reading is strict.
  func json() throws(Refused) -> JSONValue {
    guard RequestValidation.isObject(body), let value = body.withUnsafeReadableBytes({ JSONValue($0) }) else {
      throw .invalid("We could not parse the JSON body of your request.", code: "invalid_json")
    }
    return value
  }
}
