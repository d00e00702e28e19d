import Routing
import Testing

@testable import Installation

@Suite struct DemoAccountsTests {
  @Test(
    "Keys in the environment choose the demo's providers",
    arguments: [
      ([], []),
      (["OPENAI_API_KEY"], ["openai:"]),
      (["ANTHROPIC_API_KEY"], ["anthropic:claude"]),
      (["OPENAI_API_KEY", "ANTHROPIC_API_KEY"], ["openai:", "anthropic:claude"]),
    ])
  func keysChoose(present: [String], expected: [String]) {
    let accounts = Demo.accounts { present.contains($0) }
    #expect(accounts.map { "\($0.adapter.rawValue):\($0.prefix)" } == expected)
    #expect(accounts.map(\.credential) == present.map { .environment($0) })
  }
}
