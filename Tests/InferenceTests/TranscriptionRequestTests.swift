import Foundation
import JSONText
import Testing

@testable import Inference

/// Forms with sound: what is text, what is refused, what goes upstream.
@Suite struct TranscriptionRequestTests {
  static func field(_ name: String, _ value: String) -> String {
    "--X\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n"
  }

  static func file(_ name: String = "Anna Muster.mp3", _ content: String = "\u{0}\r\n--x", type: String = "") -> String
  {
    "--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\(name)\"\r\n\(type)\r\n\(content)\r\n"
  }

  static func form(_ fields: String...) -> String { fields.joined() + "--X--\r\n" }

  private static func refusal(_ body: String) -> InferenceError? {
    withBytes(body) { bytes in
      do throws(InferenceError) {
        try RequestScan().scan(bytes, route: .transcriptions, boundary: Array("X".utf8))
        return nil
      } catch {
        return error
      }
    }
  }

  static let good = file() + field("model", "m")

  @Test func readsWhatPolicyNeeds() throws {
    let body = Self.form(
      Self.field("prompt", "Grüezi \"Anna\""), Self.file(), Self.field("model", "m/1"),
      Self.field("response_format", "verbose_json"), Self.field("timestamp_granularities[]", "word"),
      Self.field("timestamp_granularities[]", "segment"), Self.field("language", "de-CH"),
      Self.field("temperature", "0.2"), Self.field("stream", "false"), Self.field("chunking_strategy", "auto"))
    try withBytes(body) { bytes in
      let scan = RequestScan()
      try scan.scan(bytes, route: .transcriptions, boundary: Array("X".utf8))
      #expect(scan.modelName(in: bytes) == "m/1" && scan.features == .binary && !scan.stream)
      #expect(scan.segments.map { ByteRange($0.start, $0.end).of(bytes).text } == ["Grüezi \"Anna\"", "auto"])
      #expect(scan.segments.allSatisfy { $0.depth == 0 })
      #expect(scan.soundFile == .mp3 && scan.soundBytes == 6 && scan.soundSeconds == nil)
      #expect(scan.transcriptFormat == .verboseJSON && !scan.answersBareText && scan.textBytes == 18)
    }
  }

