/// How long a provider may take, in milliseconds; nil leaves it to the gateway's own limits.
public struct ProviderTimeouts: Hashable, Sendable {
  /// Until the connection stands, TLS included.
  public var connect: Int?
  /// From sending to the end of the answer's head.
  public var firstByte: Int?
  /// Between one piece of the answer and the next.
  public var idle: Int?
  /// Of one attempt, from sending to the last byte.
  public var total: Int?

  public init(connect: Int? = nil, firstByte: Int? = nil, idle: Int? = nil, total: Int? = nil) {
    self.connect = connect
    self.firstByte = firstByte
    self.idle = idle
    self.total = total
  }

  /// What may be written, in milliseconds: less would end sound answers, more would hold a client's place for nothing.
  public static let connectRange = 100...60_000
  public static let answerRange = 1_000...3_600_000
}
