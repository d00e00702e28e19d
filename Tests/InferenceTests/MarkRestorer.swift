import Inference
import JSONText

/// A small restorer for tests: `[P_1]` comes back as `Ä "x"`, held back as long as a piece may still become one.
struct MarkRestorer: AnswerRewriter {
  static let mark = Array("[P_1]".utf8)
  static let original = "Ä \"x\""
  var held: [AnswerChannel: [UInt8]] = [:]
  var isBlocking = false

  mutating func rewrite(
    _ text: UnsafeRawBufferPointer, channel: AnswerChannel, into out: ByteArena
  ) -> TextOutcome {
    if isBlocking, text.text.contains("forbidden") { return .blocked }
    var pending = held[channel] ?? []
    let hadHeld = !pending.isEmpty
    pending += Array(text)
    var isChanged = hadHeld
    var index = 0
    var written: [UInt8] = []
    while index < pending.count {
      let rest = pending[index...]
      if rest.starts(with: Self.mark) {
        let escaped = ByteArena()
        if channel.depth == 0 {
          escaped.append(utf8: Self.original)
        } else {
          JSONEscape.append(Self.original, depth: channel.depth, to: escaped)
        }
        written += Array(escaped.bytes)
        index += Self.mark.count
        isChanged = true
      } else if Self.mark.starts(with: rest) {
        break
      } else {
        written.append(pending[index])
        index += 1
      }
    }
    let rest = Array(pending[index...])
    held[channel] = rest
    if !rest.isEmpty { isChanged = true }
    guard isChanged else { return .unchanged }
    out.append(written)
    return .replaced
  }

  mutating func flush(channel: AnswerChannel, into out: ByteArena) -> TextOutcome {
    guard let rest = held[channel], !rest.isEmpty else { return .unchanged }
    held[channel] = nil
    out.append(rest)
    return .replaced
  }
}
