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
      plan.tenants = ["a", "b"].map { name in
        var tenant = LoadTenant()
        tenant.name = name
        return tenant
      }
    }
    #expect(report.offered == 60 && report.succeeded + report.failed == 60)
    #expect(report.classes.map(\.offered) == [20, 20, 20])
    #expect(report.classes.map(\.failed) == [0, 0, 20] && report.streamsComplete == 20)
    #expect(report.tenants.reduce(0) { $0 + $1.offered } == 60 && report.fairness != nil)
    #expect(report.latency.count == 40 && report.curve.last?.percentile == 100)
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
