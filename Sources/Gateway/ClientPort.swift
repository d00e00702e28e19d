/// What an answer's head says beside its status; all of it is ours, nothing comes from a provider.
public struct ResponseHead: Sendable {
  public enum ContentKind: Sendable, Equatable { case json, lines, eventStream, sound(SoundType), text, empty }
  public var status: UInt16
  public var kind: ContentKind
  /// The connection ends with this answer. Of HTTP/2 the stream does in any case, and the connection does not.
  public var closes: Bool

  public init(status: UInt16, kind: ContentKind, closes: Bool = false) {
    self.status = status
    self.kind = kind
    self.closes = closes
  }
}

/// What the pipeline needs of a client's connection or stream; called on its event loop only.
///
/// A class-bound protocol: a call is one table look-up, nothing is boxed or allocated.
public protocol ClientPort: AnyObject {
  /// A whole answer. `fields` are complete header lines, each with its CRLF.
  func respond(_ head: ResponseHead, fields: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer)
  /// The head of a stream; pieces and one of the ends follow.
  func begin(_ head: ResponseHead, fields: UnsafeRawBufferPointer)
  func send(_ bytes: UnsafeRawBufferPointer)
  /// The normal end of a stream.
  func end()
  /// The end of a stream that did not end well, so that nobody can take it for the normal one: the connection closes
  /// without the framing's last word, or HTTP/2 resets the stream.
  func abort()
  /// Bytes that wait for the client to take them.
  var heldBytes: Int { get }
  /// The answer is over, and much of it waits: the lease shrinks with ``heldBytes``, and goes when nothing is left or
  /// the client is gone.
  func keep(_ lease: AnswerLease)
}
