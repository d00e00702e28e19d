import Policies
import Testing

/// Every error of the kinds as it is printed, by the document that causes it, beside the base set.
@Test func everyErrorIsPrintedInItsThreeLines() throws {
  let cases = try GoldenCase.all(in: "loader-errors.txt")
  #expect(cases.count > 50)
  for golden in cases {
    #expect(PolicyFixture.errors(golden.policy).joined(separator: "\n") == golden.says, "\(golden.policy)")
  }
}

@Test func unusedProfilesAreAWarning() throws {
  let set = try PolicyFixture.load("kind: Policy\nid: a@1\nredaction: hard\n")
  #expect(
    set.warnings.map(\.description) == [
      "warning: no policy uses the redaction profile 'mild'\n  --> base.yaml:25:3",
      "warning: no policy uses the redaction profile 'alien'\n  --> base.yaml:27:3",
    ])
}
