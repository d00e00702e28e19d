public import Inference

/// Sound as clients are told what it is: a closed list, so that nothing of a provider's header reaches them.
public enum SoundType: Sendable, CaseIterable {
  case mpeg, opus, ogg, aac, flac, wav, pcm

  /// What a format is where the provider says only that it sends bytes.
  public init(_ format: SoundFormat) {
    self =
      switch format {
      case .mp3: .mpeg
      case .opus: .opus
      case .aac: .aac
      case .flac: .flac
      case .wav: .wav
      case .pcm: .pcm
      }
  }

  public var mediaType: StaticString {
    switch self {
    case .mpeg: "audio/mpeg"
    case .opus: "audio/opus"
    case .ogg: "audio/ogg"
    case .aac: "audio/aac"
    case .flac: "audio/flac"
    case .wav: "audio/wav"
    case .pcm: "audio/pcm"
    }
  }

  /// What providers call them, in lower case.
  public static let names: [(name: StaticString, type: SoundType)] = [
    ("audio/mpeg", .mpeg), ("audio/mp3", .mpeg), ("audio/opus", .opus), ("audio/ogg", .ogg), ("audio/aac", .aac),
    ("audio/flac", .flac), ("audio/x-flac", .flac), ("audio/wav", .wav), ("audio/x-wav", .wav), ("audio/wave", .wav),
    ("audio/vnd.wave", .wav), ("audio/pcm", .pcm),
  ]
}
