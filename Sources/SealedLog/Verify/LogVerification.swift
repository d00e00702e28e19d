internal import Foundation

/// What a verification found: the worst finding is the exit code.
public struct LogVerification: Sendable, Equatable {
  public enum Code: Int, Sendable {
    case intact = 0
    case couldNotRun = 1
    /// A torn tail, or a segment that was not ended; recovered, or recoverable without loss of what was confirmed. A
    /// recovered segment that two or more have gone on from is a note only.
    case torn = 2
    /// Signature, checksum followed by good frames, tag, or root.
    case modified = 3
    /// Shorter than a checkpoint, the next segment or a witness says.
    case truncated = 4
    /// A gap in the chain of segments, or a stream is missing.
    case gap = 5
    /// Entries were erased, everything else is intact.
    case erased = 6
  }

  public struct Finding: Sendable, Equatable {
    public let code: Code
    public let stream: String
    public let segment: String
    public let text: String
  }

  /// Worth knowing and no finding: it does not change the exit code.
  public struct Note: Sendable, Equatable {
    public let stream: String
    public let segment: String
    public let text: String
  }

  public var findings: [Finding] = []
  public internal(set) var notes: [Note] = []
  public internal(set) var streams = 0
  public internal(set) var segments = 0
  public internal(set) var frames = 0
  /// Slots whose frames are there and whose keys are not.
  public internal(set) var erasedEntries = 0

  /// 0…6; worst first: could not run, 3, 4, 5, 2, 6.
  public var exitCode: Int {
    let order: [Code] = [.couldNotRun, .modified, .truncated, .gap, .torn, .erased]
    let found = Set(findings.map(\.code))
    return (order.first { found.contains($0) } ?? .intact).rawValue
  }

  /// All findings for programs.
  public var json: [UInt8] {
    let object: [String: Any] = [
      "exit": exitCode, "streams": streams, "segments": segments, "frames": frames, "erased": erasedEntries,
      "findings": findings.map {
        ["code": $0.code.rawValue, "stream": $0.stream, "segment": $0.segment, "text": $0.text] as [String: Any]
      },
      "notes": notes.map { ["stream": $0.stream, "segment": $0.segment, "text": $0.text] },
    ]
    guard let data = try? JSONSerialization.data(withJSONObject: object, options: [.sortedKeys]) else { return [] }
    return Array(data)
  }
}
