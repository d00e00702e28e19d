/// What sound is asked for as: OpenAI's names, closed.
public enum SoundFormat: String, Sendable, CaseIterable {
  case mp3, opus, aac, flac, wav, pcm
}