  /// Nothing of a file's name or type goes on but what it is, and nothing of the client's lines.
  @Test func whatGoesUpstreamIsWrittenAnew() throws {
    let body = Self.form(
      Self.field("model", "alias"), Self.file(type: "Content-Type: audio/Anna\r\n"), Self.field("prompt", "P"),
      Self.field("language", "de"))
    try withBytes(body) { bytes in
      let scan = RequestScan()
      try scan.scan(bytes, route: .translations, boundary: Array("X".utf8))
      var edits = EditList()
      let prompt = try #require(scan.segments.first)
      edits.replace(prompt.start, prompt.end, with: "[P_1]")
      let dropped = scan.addEdits(
        UpstreamEdits(model: "real", deniedFields: ["language", "file"]), to: &edits, body: bytes)
      let out = ByteArena()
      let isApplied = edits.apply(to: bytes, into: out)
      #expect(isApplied && dropped == ["language"])
      let line = "--\(FormBoundary.own)\r\nContent-Disposition: form-data; name="
      #expect(
        out.bytes.text == "\(line)\"model\"\r\n\r\nreal\r\n"
          + "\(line)\"file\"; filename=\"audio.mp3\"\r\nContent-Type: audio/mpeg\r\n\r\n\u{0}\r\n--x\r\n"
          + "\(line)\"prompt\"\r\n\r\n[P_1]\r\n--\(FormBoundary.own)--\r\n")
      let record = String(decoding: RequestScan.record(ofForm: out.bytes), as: UTF8.self)
      #expect(record == #"{"model":"real","file":{"name":"audio.mp3","bytes":6},"prompt":"[P_1]"}"#)
    }
  }

  @Test(
    arguments: [
      (form(field("model", "m")), Refusal.Code.missingRequiredParameter, "file"),
      (form(file()), .missingRequiredParameter, "model"), (form(good, field("model", "n")), .invalidValue, "model"),
      (form(good, file()), .invalidValue, "file"), (form(file(), field("model", "")), .invalidValue, "model"),
      (form(file(), field("model", "a\nb")), .invalidValue, "model"),
      (form(good, field("n", "1")), .unsupportedParameter, "n"),
      (form(good, field("user", "Anna")), .unsupportedParameter, "user"),
      (form(good, field("a b", "1")), .unsupportedParameter, nil),
      (form(good, field("stream", "true")), .unsupportedParameter, "stream"),
      (form(good, field("language", "de; Anna")), .invalidValue, "language"),
      (form(good, field("temperature", "2")), .invalidValue, "temperature"),
      (form(good, field("temperature", "x")), .invalidValue, "temperature"),
      (form(good, field("response_format", "diarized_json")), .invalidValue, "response_format"),
      (form(good, field("timestamp_granularities[]", "Anna")), .invalidValue, "timestamp_granularities[]"),
      (form(good, field("include[]", "all")), .invalidValue, "include[]"),
      (form(good, field("prompt", "a\u{0}")), .invalidValue, "prompt"),
      (form(good, field("prompt", String(repeating: "a", count: 65_537))), .invalidValue, "prompt"),
      (form(field("model", "m"), field("file", "x")), .invalidValue, "file"),
      (form(field("model", "m"), file("a.mp3", "")), .invalidValue, "file"),
      (form(field("model", "m"), file("a.exe")), .invalidValue, "file"),
      (form(field("model", "m"), file("mp3")), .invalidValue, "file"),
      (form(field("model", "m"), file("a.mp3", "x--\(FormBoundary.own)x")), .invalidValue, "file"),
      ("{}", .invalidValue, nil), ("", .invalidValue, nil),
    ] as [(String, Refusal.Code, String?)])
  func refuses(body: String, code: Refusal.Code, param: String?) throws {
    let error = try #require(Self.refusal(body))
    #expect(error.code == code && error.param == param, "\(error)")
    #expect(!error.message.contains("Anna"))
  }

  @Test(
    arguments: [
      ("a.WAV", "", SoundFile.wav), ("a.b.m4a", "", .m4a), ("a.opus", "", .ogg),
      ("blob", "audio/webm;codecs=opus", .webm),
      ("a.exe", "AUDIO/X-WAV", .wav), ("a.mp3", "text/plain", .mp3),
    ])
  func theKindOfASoundShowsInItsNameOrType(name: String, type: String, kind: SoundFile) throws {
    let head = type.isEmpty ? "" : "Content-Type: \(type)\r\n"
    try withBytes(Self.form(Self.field("model", "m"), Self.file(name, type: head))) { bytes in
      let scan = RequestScan()
      try scan.scan(bytes, route: .transcriptions, boundary: Array("X".utf8))
      #expect(scan.soundFile == kind)
    }
  }

  /// Mutated forms: no trap, and what is accepted is the same form to another reader, before and after the edits.
  @Test func acceptedFormsAreFormsForEverybody() {
    let body = Array(
      Self.form(
        Self.field("prompt", "Grüezi"), Self.file("a.wav", "RIFF....WAVEfmt \u{10}\u{0}\u{0}\u{0}data\r\n--Y"),
        Self.field("model", "m"), Self.field("response_format", "srt"), Self.field("language", "de")
      ).utf8)
    var random = SeededGenerator(seed: 61)
    let scan = RequestScan()
    var accepted = 0
    for _ in 0..<20_000 {
      var bytes = random.mutate(body, most: 3)
      if !bytes.isEmpty, Int.random(in: 0..<4, using: &random) == 0 {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] =
          [0x0D, 0x0A, 0x2D, 0x58].randomElement(using: &random) ?? 0
      }
      withBytes(bytes) { raw in
        guard (try? scan.scan(raw, route: .transcriptions, boundary: Array("X".utf8))) != nil else { return }
        accepted += 1
        var edits = EditList()
        for segment in scan.segments {
          #expect(segment.start >= 0 && segment.end > segment.start && segment.end <= raw.count)
          edits.replace(segment.start, segment.end, with: segment.isIdentifier ? "px" : "[P_x]")
        }
        _ = scan.addEdits(UpstreamEdits(model: "real"), to: &edits, body: raw)
        let out = ByteArena()
        let isApplied = edits.apply(to: raw, into: out)
        #expect(isApplied)
        let again = RequestScan()
        let isRead = (try? again.scan(out.bytes, route: .transcriptions, boundary: Array(FormBoundary.own.utf8))) != nil
        #expect(isRead && again.formParts.count == scan.formParts.count && again.modelName(in: out.bytes) == "real")
        let record = RequestScan.record(ofForm: out.bytes)
        #expect((try? JSONSerialization.jsonObject(with: Data(record))) != nil)
      }
    }
    #expect(accepted > 1_000)
  }

  /// A head of samples: 8 bits, one channel, so many samples a second.
  private static func head(_ rate: [UInt8]) -> [UInt8] {
    Array("fmt ".utf8) + [16, 0, 0, 0, 1, 0, 1, 0] + rate + [0, 0, 0, 0, 1, 0, 8, 0]
  }

  /// Readers differ on which of two heads counts, and on what to make of samples in a file with another name: a client
  /// that writes such a file must not be charged for a second of an hour.
  @Test func whatMakesASoundLongerIsBelieved() {
    let (slow, fast): ([UInt8], [UInt8]) = ([1, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF])
    let data = Array("data".utf8) + [0, 0, 0, 0] + [UInt8](repeating: 0x80, count: 1_000)
    let start = Array("RIFF\u{0}\u{0}\u{0}\u{0}WAVE".utf8)
    for heads in [[slow], [slow, fast], [fast, slow], [fast, slow, fast]] {
      let file = start + heads.flatMap(Self.head) + data
      #expect(withBytes(file) { WAVLength.seconds($0) } == 1_000)
      for (name, seconds) in [("a.wav", 1_000), ("a.mp3", nil)] as [(String, Int64?)] {
        let form =
          Array(
            "--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\(name)\"\r\n\r\n".utf8)
          + file + Array(("\r\n" + Self.field("model", "m") + "--X--\r\n").utf8)
        withBytes(form) { bytes in
          let scan = RequestScan()
          #expect(throws: Never.self) { try scan.scan(bytes, route: .transcriptions, boundary: Array("X".utf8)) }
          #expect(scan.soundSeconds == seconds)
        }
      }
    }
  }

  /// A language's code says nothing; a word could be a name.
  @Test(arguments: [
    ("de", false), ("gsw", false), ("de-CH", false), ("zh-Hans-CN", false), ("Muster", true), ("de-Muster", true),
    ("Anna-Li", true), ("deutsch", true),
  ])
  func aWordInsteadOfALanguageIsText(language: String, isText: Bool) throws {
    try withBytes(Self.form(Self.good, Self.field("language", language))) { bytes in
      let scan = RequestScan()
      try scan.scan(bytes, route: .transcriptions, boundary: Array("X".utf8))
      let texts = scan.segments.map { ByteRange($0.start, $0.end).of(bytes).text }
      #expect(texts == (isText ? [language] : []) && scan.segments.allSatisfy { $0.isIdentifier && $0.depth == 0 })
    }
  }

  @Test func randomBytesNeverTrap() {
    var random = SeededGenerator(seed: 62)
    let pool = Array("--X\r\n: ;=\"\\Content-Disposition: form-data; name=\"file\"".utf8)
    for _ in 0..<20_000 {
      let bytes = (0..<Int.random(in: 0..<200, using: &random)).map { _ in pool.randomElement(using: &random) ?? 0 }
      withBytes(bytes) { raw in
        _ = try? RequestScan().scan(raw, route: .translations, boundary: Array("X".utf8))
        _ = FormBoundary.read(raw)
        _ = WAVLength.seconds(raw)
      }
    }
  }
}
