import MockProvider
import Testing

@testable import LoadHarness

/// Mixes, tenants and aborts against the scripted provider; counts only.
@Suite(.serialized) struct MixedLoadTests {
  private static func run(_ change: (inout LoadPlan) -> Void) throws -> LoadReport {
    let server = MockServer(keep: 0)
    try server.start()
    defer { server.stop() }
    var plan = LoadPlan(targets: [try LoopbackTarget(server.baseURL)])
    plan.connections = 4
    plan.durationSeconds = 30
    plan.warmUpSeconds = 0
    change(&plan)
    return try LoadRun.run(plan)
  }

  private static func requestClass(_ name: String, _ model: String, stream: Bool = false) -> RequestClass {
    var kind = RequestClass()
    kind.name = name
    kind.isStream = stream
    kind.body.model = model
    return kind
  }

  @Test func everyRequestOfAMixIsCountedInItsClassAndTenant() throws {
    let report = try Self.run { plan in
      plan.requestLimit = 60
      plan.classes = [
        Self.requestClass("plain", "mock-fast"), Self.requestClass("stream", "mock-stream", stream: true),
        Self.requestClass("bad", "mock-error-500"),
      ]
      plan.tenants = Self.tenants("a", "b")
      plan.pace = .open(requestsPerSecond: 2_000)  // in a closed loop the faster tenant would send more
    }
    #expect(report.offered == 60 && report.succeeded + report.failed == 60)
    #expect(report.classes.map(\.offered) == [20, 20, 20])
    #expect(report.classes.map(\.failed) == [0, 0, 20] && report.streamsComplete == 20)
    #expect(report.tenants.reduce(0) { $0 + $1.offered } == 60 && report.fairness != nil)
    #expect(report.latency.count == 40 && report.curve.last?.percentile == 100)
  }

  private static func tenants(_ names: String...) -> [LoadTenant] {
    names.map { name in
      var tenant = LoadTenant()
      tenant.name = name
      return tenant
    }
  }

  @Test(arguments: [true, false]) func aClassMayBelongToTenants(isClosed: Bool) throws {
    let report = try Self.run { plan in
      plan.requestLimit = 60
      plan.classes = [Self.requestClass("good", "mock-fast"), Self.requestClass("bad", "mock-error-500")]
      plan.classes[0].tenants = ["a"]
      plan.classes[1].tenants = ["b"]
      plan.tenants = Self.tenants("a", "b")
      if !isClosed { plan.pace = .open(requestsPerSecond: 2_000) }
    }
    let (a, b) = (report.tenants[0], report.tenants[1])
    #expect(a.offered + b.offered == 60 && a.offered > 0 && b.offered > 0)
    #expect(a.succeeded == a.offered && b.failed == b.offered)
    #expect(report.latencyFairness == 0.5, "who was never served is not left out")
  }

  /// Tenants that take turns, and classes that do: each tenant still sends all of them.
  @Test func tenantsDoNotShareTheTurnsOfClasses() throws {
    var plan = LoadPlan(targets: [try LoopbackTarget("http://127.0.0.1:9/v1")])
    plan.classes = [Self.requestClass("one", "mock-fast"), Self.requestClass("two", "mock-fast")]
    plan.tenants = Self.tenants("a", "b")
    var draw = RequestDraw(plan, PreparedRequests(plan), lane: 0)
    var seen = [[0, 0], [0, 0]]
    for _ in 0..<40 {
      let next = draw.next(bound: nil)
      seen[next.tenant][next.kind] += 1
    }
    #expect(seen == [[10, 10], [10, 10]])
  }

  @Test func aClientThatGivesUpIsNoFailure() throws {
    let report = try Self.run { plan in
      plan.requestLimit = 20
      var kind = Self.requestClass("left", "mock-stream;chunks=20;delay=1", stream: true)
      kind.abort = .init(share: 1, afterEvents: 3)
      plan.classes = [kind]
    }
    #expect(report.aborted == 20 && report.succeeded == 0 && report.errors == [:])
  }

  @Test func aClientThatWaitsNoLongerLeavesAfterItsTime() throws {
    let report = try Self.run { plan in
      plan.requestLimit = 8
      var kind = Self.requestClass("left", "mock-hang")
      kind.abort = .init(share: 1, afterMilliseconds: 5)
      plan.classes = [kind]
    }
    #expect(report.aborted == 8 && report.errors == [:])
  }

  @Test func theTimelineHoldsEveryAnswer() throws {
    let report = try Self.run { plan in
      plan.requestLimit = 40
      plan.sampleSeconds = 0.05
      plan.classes = [Self.requestClass("slow", "mock-slow;delay=20")]
      plan.pace = .open(requestsPerSecond: 200)
    }
    #expect(report.timeline.count > 1 && report.timeline.reduce(0) { $0 + $1.requests } <= 40)
    #expect(report.succeeded == 40)
  }
}
