/// The kinds of media that a request can carry in its body.
enum MediaType: UInt8, CaseIterable, Sendable {
  case png, jpeg, gif, webp, pdf, wav, mp3, flac, opus, aac, ogg, m4a, csv, doc, docx, xls, xlsx, html, txt, markdown
  /// Another one, carried by its own name where the target takes any.
  case unknown

  /// As it stands in a `data:` URL.
  var name: StaticString {
    switch self {
    case .png: "image/png"
    case .jpeg: "image/jpeg"
    case .gif: "image/gif"
    case .webp: "image/webp"
    case .pdf: "application/pdf"
    case .wav: "audio/wav"
    case .mp3: "audio/mp3"
    case .flac: "audio/flac"
    case .opus: "audio/opus"
    case .aac: "audio/aac"
    case .ogg: "audio/ogg"
    case .m4a: "audio/m4a"
    case .csv: "text/csv"
    case .doc: "application/msword"
    case .docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    case .xls: "application/vnd.ms-excel"
    case .xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    case .html: "text/html"
    case .txt: "text/plain"
    case .markdown: "text/markdown"
    case .unknown: "application/octet-stream"
    }
  }

  /// As a file's name ends and as Converse calls it.
  var suffix: StaticString {
    switch self {
    case .png: "png"
    case .jpeg: "jpeg"
    case .gif: "gif"
    case .webp: "webp"
    case .pdf: "pdf"
    case .wav: "wav"
    case .mp3: "mp3"
    case .flac: "flac"
    case .opus: "opus"
    case .aac: "aac"
    case .ogg: "ogg"
    case .m4a: "m4a"
    case .csv: "csv"
    case .doc: "doc"
    case .docx: "docx"
    case .xls: "xls"
    case .xlsx: "xlsx"
    case .html: "html"
    case .txt: "txt"
    case .markdown: "md"
    case .unknown: ""
    }
  }

  var isImage: Bool { rawValue <= Self.webp.rawValue }
  var isAudio: Bool { rawValue >= Self.wav.rawValue && rawValue <= Self.m4a.rawValue }
  var isDocument: Bool { self == .pdf || rawValue >= Self.csv.rawValue && self != .unknown }

  /// By its media type, unescaped; case does not count.
  init(named name: UnsafeRawBufferPointer) {
    for type in Self.allCases where name.count == type.name.utf8CodeUnitCount && name.begins(withLowercase: type.name) {
      self = type
      return
    }
    let others: [(StaticString, MediaType)] = [
      ("image/jpg", .jpeg), ("audio/mpeg", .mp3), ("audio/x-wav", .wav), ("audio/wave", .wav), ("audio/mp4", .m4a),
    ]
    for (other, type) in others
    where name.count == other.utf8CodeUnitCount && name.begins(withLowercase: other) {
      self = type
      return
    }
    self = .unknown
  }

  /// By the end of a file's name or of an address.
  init(ofFile name: UnsafeRawBufferPointer) {
    self = .unknown
    guard let dot = name.lastIndex(of: 0x2E) else { return }
    let tail = UnsafeRawBufferPointer(rebasing: name[(dot + 1)...])
    self.init(suffix: tail)
  }

  /// By a format's short name.
  init(suffix: UnsafeRawBufferPointer) {
    self = .unknown
    for type in Self.allCases where type != .unknown {
      guard suffix.count == type.suffix.utf8CodeUnitCount, suffix.begins(withLowercase: type.suffix) else { continue }
      self = type
      return
    }
    if suffix.count == 3, suffix.begins(withLowercase: "jpg") { self = .jpeg }
    if suffix.count == 3, suffix.begins(withLowercase: "htm") { self = .html }
  }
}
