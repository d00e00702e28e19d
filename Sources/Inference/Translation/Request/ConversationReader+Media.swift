internal import JSONText

/// Images, documents and audio: base64 in a `data:` URL, in a member of its own, or an address that the provider fetches.
extension ConversationReader {
  enum MediaKind { case image, file, audio }

  /// Adds media by a URL, be it `data:` or an address.
  mutating func addMedia(_ kind: MediaKind, url: ByteRange, _ block: Block, param: @autoclosure () -> String)
    throws(JSONTextError)
  {
    var block = block
    let raw = url.of(body)
    guard raw.begins(withLowercase: "data:") else {
      guard !raw.isEmpty else { throw refuse(.invalidValue, param(), "'\(param())' is empty.") }
      guard raw.begins(withLowercase: "http"), kind == .image ? takes.takesImageAddress : takes.takesFileAddress else {
        throw unsupported(param())
      }
      block.form = .url
      if block.media == .unknown { block.media = MediaType(ofFile: raw) }
      block.text = url
      return try add(kind, block, param)
    }
    let head = UnsafeRawBufferPointer(rebasing: raw.prefix(256))
    guard let comma = head.firstIndex(of: 0x2C) else { throw notBase64(param()) }
    // Encoders that write `/` as `\/` are common.
    let plain = ByteArena(capacity: 256)
    defer { withExtendedLifetime(plain) {} }
    JSONEscape.unescape(UnsafeRawBufferPointer(rebasing: head[5..<max(5, comma)]), to: plain)
    let marker = ByteRange(plain.count - 7, plain.count).of(plain.bytes)
    guard marker.begins(withLowercase: ";base64") else { throw notBase64(param()) }
    let end = plain.bytes.firstIndex(of: 0x3B, from: 0)
    block.media = MediaType(named: ByteRange(0, end).of(plain.bytes))
    if block.media == .unknown, let semicolon = head[5..<max(5, comma)].firstIndex(of: 0x3B) {
      block.type = ByteRange(url.start + 5, url.start + semicolon)
    }
    block.text = ByteRange(url.start + comma + 1, url.end)
    try add(kind, block, param)
  }

  /// Notes a media type as it stands in a member; `image\/png` is `image/png`.
  func note(_ name: ByteRange, as block: inout Block) {
    let plain = ByteArena(capacity: 128)
    JSONEscape.unescape(name.of(body), to: plain)
    block.media = withExtendedLifetime(plain) { MediaType(named: plain.bytes) }
    if block.media == .unknown { block.type = name }
  }

  /// Adds media whose payload stands alone.
  mutating func addMedia(_ kind: MediaKind, payload: ByteRange, _ block: Block, param: @autoclosure () -> String)
    throws(JSONTextError)
  {
    var block = block
    block.text = payload
    try add(kind, block, param)
  }

  private mutating func notBase64(_ param: String) -> JSONTextError {
    refuse(.invalidValue, param, "'\(param)' must be an http(s) URL or a data: URL with ;base64.")
  }

  private mutating func add(_ kind: MediaKind, _ block: Block, _ param: () -> String) throws(JSONTextError) {
    var block = block
    guard !block.text.isEmpty else { throw refuse(.invalidValue, param(), "'\(param())' is empty.") }
    let isKnown = block.media != .unknown
    let isURL = block.form == .url
    switch kind {
    case .image:
      block.kind = .image
      guard isURL || (takes.wire == .chat || takes.wire == .gemini) || block.media.isImage else {
        throw unsupported(param())
      }
    case .audio:
      block.kind = .audio
      guard takes.takesAudio, block.media.isAudio else { throw unsupported(param()) }
      if takes.wire == .chat { guard block.media == .wav || block.media == .mp3 else { throw unsupported(param()) } }
    case .file:
      block.kind = .document
      if block.media.isImage { block.kind = .image }
      switch takes.wire {
      case .messages:
        guard block.media == .pdf || block.media.isImage || isURL && !isKnown else { throw unsupported(param()) }
      case .converse: guard block.media.isDocument || block.media.isImage else { throw unsupported(param()) }
      default: guard !block.text.isEmpty else { throw unsupported(param()) }
      }
    }
    talk.blocks.append(block)
  }
}
