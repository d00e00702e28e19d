import JSONText

@testable import Frontend

/// What became of a chunked body: the outcome, the bytes used and the data.
struct ChunkedBody: Equatable {
  var outcome: ChunkedDecoder.Outcome
  var used: Int
  var data: [UInt8]

  /// Decodes the bytes as they arrive in pieces; `cuts` are ascending positions.
  init(_ bytes: [UInt8], cuts: [Int] = [], maximumBytes: Int = 1024, maximumTrailerBytes: Int = 8 * 1024) {
    var decoder = ChunkedDecoder(maximumBytes: maximumBytes, maximumTrailerBytes: maximumTrailerBytes)
    let arena = ByteArena(capacity: 64)
    var outcome = ChunkedDecoder.Outcome.incomplete
    var used = 0
    bytes.withUnsafeBytes { all in
      for end in cuts + [all.count] where outcome == .incomplete {
        // Each piece lies in memory of its own, as a connection's reads do.
        let piece = Array(all[used..<end])
        var position = 0
        outcome = piece.withUnsafeBytes { decoder.decode($0, from: &position, into: arena) }
        used += position
      }
    }
    self.outcome = outcome
    self.used = used
    data = Array(arena.bytes)
  }

  init(_ text: String, maximumBytes: Int = 1024, maximumTrailerBytes: Int = 8 * 1024) {
    self.init(Array(text.utf8), maximumBytes: maximumBytes, maximumTrailerBytes: maximumTrailerBytes)
  }
}
