import Inference
import JSONText

/// Runs `body` on the bytes of a text that stay where they are meanwhile.
func withBytes<Result, Failure: Error>(
  _ text: String, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
) throws(Failure) -> Result {
  try withBytes(Array(text.utf8), body)
}

func withBytes<Result, Failure: Error>(
  _ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
) throws(Failure) -> Result {
  let arena = ByteArena(capacity: max(64, bytes.count))
  arena.append(bytes)
  return try body(arena.bytes)
}

extension UnsafeRawBufferPointer {
  var text: String { String(decoding: self, as: UTF8.self) }
}

/// Scans a request; the error if it is refused.
func refusal(of body: String, route: InferenceRoute = .chat) -> InferenceError? {
  withBytes(body) { bytes in
    do throws(InferenceError) {
      let scan = RequestScan()
      try scan.scan(bytes, route: route)
      return nil
    } catch {
      return error
    }
  }
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

  /// Changes, adds, removes or swaps up to `most` bytes.
  mutating func mutate(_ bytes: [UInt8], most: Int) -> [UInt8] {
    var bytes = bytes
    let pool = Array("\"\\{}[]:,0123456789-.eu \n".utf8) + [0x00, 0x80, 0xC3, 0xFF]
    for _ in 0..<Int.random(in: 0...most, using: &self) where !bytes.isEmpty {
      let place = Int.random(in: 0..<bytes.count, using: &self)
      let byte = pool.randomElement(using: &self) ?? 0
      switch Int.random(in: 0..<5, using: &self) {
      case 0: bytes[place] = byte
      case 1: bytes.insert(byte, at: place)
      case 2: bytes.remove(at: place)
      case 3: bytes.removeSubrange(place..<min(bytes.count, place + 9))
      default: bytes.swapAt(place, Int.random(in: 0..<bytes.count, using: &self))
      }
    }
    return bytes
  }
}
