import Policies
import Routing
import Testing

private func only(_ text: String) -> [String] {
  do throws(PolicyError) {
    _ = try PolicyLoader.load(files: [PolicyFixture.file(text)])
    return []
  } catch { return error.diagnostics.filter { $0.severity == .error }.map(\.description) }
}

@Test func norwayNeedsNoQuotesAndNumbersStayText() throws {
  let set = try PolicyFixture.load("")
  #expect(set.routes.providers.first?.country.code == "NO")
  #expect(set.routes.providers.first?.models.first?.price.version == "1")
}

@Test func formIsChecked() throws {
  let cases = try GoldenCase.all(in: "format-errors.txt")
  #expect(cases.count > 10)
  for golden in cases {
    #expect(only(golden.policy).joined(separator: "\n") == golden.says, "\(golden.policy)")
  }
}

@Test(arguments: [
  ("\u{FEFF}kind: Roles\n", "the file starts with a byte order mark", "test.yaml:1:1"),
  ("kind: Rö\u{1}les\n", "a control character stands in the file", "test.yaml:1:9"),
])
func bytesThatNobodyTypesAreRefused(text: String, message: String, place: String) {
  let errors = only(text)
  #expect(errors.count == 1)
  #expect(errors.first?.hasPrefix("error: \(message)\n  --> \(place)") == true)
}

@Test func columnsCountScalars() {
  #expect(
    only("kind: Roles\nroles: {müller: {scope: tenant, can: [chaat]}}\n") == [
      "error: there is no permission 'chaat'\n  --> test.yaml:2:39\nhint: did you mean 'chat'?"
    ])
}

@Test(arguments: [(14, true), (15, false)])
func depthIsLimited(levels: Int, fits: Bool) {
  // The document and its first value are two levels; the innermost scalar is one more.
  let text =
    "kind: Policy\nid: a@1\nabout: " + String(repeating: "[", count: levels) + "x"
    + String(repeating: "]", count: levels) + "\n"
  let errors = only(text)
  #expect(errors.isEmpty == fits, "\(errors)")
}

@Test func deepNestingIsAnErrorNotACrash() {
  #expect(!only("kind: " + String(repeating: "[", count: 900) + String(repeating: "]", count: 900)).isEmpty)
  #expect(!only("kind: " + String(repeating: "[", count: 200_000)).isEmpty)
  #expect(!only("kind: " + String(repeating: "{a: ", count: 990)).isEmpty)
  #expect(!only(String(repeating: "- ", count: 50_000)).isEmpty)
}

@Test func aFileOverOneMebibyteIsRefused() {
  let text = "kind: Roles\nroles: {}\n#" + String(repeating: "x", count: 1 << 20)
  #expect(only(text).first?.hasPrefix("error: the file is larger than 1 MiB") == true)
}

@Test func whatIsNotUTF8IsRefused() {
  do throws(PolicyError) {
    _ = try PolicyLoader.load(files: [PolicyFile(name: "x.yaml", bytes: [0x6B, 0xFF, 0xFE])])
    Issue.record("accepted")
  } catch {
    #expect(error.diagnostics.map(\.message) == ["the file is not UTF-8"])
  }
}

@Test func allErrorsAreCollectedOverAllFiles() {
  do throws(PolicyError) {
    _ = try PolicyLoader.load(files: [
      PolicyFixture.file("kind: Roles\nroles: {a: {scope: moon, can: [chat]}}\n", "b.yaml"),
      PolicyFixture.file("kind: Plans\nplans: {p: {requests: 6}, q: {requests: 7}}\n", "a.yaml"),
    ])
    Issue.record("accepted")
  } catch {
    #expect(error.code == .invalid)
    #expect(error.message == "the policies have 3 errors")
    #expect(error.diagnostics.map { "\($0.place)" } == ["a.yaml:2:23", "a.yaml:2:41", "b.yaml:2:20"])
  }
}

@Test func anEmptyFolderIsNoPolicySet() {
  #expect { try PolicyLoader.load(files: []) } throws: { ($0 as? PolicyError)?.code == .unreadable }
  #expect { try PolicyLoader.load(folder: "no-such-folder") } throws: { ($0 as? PolicyError)?.code == .unreadable }
}

@Test func theHashIsOfTheMeaning() throws {
  let one = try PolicyFixture.load("kind: Policy\nid: a@1\nplan: wide\nredaction: mild\n")
  let same = try PolicyFixture.load("# note\nredaction:   'mild'\nplan: \"wide\"\nid: a@1\nkind: Policy\n")
  let other = try PolicyFixture.load("kind: Policy\nid: a@1\nplan: narrow\nredaction: mild\n")
  #expect(one.hash == same.hash)
  #expect(one.hash != other.hash)
  #expect(other.changedWithoutNewVersion(since: one) == ["a@1"])
  #expect(same.changedWithoutNewVersion(since: one) == [])
  let tested = try PolicyFixture.load(
    "kind: Policy\nid: a@1\nplan: wide\nredaction: mild\n---\nkind: Tests\ntests: []\n")
  #expect(tested.hash == one.hash)
}
