import Testing

@testable import Gateway

/// A candidate of each snapshot is another object; the breaker of its name is the same.
struct BreakerTableTests {
  private static func candidate(_ provider: String) throws -> CallableModel {
    var setup = GateSetup()
    setup.candidates = [GateSetup.Candidate(provider: provider)]
    let route = try setup.route()
    return try #require(route.candidates.first)
  }

  @Test func allCandidatesOfANameHaveOneBreaker() throws {
    var table = BreakerTable()
    let old = try Self.candidate("a")
    let new = try Self.candidate("a")
    let breaker = table.breaker(of: old)
    let again = table.breaker(of: old)
    let other = table.breaker(of: try Self.candidate("b"))
    let later = table.breaker(of: new)
    let first = table.breaker(of: old)
    #expect(again === breaker && other !== breaker && later === breaker && first === breaker)
  }

  @Test func whatABreakerIsToldShowsUnderItsName() throws {
    var table = BreakerTable()
    let candidate = try Self.candidate("a")
    for _ in 0..<5 {
      #expect(table.mayAdmit(candidate.breakerName, nowMilliseconds: 0))
      let breaker = table.breaker(of: candidate)
      #expect(breaker.admits(nowMilliseconds: 0))
      breaker.note(.failed, nowMilliseconds: 0)
    }
    #expect(!table.mayAdmit(candidate.breakerName, nowMilliseconds: 0))
    let same = table.breaker(of: try Self.candidate("a"))
    #expect(!same.admits(nowMilliseconds: 0))
  }

  /// That a provider's files are out of order says nothing of its answers.
  @Test func failuresOfFilesTakeNoChatOut() throws {
    let gate = try TestGate(BatchSpecimens.setup())
    let form = BatchSpecimens.form(BatchSpecimens.lines())
    for _ in 0..<5 {
      gate.exchange(gate.call(.post, "/v1/files", form, .form), "down", status: 500)
    }
    let refused = gate.send(gate.call(.post, "/v1/files", form, .form))
    #expect(refused.status == 503 && refused.errorCode == "no_route")
    gate.exchange(gate.chat(Specimens.chat()), Specimens.plain())
  }
}
