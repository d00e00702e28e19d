internal import JSONText

/// `POST /v1/audio/transcriptions` and `/v1/audio/translations`: a form with a file of sound.
extension RequestScan {
  enum FormField: String, CaseIterable {
    case file, model, prompt, language, temperature, stream
    case responseFormat = "response_format"
    case granularities = "timestamp_granularities[]"
    case include = "include[]"
    case chunkingStrategy = "chunking_strategy"

    /// Whether it may stand more than once.
    var isList: Bool { self == .granularities || self == .include }
  }

  private static let mostTextBytes = 65_536

  func scanForm(_ body: UnsafeRawBufferPointer, boundary: [UInt8]) throws(InferenceError) {
    let form: FormReader
    do throws(FormReader.Fault) { form = try FormReader(body, boundary: boundary) } catch {
      throw InferenceError(
        .invalidValue, message: "The body is not acceptable multipart/form-data: \(error.reason).",
        detail: "\(error.reason)")
    }
    (formParts, formTail) = (form.parts, form.tail)
    features.insert(.binary)
    var seen: Set<FormField> = []
    for part in form.parts {
      let name = part.name.of(body)
      guard let field = FormField.allCases.first(where: { name.elementsEqual($0.rawValue.utf8) }) else {
        throw InferenceError(
          .unsupportedParameter, param: Self.param(name), message: "This route has no such field. Leave it out.")
      }
      guard seen.insert(field).inserted || field.isList else {
        throw InferenceError(
          .invalidValue, param: field.rawValue, message: "'\(field.rawValue)' stands more than once.")
      }
      guard !part.content.of(body).contains(FormBoundary.own) else {
        throw InferenceError(
          .invalidValue, param: field.rawValue, message: "'\(field.rawValue)' holds the mark that parts fields here.")
      }
      if field == .file { try takeFile(part, body) } else { try takeText(field, part, body) }
    }
    for field in [FormField.file, .model] where !seen.contains(field) {
      throw InferenceError(
        .missingRequiredParameter, param: field.rawValue, message: "'\(field.rawValue)' is missing.")
    }
  }

  /// A name that is safe to repeat; nil for any other.
  private static func param(_ name: UnsafeRawBufferPointer) -> String? {
    let isPlain = name.allSatisfy { isNameByte($0) }
    return isPlain && (1...64).contains(name.count) ? String(decoding: name, as: UTF8.self) : nil
  }

  private func takeFile(_ part: FormPart, _ body: UnsafeRawBufferPointer) throws(InferenceError) {
    let content = part.content.of(body)
    guard !content.isEmpty else {
      throw InferenceError(.invalidValue, param: "file", message: "'file' must not be empty.")
    }
    guard
      let kind = part.fileName.flatMap({ SoundFile(fileName: $0.of(body)) })
        ?? part.mediaType.flatMap({ SoundFile(mediaType: $0.of(body)) })
    else {
      let known = SoundFile.allCases.map(\.rawValue).joined(separator: ", ")
      throw InferenceError(
        .invalidValue, param: "file", message: "What 'file' holds must show in its name's ending: one of \(known).")
    }
    (soundFile, soundBytes) = (kind, content.count)
    // By another name a reader may take it for something else, and hear more in it.
    soundSeconds = kind == .wav ? WAVLength.seconds(content) : nil
  }

  private func takeText(
    _ field: FormField, _ part: FormPart, _ body: UnsafeRawBufferPointer
  ) throws(InferenceError) {
    let content = part.content.of(body)
    func invalid(_ must: String) -> InferenceError {
      InferenceError(.invalidValue, param: field.rawValue, message: "'\(field.rawValue)' must be \(must).")
    }
    guard part.fileName == nil else { throw invalid("a text, not a file") }
    guard content.count <= Self.mostTextBytes, !content.contains(0),
      let text = String(validating: content, as: UTF8.self)
    else { throw invalid("valid UTF-8 of at most \(Self.mostTextBytes) bytes") }
    switch field {
    case .model:
      guard (1...256).contains(content.count), content.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
        throw invalid("a name of 1 to 256 bytes")
      }
      model = part.content
    case .prompt, .chunkingStrategy: addText(part)
    case .language:
      guard content.count <= 16, content.allSatisfy({ Self.isLetter($0) || $0 == 0x2D }) else {
        throw invalid("a language's code, as 'de'")
      }
      // What is no code may be anybody's name.
      if !Self.isLanguageCode(content) { addText(part, isIdentifier: true) }
    case .temperature:
      guard content.count <= 8, content.allSatisfy({ $0 == 0x2E || $0 &- 0x30 < 10 }), let value = Double(text),
        value <= 1
      else {
        throw invalid("a number from 0 to 1")
      }
    case .stream:
      guard text == "false" else {
        throw InferenceError(
          .unsupportedParameter, param: "stream", message: "This route has no stream here. Leave 'stream' out.")
      }
    case .responseFormat:
      guard let format = TranscriptFormat(rawValue: text) else {
        throw invalid("one of \(TranscriptFormat.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      transcriptFormat = format
    case .granularities:
      guard text == "word" || text == "segment" else { throw invalid("'word' or 'segment'") }
    case .include:
      guard text == "logprobs" else { throw invalid("'logprobs'") }
    case .file: break
    }
  }

  private func addText(_ part: FormPart, isIdentifier: Bool = false) {
    guard !part.content.isEmpty else { return }
    textBytes &+= part.content.count
    segments.append(
      TextSegment(
        start: part.content.start, end: part.content.end, depth: 0, hasEscapes: true, isASCII: false,
        group: nextGroup(), isIdentifier: isIdentifier))
  }

  private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }

