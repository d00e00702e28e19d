/// What sound is asked for as: OpenAI's names, closed.
package enum SoundFormat: String, Sendable, CaseIterable {
  case mp3, opus, aac, flac, wav, pcm
}
