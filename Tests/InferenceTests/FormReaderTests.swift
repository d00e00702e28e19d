import JSONText
import Testing

@testable import Inference

/// Forms are read strictly: what one reader takes otherwise than another is refused.
@Suite struct FormReaderTests {
  struct Read: Equatable {
    var name: String
    var fileName: String?
    var mediaType: String?
    var content: String
  }

  private static func read(_ body: String, boundary: String = "B") -> [Read]? {
    withBytes(body) { bytes in
      guard let form = try? FormReader(bytes, boundary: Array(boundary.utf8)) else { return nil }
      return form.parts.map { part in
        Read(
          name: part.name.of(bytes).text, fileName: part.fileName?.of(bytes).text,
          mediaType: part.mediaType?.of(bytes).text, content: part.content.of(bytes).text)
      }
    }
  }

  static func form(_ parts: String...) -> String { parts.map { "--B\r\n\($0)\r\n" }.joined() + "--B--\r\n" }

  static let a = "Content-Disposition: form-data; name=\"a\"\r\n\r\n1"

  @Test(
    arguments: [
      (form(a), [Read(name: "a", content: "1")]),
      ("--B\r\n\(a)\r\n--B--", [Read(name: "a", content: "1")]), ("--B--\r\n", []),
      (form("content-disposition:form-data;name=a\r\n\r\n"), [Read(name: "a", content: "")]),
      (
        form(
          a,
          "Content-Type: audio/mpeg\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x y.mp3\"\r\n\r\n--A\r\n-B\r\n"
        ),
        [
          Read(name: "a", content: "1"),
          Read(name: "f", fileName: "x y.mp3", mediaType: "audio/mpeg", content: "--A\r\n-B\r\n"),
        ]
      ),
      (
        form("Content-Disposition: form-data; name=\"f\"; filename=\"a\\\".b\"; filename*=utf-8''c\r\n\r\n"),
        [Read(name: "f", fileName: "a\\\".b", content: "")]
      ),
      (
        form(
          "Content-Disposition: form-data; name=f;\r\nContent-Transfer-Encoding: BINARY\r\nContent-Length: 9\r\n\r\nx"),
        [Read(name: "f", content: "x")]
      ),
    ])
  func whatClientsSendIsRead(body: String, parts: [FormReaderTests.Read]) { #expect(Self.read(body) == parts) }

  @Test(arguments: [
    "", "--B", "--B\r\n", "--B--x", "--B--\r\n\r\n", "x--B\r\n\(a)\r\n--B--", "\r\n--B\r\n\(a)\r\n--B--",
    "--B\n\(a)\r\n--B--", "--B\r\n\(a)", "--B\r\n\(a)\r\n--B", "--B\r\n\(a)\n--B--", "--B \r\n\(a)\r\n--B--",
    // A line that only begins like the boundary is one to some readers.
    "--B\r\n\(a)\r\n--Bx\r\n--B--", form("\r\n1"), form("Content-Type: text/plain\r\n\r\n1"),
    form("Content-Disposition: attachment; name=a\r\n\r\n1"), form("Content-Disposition: form-data\r\n\r\n1"),
    form("Content-Disposition: form-data; name=\"a\r\n\r\n1"),
    form("Content-Disposition: form-data; name=a b\r\n\r\n1"),
    form("Content-Disposition: form-data; name=a; name=b\r\n\r\n1"),
    form("Content-Disposition: form-data; name=a; size=5\r\n\r\n1"),
    form("Content-Disposition: form-data; name=a; filename=b; filename=c\r\n\r\n1"),
    form("Content-Disposition : form-data; name=a\r\n\r\n1"),
    form("Content-Disposition: form-data; name=a\r\n ; filename=b\r\n\r\n1"),
    form("Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b\r\n\r\n1"),
    form("Content-Disposition: form-data; name=a\r\nContent-Type: x\r\nContent-Type: y\r\n\r\n1"),
    form("Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64\r\n\r\n1"),
    form("Content-Disposition: form-data; name=a\r\nX-Other: 1\r\n\r\n1"),
    form("Content-Disposition: form-data; name=a\u{0}\r\n\r\n1"),
    form("Content-Disposition: form-data; name=a; filename=\"" + String(repeating: "x", count: 2_048) + "\"\r\n\r\n1"),
    String(repeating: "--B\r\n\(a)\r\n", count: 65) + "--B--",
  ]) func whatCouldBeTakenOtherwiseIsRefused(body: String) { #expect(Self.read(body) == nil) }

  @Test func manyFieldsAreRead() {
    #expect(Self.read(String(repeating: "--B\r\n\(Self.a)\r\n", count: 64) + "--B--")?.count == 64)
  }

  @Test(
    arguments: [
      ("multipart/form-data; boundary=abc", "abc"),
      ("Multipart/Form-Data;boundary=\"a'(b)+_,-./:=?\"", "a'(b)+_,-./:=?"),
      ("multipart/form-data; charset=utf-8; boundary=x;", "x"), ("multipart/form-data", nil),
      ("multipart/form-data; boundary=", nil), ("multipart/form-data; boundary=\"\"", nil),
      ("multipart/form-data; boundary=a; boundary=b", nil), ("multipart/form-data; boundary=\"a b\"", nil),
      ("multipart/form-data; boundary=\"a", nil), ("multipart/form-data; boundary=a b", nil),
      ("multipart/form-data boundary=a", nil), ("multipart/mixed; boundary=a", nil), ("application/json", nil),
      ("", nil),
      ("multipart/form-data; boundary=" + String(repeating: "x", count: 70), String(repeating: "x", count: 70)),
      ("multipart/form-data; boundary=" + String(repeating: "x", count: 71), nil),
    ] as [(String, String?)])
  func boundariesAreRead(field: String, boundary: String?) {
    let found = withBytes(field) { FormBoundary.read($0) }
    #expect(found.map { String(decoding: $0, as: UTF8.self) } == boundary)
  }

  /// The length of plain samples stands in a WAV's head.
  @Test(
    arguments: [
      (1, 1, 8_000, 1, 8, 16_000, 2), (1, 2, 44_100, 4, 16, 176_401, 2), (3, 1, 8_000, 4, 32, 1, 1),
      // Two figures that differ: the longer time counts.
      (1, 2, 1_000, 400, 16, 4_000, 1), (1, 2, 1_000, 1, 16, 4_000, 4), (1, 1, 0, 1, 8, 100, nil),
      (1, 0, 8_000, 1, 8, 100, nil), (85, 1, 8_000, 1, 8, 100, nil),
    ] as [(UInt16, UInt16, UInt32, UInt16, UInt16, Int, Int64?)])
  func aWAVSaysHowLongItIs(
    format: UInt16, channels: UInt16, rate: UInt32, block: UInt16, bits: UInt16, samples: Int, seconds: Int64?
  ) {
    let head = Self.wav(format, channels, rate, block, bits)
    #expect(withBytes(head + [UInt8](repeating: 0, count: samples)) { WAVLength.seconds($0) } == seconds)
    for count in 0..<head.count {
      #expect(withBytes(Array(head.prefix(count))) { WAVLength.seconds($0) } == nil, "\(count)")
    }
  }

  static func wav(_ format: UInt16, _ channels: UInt16, _ rate: UInt32, _ block: UInt16, _ bits: UInt16) -> [UInt8] {
    func bytes(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
    var out = Array("RIFF".utf8) + bytes(UInt32.max) + Array("WAVEfmt ".utf8) + bytes(UInt32(16)) + bytes(format)
    out += bytes(channels) + bytes(rate) + bytes(UInt32(0)) + bytes(block) + bytes(bits)
    return out + Array("LIST".utf8) + bytes(UInt32(3)) + [1, 2, 3, 0] + Array("data".utf8) + bytes(UInt32(0))
  }
}
