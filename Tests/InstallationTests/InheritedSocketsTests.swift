import Testing

@testable import Installation

/// What the environment says of sockets that were open before.
struct InheritedSocketsTests {
  private func read(_ count: String?, _ process: String?, _ names: String?, own: Int32? = 7) throws -> InheritedSockets
  {
    try InheritedSockets(count: count, process: process, names: names, own: own)
  }

  @Test func theyAreTheEndpointsUnlessTheirNameSaysOtherwise() throws {
    #expect(try read(nil, nil, nil) == InheritedSockets())
    #expect(try read("0", "7", nil) == InheritedSockets())
    #expect(try read("2", "7", nil).api == [3, 4])
    let named = try read("3", "7", "torhaus.socket:admin:api")
    #expect(named.api == [3, 5] && named.admin == 4)
  }

  @Test func whatIsMeantForAnotherProcessIsNotOurs() throws {
    #expect(try read("2", "8", nil) == InheritedSockets())
    #expect(try read("2", nil, nil) == InheritedSockets())
    #expect(try read("2", "7 ", nil) == InheritedSockets())
    // The process that is relieved knows no process id of ours.
    #expect(try read("1", nil, "admin", own: nil).admin == 3)
  }

  @Test(arguments: [
    ("x", nil), ("-1", nil), ("65", nil), ("99999999999", nil), ("", nil), ("2", "api"), ("1", "api:admin"),
    ("2", "admin:admin"),
  ])
  func anythingElseStopsTheStart(count: String, names: String?) {
    #expect { try read(count, "7", names) } throws: { ($0 as? InstallationError)?.code == .invalidConfiguration }
  }
}
