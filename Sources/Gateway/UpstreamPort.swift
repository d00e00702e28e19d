public import Routing

/// What the pipeline needs of the adapter that sends; one per event loop, called on that loop only.
///
/// A class-bound protocol: a call is one table look-up, nothing is boxed or allocated.
public protocol UpstreamPort: AnyObject {
  /// Sends a request; `body` is empty but for a POST. It must stay where it is until the end was told or ``cancel(_:)`` returned.
  ///
  /// Never calls back from inside: news arrive in a later turn of the loop.
  func send(_ exchange: Exchange, to target: UpstreamTarget, body: UnsafeRawBufferPointer)
  /// Forgets the request; its connection is closed if an answer was under way. Nothing more is told about it.
  func cancel(_ exchange: Exchange)
  /// Stops reading the answer, and goes on with it; does nothing over HTTP/2 (``UpstreamHead/isHTTP2``).
  func pause(_ exchange: Exchange)
  func resume(_ exchange: Exchange)
  /// Tells the delegate when the time is over, unless the exchange is another request's by then.
  func wake(_ exchange: Exchange, afterMilliseconds milliseconds: Int64)
}

/// The status line and the header fields of a provider's answer that are read; all others are dropped.
public struct UpstreamHead: Sendable, Equatable {
  public enum ContentKind: Sendable, Equatable {
    case json, eventStream, amazonEventStream
    case sound(SoundType)
    /// Bytes of which nobody says what they are.
    case octets
    case other
  }
  public var status: Int = 0
  /// The answer shares its connection with others, so it cannot be paused without them.
  public var isHTTP2 = false
  public var kind = ContentKind.other
  public var isEncoded = false
  /// The request's body has left as a whole: nobody reads it any more.
  public var hasTakenRequest = false
  public var retryAfterSeconds: Int?
  /// ``retryAfterSeconds`` comes from `retry-after-ms`, which beats `retry-after` in any order.
  public var hasExactRetryAfter = false
  /// What the provider says of its limits.
  public var rest = ProviderRest()

  public init() {}
}

/// How a provider's answer ended.
public enum UpstreamEnd: Sendable, Equatable {
  /// All of it arrived by its framing.
  case complete
  /// Name, address, connection or TLS failed: nothing was sent.
  case notConnected
  /// The address is one that the outbound rules refuse: nothing was sent.
  case addressRefused
  /// Waited for a connection until the deadline: nothing was sent.
  case neverSent
  /// Sent; and the provider has said that it has not looked at it and never will (RFC 9113, 8.7).
  case refused
  /// Sent; then silence until the deadline, before the status line or after it.
  case timedOut
  /// Sent; then the connection broke or the framing was damaged.
  case cut
  /// The answer is larger than allowed.
  case tooLarge
}

/// Who is told what comes back; implemented by the pipeline, called on the loop, outside of the sender's callbacks.
public protocol UpstreamDelegate: AnyObject {
  func upstream(_ exchange: Exchange, answered head: UpstreamHead)
  /// A piece of the answer's body; the bytes are gone when this returns.
  func upstream(_ exchange: Exchange, sent bytes: UnsafeRawBufferPointer)
  func upstream(_ exchange: Exchange, ended end: UpstreamEnd)
  /// The time that was asked for by ``UpstreamPort/wake(_:afterMilliseconds:)`` is over.
  func woken(_ exchange: Exchange)
}
