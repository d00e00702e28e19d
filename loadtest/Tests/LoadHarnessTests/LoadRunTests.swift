import MockProvider
import Testing

@testable import LoadHarness

/// Runs against the scripted provider; counts and lower bounds only, never a time that must not be exceeded.
@Suite(.serialized) struct LoadRunTests {
  private static func run(_ model: String, _ change: (inout LoadPlan) -> Void) throws -> (LoadReport, MockReport) {
    let server = MockServer(keep: 1_000)
    try server.start()
    defer { server.stop() }
    var plan = LoadPlan(targets: [try LoopbackTarget(server.baseURL)])
    plan.classes[0].body.model = model
    plan.connections = 4
    plan.durationSeconds = 30
    plan.warmUpSeconds = 0
    change(&plan)
    let report = try LoadRun.run(plan)
    return (report, server.report())
  }

  @Test(arguments: [1, 2]) func aCountBoundsTheRunAndKeysTakeTurns(loops: Int) throws {
    let (report, mock) = try Self.run("mock-fast") {
      $0.requestLimit = 90
      $0.loops = loops
      $0.tenants[0].keys = ["a", "b", "c"]
    }
    #expect(report.succeeded == 90 && report.failed == 0 && mock.received == 90)
    #expect(report.latency.count == 90 && report.keys.map(\.succeeded) == [30, 30, 30])
    let sent = mock.requests.map { $0.headers["authorization"] ?? "" }
    #expect(["a", "b", "c"].map { key in sent.filter { $0 == "Bearer \(key)" }.count } == [30, 30, 30])
  }

  @Test func streamsAreCountedByTheirEvents() throws {
    let (report, mock) = try Self.run("mock-fast;chunks=10;delay=1") {
      $0.requestLimit = 20
      $0.classes[0].isStream = true
    }
    #expect(report.streamsComplete == 20 && report.failed == 0)
    #expect(report.events == 20 * 13 && report.eventGap.count > 20)
    #expect(mock.billed.requests == 20)
  }

  @Test(arguments: [
    ("mock-error-429", false, "status_429"), ("mock-cut-plain", false, "closed_in_answer"),
    ("mock-reset", false, "closed_before_answer"), ("mock-garbage", false, "malformed"),
    ("mock-cut-stream", true, "closed_in_answer"), ("mock-garbage-body", true, ""),
  ])
  func failuresAreCountedByTheirKind(model: String, isStream: Bool, kind: String) throws {
    let (report, _) = try Self.run(model) {
      $0.requestLimit = 12
      $0.classes[0].isStream = isStream
    }
    #expect(report.errors == (kind.isEmpty ? [:] : [kind: 12]))
    #expect(report.succeeded == (kind.isEmpty ? 12 : 0))
  }

  @Test func anAnswerThatNeverComesIsATimeout() throws {
    let (report, _) = try Self.run("mock-hang") {
      $0.requestLimit = 4
      $0.timeoutSeconds = 0.05
    }
    #expect(report.errors == ["timeout": 4])
  }

  @Test func whatIsOpenAtTheEndIsUnfinished() throws {
    let (report, _) = try Self.run("mock-hang") {
      $0.durationSeconds = 0.05
      $0.drainSeconds = 0
    }
    #expect(report.errors == ["unfinished": 4])
  }

  @Test func anOpenLoopCountsTheTimeThatRequestsWaited() throws {
    // Each answer takes 30 ms on the only connection, a request is due every 10 ms: the tenth waits for nine others.
    let (report, _) = try Self.run("mock-slow;delay=30") {
      $0.requestLimit = 10
      $0.connections = 1
      $0.pace = .open(requestsPerSecond: 100)
    }
    #expect(report.succeeded == 10)
    #expect(report.latency.maxMilliseconds >= 10 * 30 - 90 - 1)
  }

  @Test func aLargeBodyArrivesWhole() throws {
    let (report, mock) = try Self.run("mock-fast") {
      $0.requestLimit = 3
      $0.classes[0].body.promptBytes = 1_000_000
    }
    #expect(report.succeeded == 3 && mock.billed.promptTokens == 3 * ((1_000_000 + 15 + 3) / 4))
  }

  @Test func nobodyListeningIsAnErrorOfTheRun() throws {
    let server = MockServer()
    try server.start()
    let plan = LoadPlan(targets: [try LoopbackTarget(server.baseURL)])
    server.stop()
    #expect { _ = try LoadRun.run(plan) } throws: { ($0 as? LoadError)?.code == .connectFailed }
  }

  @Test(
    arguments: [
      { (plan: inout LoadPlan) in plan.connections = 0 }, { $0.loops = 0 }, { $0.durationSeconds = 0 },
      { $0.durationSeconds = .infinity }, { $0.pace = .open(requestsPerSecond: 0) }, { $0.requestLimit = 0 },
      { $0.tenants[0].keys = ["a\r\nX: y"] }, { $0.extraHeaders = ["no colon"] }, { $0.warmUpSeconds = .nan },
      { $0.targets = [] },
    ] as [@Sendable (inout LoadPlan) -> Void])
  func senselessPlansAreRefused(change: @Sendable (inout LoadPlan) -> Void) throws {
    var plan = LoadPlan(targets: [try LoopbackTarget("http://127.0.0.1:9")])
    change(&plan)
    #expect { try plan.check() } throws: { ($0 as? LoadError)?.code == .badPlan }
  }
}
