import Routing
import Testing

/// Which models a request may go to by what they can do.
struct CapabilityTests {
  private static func model(_ capabilities: ModelCapabilities?) -> Model {
    Model(
      id: "m", maxOutput: 1, price: Price(version: "1", currency: "EUR", input: 1, output: 1),
      capabilities: capabilities)
  }

  @Test func whatNobodyWroteDownIsNotChecked() {
    #expect(Self.model(nil).missing(of: [.images, .reasoning]) == [])
    #expect(Self.model([]).missing(of: [.images]) == [.images])
    #expect(Self.model([.images, .tools]).missing(of: [.images, .audio]) == [.audio])
  }

  @Test(
    arguments: [
      // Candidates, and what nobody can do; nil where somebody can.
      ([[.images], []], nil), ([nil], nil), ([[]], [.tools, .images]), ([[.tools], [.tools]], [.images]),
      // Each can do something and none can do all: what at least one of them cannot.
      ([[.tools], [.images]], [.tools, .images]), ([[.tools, .images]], nil), ([], nil),
    ] as [([ModelCapabilities?], ModelCapabilities?)])
  func aRefusalNamesWhatNoCandidateHas(candidates: [ModelCapabilities?], lacking: ModelCapabilities?) {
    var check = CapabilityCheck(
      needed: candidates.count == 2 && candidates.first == [.images] ? [.images] : [.tools, .images])
    for candidate in candidates { _ = check.admits(capabilities: candidate) }
    #expect(check.refused == lacking)
  }

  @Test func everyNameIsReadAndWritten() {
    for (name, capability) in ModelCapabilities.names {
      #expect(ModelCapabilities(name: name) == capability && capability.nameList == [name])
    }
    #expect(ModelCapabilities(name: "vision") == nil)
  }

  @Test func betasPassByTheirRule() {
    #expect(WireTraits.BetaRule.all.passes("x"))
    #expect(WireTraits.BetaRule.only(["x"]).passes("x") && !WireTraits.BetaRule.only(["x"]).passes("y"))
    #expect(!WireTraits.BetaRule.except(["x"]).passes("x") && WireTraits.BetaRule.except(["x"]).passes("y"))
  }
}
