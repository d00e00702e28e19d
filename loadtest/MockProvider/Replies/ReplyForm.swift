import NIOCore

/// How one dialect says a ``Reply``: as a whole body, or as the events of a stream.
///
/// A form writes bytes and decides nothing; ``ReplyStream`` asks it for one event after the other.
protocol ReplyForm {
  var reply: Reply { get }
  var vendor: Vendor { get }
  /// The stream's content type.
  var streamType: StaticString { get }

  func writePlain(into body: inout ByteBuffer)

  /// What comes before the first part.
  mutating func open(into event: inout ByteBuffer)
  mutating func openPart(_ index: Int, into event: inout ByteBuffer)
  mutating func writeDelta(_ text: ArraySlice<UInt8>, part index: Int, into event: inout ByteBuffer)
  mutating func closePart(_ index: Int, into event: inout ByteBuffer)
  /// What comes after the last part.
  mutating func close(into event: inout ByteBuffer)
  /// An error after the stream began.
  mutating func writeFailure(status: Int, into event: inout ByteBuffer)
  /// An event whose content cannot be read.
  mutating func writeBroken(into event: inout ByteBuffer)
  /// Whether a part is sent in pieces; else ``openPart(_:into:)`` has sent all of it.
  func isCut(_ index: Int) -> Bool
}

extension ReplyForm {
  var streamType: StaticString { "text/event-stream; charset=utf-8" }
  func isCut(_ index: Int) -> Bool { true }

  func writeBroken(into event: inout ByteBuffer) {
    event.writeStaticString("data: {\"id\":\"mock\",\"choices\":[{\"delta\":{\"content\":\"brok\n\n")
  }
}

extension ByteBuffer {
  /// Writes `text` as a JSON string with its quotes.
  mutating func writeQuoted(_ text: some Sequence<UInt8>) {
    writeStaticString("\"")
    JSONStringText.encode(ArraySlice(text), into: &self)
    writeStaticString("\"")
  }

  mutating func writeQuoted(_ text: String) { writeQuoted(text.utf8) }

  /// Writes one server-sent event; `fill` writes its data.
  mutating func writeEvent(_ name: String?, _ fill: (inout ByteBuffer) -> Void) {
    if let name { writeString("event: \(name)\n") }
    writeStaticString("data: ")
    fill(&self)
    writeStaticString("\n\n")
  }
}
