import Testing

@testable import Upstream

@Suite("What libcurl says of streams")
struct StreamTalkTests {
  private func talk(_ line: String) -> StreamTalk? {
    Array(line.utf8).withUnsafeBytes { StreamTalk($0) }
  }

  @Test(
    arguments: [
      ("Using Stream ID: 3 (easy handle 0x55d8)\n", .uses(3)),
      ("recveived GOAWAY, error=0, last_stream=2147483647\n", .goodbye(last: 2_147_483_647)),
      ("received GOAWAY, error=11, last_stream=0", .goodbye(last: 0)),
      ("REFUSED_STREAM, retrying a fresh connect\n", .refused),
      ("Using Stream ID: ", nil), ("Using Stream ID: 4294967296", nil), ("received GOAWAY, error=0", nil),
      ("received GOAWAY, error=0, last_stream=x", nil), ("Connection died, retrying a fresh connect", nil), ("", nil),
      ("h2h3 [x: REFUSED_STREAM, retrying]", nil), (" Using Stream ID: 3", nil),
    ] as [(String, StreamTalk?)])
  func itsLinesAreRead(line: String, talk: StreamTalk?) { #expect(self.talk(line) == talk) }

  @Test(
    arguments: [
      ([], false), ([.refused], true), ([.uses(5)], false), ([.uses(5), .goodbye(last: 5)], false),
      ([.uses(5), .goodbye(last: 3)], true), ([.goodbye(last: 0)], false),
      ([.uses(5), .goodbye(last: 0x7FFF_FFFF), .goodbye(last: 3)], true),
      ([.uses(5), .goodbye(last: 3), .goodbye(last: 7)], true),
    ] as [([StreamTalk], Bool)])
  func onlyWhatIsSaidToBeUntouchedIs(talk: [StreamTalk], isUntouched: Bool) {
    var fate = StreamFate()
    for line in talk { fate.note(line) }
    #expect(fate.isUntouched == isUntouched)
  }
}
