import JSONText
import Testing

@Suite struct EditListTests {
  private func applied(_ body: String, _ edits: [(Int, Int, String)]) -> String? {
    var list = EditList()
    for edit in edits { list.replace(edit.0, edit.1, utf8: edit.2) }
    let out = ByteArena()
    out.append("kept:")
    let isDone = withBytes(Array(body.utf8)) { list.apply(to: $0, into: out) }
    let text = String(decoding: out.bytes, as: UTF8.self)
    #expect(text.hasPrefix("kept:"))
    return isDone ? String(text.dropFirst(5)) : nil
  }

  @Test func replacesInsertsAndDeletesInAnyOrder() {
    #expect(applied("0123456789", []) == "0123456789")
    #expect(applied("0123456789", [(8, 9, "x"), (0, 0, "<"), (10, 10, ">"), (2, 4, "")]) == "<014567x9>")
    #expect(applied("0123456789", [(4, 6, "x"), (6, 6, "y"), (6, 8, "z")]) == "0123xyz89")
  }

  @Test func insertionsAtOnePlaceStandInTheirOrder() {
    #expect(applied("{1}", [(2, 2, ",2"), (2, 2, ",3"), (1, 2, "0"), (2, 2, "")]) == "{0,2,3}")
    var list = EditList()
    list.replace(1, 1) { $0.append(number: -7) }
    list.replace(1, 1) { _ in }
    let out = ByteArena()
    let isDone = withBytes(Array("[]".utf8)) { list.apply(to: $0, into: out) }
    #expect(isDone && out.text == "[-7]")
  }

  @Test(arguments: [2, 63, 64, 65, 200])
  func sortsFewAndManyAlike(count: Int) {
    let body = String(repeating: "-", count: count)
    var edits = (0..<count).reversed().map { ($0, $0 + 1, "\($0 % 10)") }
    edits += [(0, 0, "a"), (0, 0, "b")]
    #expect(applied(body, edits) == "ab" + (0..<count).map { "\($0 % 10)" }.joined())
  }

  @Test(arguments: [[(2, 5, "x"), (4, 6, "y")], [(5, 4, "x")], [(9, 11, "x")], [(-1, 0, "x")]])
  func refusesOverlapAndOutside(edits: [(Int, Int, String)]) { #expect(applied("0123456789", edits) == nil) }
}

@Suite struct ByteSearchTests {
  @Test func findsLineEndsAtEveryDistance() {
    for length in 0..<40 {
      for place in 0..<length {
        for end: UInt8 in [0x0A, 0x0D] {
          var bytes = [UInt8](repeating: 0x8A, count: length)
          bytes[place] = end
          withBytes(bytes) { #expect($0.lineEnd(from: 0) == place) }
        }
      }
    }
    withBytes(Array("abc".utf8)) { #expect($0.lineEnd(from: 0) == 3 && $0.lineEnd(from: 9) == 3) }
  }

  @Test(arguments: [0x25, 0x00, 0x80, 0xFF] as [UInt8])
  func findsAByteAtEveryDistance(byte: UInt8) {
    for length in [0, 1, 63, 64, 65, 127, 128, 129, 200] {
      for start in [0, 1, 7, 64] where start <= length {
        let bytes = [UInt8](repeating: byte ^ 0x01, count: length)
        withBytes(bytes) { #expect($0.firstIndex(of: byte, from: start) == length) }
        for place in start..<length {
          var bytes = bytes
          bytes[place] = byte
          // What lies in front of the start does not count.
          if start > 0 { bytes[start - 1] = byte }
          withBytes(bytes) { #expect($0.firstIndex(of: byte, from: start) == place) }
        }
      }
    }
  }
}
