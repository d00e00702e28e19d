internal import JSONText

/// The known values of an enum in a request. Only these are structure; any other value of the field is text, because
/// nothing stops a client from writing an identifier there.
struct ClosedValues: Sendable {
  private let values: [StaticString]

  init(_ values: StaticString...) { self.values = values }

  func contains(_ name: UnsafeRawBufferPointer) -> Bool {
    for value in values where name.equals(value) { return true }
    return false
  }

  /// Looks a string's content up as a reader would see it.
  func contains(_ text: JSONString, in body: UnsafeRawBufferPointer) -> Bool {
    let raw = text.range.of(body)
    guard text.hasEscapes else { return contains(raw) }
    guard raw.count <= 256 else { return false }
    let plain = ByteArena(capacity: 256)
    JSONEscape.unescape(raw, to: plain)
    return withExtendedLifetime(plain) { contains(plain.bytes) }
  }

  static let role = ClosedValues("user", "assistant", "system", "tool", "developer", "function")
  static let effort = ClosedValues("none", "minimal", "low", "medium", "high", "xhigh", "max")
  static let verbosity = ClosedValues("low", "medium", "high")
  static let cacheRetention = ClosedValues("in_memory", "in-memory", "24h")
  static let tier = ClosedValues("auto", "default", "flex", "scale", "priority", "fast")
  static let part = ClosedValues(
    "text", "image_url", "input_audio", "file", "refusal", "video_url", "audio_url", "document_url", "thinking",
    "reference", "input_text", "output_text", "input_image", "input_file", "content")
  static let call = ClosedValues("function", "custom")
  /// Types of tools, the hosted ones by the names that OpenAI gives them.
  static let tool = ClosedValues(
    "function", "custom", "web_search", "web_search_preview", "file_search", "code_interpreter", "computer_use",
    "computer_use_preview", "mcp", "image_generation", "local_shell", "shell", "apply_patch")
  /// What `tool_choice` and `function_call` may say, as a string or by `type` and `mode`.
  static let toolChoice = ClosedValues(
    "auto", "none", "required", "any", "function", "custom", "allowed_tools", "web_search", "web_search_preview",
    "file_search", "code_interpreter", "computer_use", "computer_use_preview", "mcp", "image_generation", "local_shell",
    "shell", "apply_patch")
  static let toolChoiceName = ClosedValues("type", "mode", "name", "function", "custom", "tools", "allowed_tools")
  static let responseFormat = ClosedValues("text", "json_object", "json_schema", "grammar")
  static let detail = ClosedValues("auto", "low", "high", "original")
  static let mediaFormat = ClosedValues(
    "wav", "mp3", "flac", "opus", "pcm16", "aac", "m4a", "ogg", "webm", "mp4", "pdf", "png", "jpeg", "webp", "gif")
  static let modality = ClosedValues("text", "audio", "image")
  static let voice = ClosedValues(
    "alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage", "shimmer", "verse")
  static let encoding = ClosedValues("float", "base64")
}
