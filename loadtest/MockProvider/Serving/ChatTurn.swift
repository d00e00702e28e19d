import NIOCore

/// One chat request with everything that its answer needs.
struct ChatTurn {
  let script: Script
  let answer: Answer
  let identity: AnswerIdentity
  let isStream: Bool
  let wantsUsage: Bool
  let keepsAlive: Bool
  let isHTTP10: Bool
}
