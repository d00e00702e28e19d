import Policies
import Testing

@Test func packedFilesComeBackAndMakeTheSameSet() throws {
  let set = try PolicyFixture.load("kind: Policy\nid: a@1\nabout: {de: Grüße}\n")
  let files = try PolicyArchive.unpack(PolicyArchive.pack(set.files))
  #expect(files == set.files)
  #expect(try PolicyLoader.load(files: files).hash == set.hash)
  #expect(try PolicyArchive.unpack(PolicyArchive.pack([])) == [])
}

@Test func cutAndForeignArchivesAreRefused() {
  let whole = PolicyArchive.pack([PolicyFixture.file("abc", "x"), PolicyFixture.file("", "y")])
  let ends = [5, 5 + 4 + 1 + 4 + 3, whole.count]  // whole files only
  for length in 0...whole.count {
    let files = try? PolicyArchive.unpack(Array(whole[..<length]))
    #expect((files != nil) == ends.contains(length), "\(length)")
  }
  #expect(throws: PolicyError.self) { try PolicyArchive.unpack([1, 2, 3, 4, 5, 6, 7, 8, 9]) }
  #expect(throws: PolicyError.self) {
    try PolicyArchive.unpack(Array(whole[..<5]) + [0xFF, 0xFF, 0xFF, 0xFF, 0x41])
  }
}
