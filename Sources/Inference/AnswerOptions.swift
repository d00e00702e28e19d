/// What an answer is dressed in for its client.
public struct AnswerOptions: Sendable {
  /// What `model` reads as.
  public var alias: String
  /// Whether a chat client asked for the usage of its stream.
  public var includeUsage: Bool
  /// True where texts are restored: `logprobs` would show the tokens as generated.
  public var dropsLogprobs: Bool
  /// Ends the ids of our own (`chatcmpl_…`, `msg_…`, `resp_…`): printable ASCII that needs no escape. Read only where an
  /// answer is translated, or none has begun.
  public var answerID: [UInt8]
  /// Seconds since 1970, for answers of our own making.
  public var created: Int64
  /// Our estimate of the input's tokens, for an event that must say it before the provider has.
  public var inputEstimate: Int64
  /// Members of a Responses request that its answer repeats: whole members of JSON, each with a comma behind it.
  public var echo: [UInt8]
  /// ``RequestScan/echoBytes``: so many bytes of a completion's text are the client's own.
  public var echoBytes: Int

  public init(
    alias: String, includeUsage: Bool = false, dropsLogprobs: Bool = false, answerID: [UInt8] = [], created: Int64 = 0,
    inputEstimate: Int64 = 0, echo: [UInt8] = [], echoBytes: Int = 0
  ) {
    self.alias = alias
    self.includeUsage = includeUsage
    self.dropsLogprobs = dropsLogprobs
    self.answerID = answerID
    self.created = created
    self.inputEstimate = inputEstimate
    self.echo = echo
    self.echoBytes = echoBytes
  }
}

/// How a stream of answers stands.
public enum StreamState: Sendable, Equatable {
  case open
  /// The dialect's last word was read.
  case done
  /// The stream cannot go on; nothing more is read from it or written for it.
  /// Why lies apart from the state, which each open stream holds.
  indirect case failed(Refusal)
}
