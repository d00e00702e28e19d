internal import JSONText

/// What readers of streams work with while they take in bytes. Nothing of it lasts from one call to the next, so all
/// streams of an event loop share one set, and an open stream holds none.
public final class StreamTools {
  let chat = AnswerScan()
  let responses = ResponsesScan()
  let messages = MessagesScan()
  let steps = AnswerSteps()
  var edits = EditList()
  let text = ByteArena(capacity: 256)

  public init() {}
}
