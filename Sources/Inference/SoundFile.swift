internal import JSONText

/// Sound that is sent to be written down, by the endings that OpenAI takes: a closed list, since nothing else of a file's
/// name goes anywhere.
public enum SoundFile: String, Sendable, CaseIterable {
  case flac, mp3, mp4, mpeg, mpga, m4a, ogg, wav, webm

  /// By a file's name: what stands behind its last dot, in any case.
  init?(fileName: UnsafeRawBufferPointer) {
    guard let dot = fileName.lastIndex(of: 0x2E) else { return nil }
    let ending = UnsafeRawBufferPointer(rebasing: fileName[(dot + 1)...])
    guard ending.count <= 8 else { return nil }
    let word = String(decoding: ending, as: UTF8.self).lowercased()
    if let file = Self(rawValue: word) {
      self = file
    } else if let file = Self.others[word] {
      self = file
    } else {
      return nil
    }
  }

  /// By a media type, without its parameters.
  init?(mediaType: UnsafeRawBufferPointer) {
    let type = mediaType.prefix { $0 != 0x3B && $0 != 0x20 && $0 != 0x09 }
    guard type.count <= 32, let file = Self.types[String(decoding: type, as: UTF8.self).lowercased()] else {
      return nil
    }
    self = file
  }

  public var mediaType: String {
    switch self {
    case .flac: "audio/flac"
    case .mp3, .mpeg, .mpga: "audio/mpeg"
    case .mp4, .m4a: "audio/mp4"
    case .ogg: "audio/ogg"
    case .wav: "audio/wav"
    case .webm: "audio/webm"
    }
  }

  private static let others: [String: SoundFile] = ["oga": .ogg, "opus": .ogg, "wave": .wav]
  private static let types: [String: SoundFile] = [
    "audio/flac": .flac, "audio/x-flac": .flac, "audio/mpeg": .mp3, "audio/mp3": .mp3, "audio/mp4": .m4a,
    "audio/m4a": .m4a, "audio/x-m4a": .m4a, "video/mp4": .mp4, "audio/ogg": .ogg, "audio/opus": .ogg,
    "audio/wav": .wav, "audio/x-wav": .wav, "audio/wave": .wav, "audio/vnd.wave": .wav, "audio/webm": .webm,
    "video/webm": .webm,
  ]
}

/// What a transcript is asked for as: OpenAI's names, closed.
public enum TranscriptFormat: String, Sendable, CaseIterable {
  case json, text, srt, vtt
  case verboseJSON = "verbose_json"

  public var isJSON: Bool { self == .json || self == .verboseJSON }
}

/// How long the sound in a WAV file is at most: its own head says.
enum WAVLength {
  /// Seconds, rounded up, of all bytes behind the head of the samples; nil for what is no WAV of plain samples.
  static func seconds(_ bytes: UnsafeRawBufferPointer) -> Int64? {
    guard has("RIFF", 0, bytes), has("WAVE", 8, bytes) else { return nil }
    var position = 12
    var bytesPerSecond: Int64?
    for _ in 0..<64 {
      guard position + 8 <= bytes.count else { return nil }
      let size = Int(number32(position + 4, bytes))
      if has("data", position, bytes) {
        guard let rate = bytesPerSecond, rate > 0 else { return nil }
        // Whatever size it claims: a reader may go on to the end.
        let length = Int64(bytes.count - position - 8)
        return (length + rate - 1) / rate
      }
      if has("fmt ", position, bytes) {
        guard size >= 16, position + 24 <= bytes.count else { return nil }
        let format = number16(position + 8, bytes)
        guard format == 1 || format == 3 else { return nil }
        let channels = Int64(number16(position + 10, bytes))
        let rate = Int64(number32(position + 12, bytes))
        let bits = Int64(number16(position + 22, bytes))
        // Of two figures for one thing the one that makes it longer; so of two heads, for readers differ on which counts.
        let bytesEach = min(Int64(number16(position + 20, bytes)), channels * ((bits + 7) / 8))
        bytesPerSecond = min(bytesPerSecond ?? .max, rate * bytesEach)
      }
      position += 8 + size + size % 2
    }
    return nil
  }

  private static func has(_ name: StaticString, _ position: Int, _ bytes: UnsafeRawBufferPointer) -> Bool {
    ByteRange(position, min(bytes.count, position + 4)).of(bytes).equals(name)
  }

  private static func number16(_ position: Int, _ bytes: UnsafeRawBufferPointer) -> UInt16 {
    UInt16(bytes[position]) | UInt16(bytes[position + 1]) << 8
  }

  private static func number32(_ position: Int, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
    UInt32(number16(position, bytes)) | UInt32(number16(position + 2, bytes)) << 16
  }
}
