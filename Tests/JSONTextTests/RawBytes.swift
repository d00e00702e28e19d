import JSONText

/// Runs `body` on the bytes of a text that stay where they are meanwhile.
func withBytes<Result, Failure: Error>(
  _ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
) throws(Failure) -> Result {
  let arena = ByteArena(capacity: max(64, bytes.count))
  arena.append(bytes)
  return try body(arena.bytes)
}

/// The code with which a text is refused; nil if it is accepted.
func refusal(of text: [UInt8], limits: JSONLimits = .request) -> JSONTextError.Code? {
  withBytes(text) { bytes in
    do throws(JSONTextError) {
      try JSONCursor.validate(bytes, limits: limits)
      return nil
    } catch {
      return error.code
    }
  }
}

func refusal(of text: String, limits: JSONLimits = .request) -> JSONTextError.Code? {
  refusal(of: Array(text.utf8), limits: limits)
}

/// A small generator with a seed (SplitMix64), so that a failing run can be repeated.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