  /// `de`, `de-CH`, `zh-Hans-CN`; of letters and dashes already.
  private static func isLanguageCode(_ text: UnsafeRawBufferPointer) -> Bool {
    let parts = text.split(separator: 0x2D, omittingEmptySubsequences: false)
    return (2...3).contains(parts.first?.count ?? 0) && parts.count <= 3
      && parts.dropFirst().allSatisfy { part in
        // A script's four letters alone behind a dash could be somebody's name.
        part.count == 2 || part.count == 4 && parts.count == 3
      }
  }

  /// Adds what changes for one candidate: the lines between the fields, without any name of a file, and the model.
  func addFormEdits(_ edits: UpstreamEdits, to list: inout EditList, body: UnsafeRawBufferPointer) -> [String] {
    var dropped: [String] = []
    for (place, part) in formParts.enumerated() {
      let name = String(decoding: part.name.of(body), as: UTF8.self)
      if edits.deniedFields.contains(name), name != "file", name != "model" {
        let end = place + 1 < formParts.count ? formParts[place + 1].head.start : formTail.start
        list.dropInside(part.head.start, end)
        list.replace(part.head.start, end, with: "")
        dropped.append(name)
        continue
      }
      var head = "--\(FormBoundary.own)\r\nContent-Disposition: form-data; name=\"\(name)\""
      if name == "file" {
        head += "; filename=\"audio.\(soundFile.rawValue)\"\r\nContent-Type: \(soundFile.mediaType)"
      }
      list.replace(part.head.start, part.head.end, utf8: head + "\r\n\r\n")
      if name == "model" { list.replace(part.content.start, part.content.end, utf8: edits.model) }
    }
    list.replace(formTail.start, formTail.end, utf8: "--\(FormBoundary.own)--\r\n")
    return dropped
  }

  /// What a record keeps of a form: its texts, after redaction, and of the sound its kind and size.
  /// - Parameter sent: The form as it goes upstream.
  public static func record(ofForm sent: UnsafeRawBufferPointer) -> [UInt8] {
    let out = ByteArena(capacity: 512)
    out.append("{")
    let form = try? FormReader(sent, boundary: Array(FormBoundary.own.utf8))
    for (place, part) in (form?.parts ?? []).enumerated() {
      if place > 0 { out.append(",") }
      JSONEscape.appendQuoted(String(decoding: part.name.of(sent), as: UTF8.self), to: out)
      out.append(":")
      if let name = part.fileName {
        out.append("{\"name\":")
        JSONEscape.appendQuoted(String(decoding: name.of(sent), as: UTF8.self), to: out)
        out.append(",\"bytes\":")
        out.append(utf8: String(part.content.count))
        out.append("}")
      } else {
        JSONEscape.appendQuoted(String(decoding: part.content.of(sent), as: UTF8.self), to: out)
      }
    }
    out.append("}")
    return out.array
  }
}

extension UnsafeRawBufferPointer {
  /// Whether a text stands anywhere in these bytes.
  func contains(_ text: String) -> Bool {
    let wanted = Array(text.utf8)
    guard let first = wanted.first else { return true }
    var position = 0
    while true {
      position = firstIndex(of: first, from: position)
      guard position + wanted.count <= count else { return false }
      if ByteRange(position, position + wanted.count).of(self).elementsEqual(wanted) { return true }
      position += 1
    }
  }
}
