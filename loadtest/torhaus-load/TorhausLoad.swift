import ArgumentParser
import Foundation
import LoadHarness

/// The load harness as a program.
@main
struct TorhausLoad: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "torhaus-load",
    abstract: "Sends chat requests to a gateway on this machine and says what it cost.",
    discussion: """
      Without --rate each connection sends its next request when it has its answer (closed loop: how much can it do).
      With --rate requests are due at a fixed rate, and latency counts from the time a request was due (open loop: how
      long does a caller wait). Only addresses of this machine are taken. With --plan everything stands in a file: mixes
      of requests, tenants, ramps, aborts; `bench.py` writes such files from scenarios.
      """)

  @Option(help: "JSON file with the whole plan; no other option but --json and --quiet counts then.") var plan: String?

  @Option(help: "http://127.0.0.1:PORT[/v1]; may be repeated, connections take them in turn.") var target: [String] = []
  @Option(help: "API key; may be repeated, requests take them in turn.") var key: [String] = []
  @Option(help: "File with a key per line; empty lines and lines with # are skipped.") var keyFile: String?
  @Option(help: "Connections.") var connections = 16
  @Option(help: "Event loops of the harness.") var loops = 1
  @Option(help: "Requests per second; makes it an open loop.") var rate: Double?
  @Flag(help: "With --rate: requests come at random, as from callers that do not know of each other.") var poisson =
    false
  @Option(help: "Of what is drawn at random.") var seed: UInt64 = 1
  @Option(help: "Seconds that are measured.") var duration = 5.0
  @Option(help: "Seconds before that.") var warmUp = 1.0
  @Option(help: "End after this many requests.") var count: Int?
  @Flag(help: "Ask for streams, and check that each is complete.") var stream = false
  @Option(help: "Model name.") var model = "mock-fast"
  @Option(help: "Bytes of the prompt.") var promptBytes = 2_048
  @Option(help: "What the prompt begins with, such as [[mock chunks=50;delay=20]].") var promptPrefix = ""
  @Flag(help: "Leave personal data out of the prompt.") var plainPrompt = false
  @Option(help: "Values of personal data per KiB of prompt, instead of the reference prompt.") var findingsPerKib:
    Double?
  @Option(help: "Body template with {{model}}, {{prompt}} and {{stream}}.") var bodyFile: String?
  @Option(help: "Extra header, NAME: VALUE; may be repeated.") var header: [String] = []
  @Option(help: "Seconds that one answer may take.") var timeout = 60.0
  @Option(help: "Seconds to wait for open answers at the end.") var drain = 10.0
  @Option(help: "Measure CPU and memory of this process and its children; may be repeated.") var pid: [Int32] = []
  @Option(help: "Write the report as JSON to this file.") var json: String?
  @Flag(help: "Print nothing.") var quiet = false

  func run() throws {
    let report = try LoadRun.run(wholePlan())
    if !quiet { print(ReportText.lines(report)) }
    if let json { try ReportText.json(report).write(to: URL(fileURLWithPath: json), options: .atomic) }
  }

  private func wholePlan() throws -> LoadPlan {
    guard let plan else { return try planOfOptions() }
    return try PlanFile.read(Data(contentsOf: URL(fileURLWithPath: plan)))
  }

  private func planOfOptions() throws -> LoadPlan {
    guard !target.isEmpty else {
      throw ValidationError("Say where to: --target http://127.0.0.1:PORT/v1, or --plan FILE.")
    }
    guard rate != nil || !poisson else { throw ValidationError("--poisson needs a --rate.") }
    var plan = LoadPlan(targets: try target.map { try LoopbackTarget($0) })
    var tenant = LoadTenant()
    tenant.keys = try key + keysOfFile()
    plan.tenants = [tenant]
    if let rate {
      let profile = RateProfile([.init(seconds: 1, from: rate, to: rate)])
      plan.pace = if poisson, let profile { .scheduled(profile, .poisson) } else { .open(requestsPerSecond: rate) }
    }
    plan.connections = connections
    plan.loops = loops
    plan.seed = seed
    plan.durationSeconds = duration
    plan.warmUpSeconds = warmUp
    plan.requestLimit = count
    plan.classes = [try requestClass()]
    plan.extraHeaders = header
    plan.timeoutSeconds = timeout
    plan.drainSeconds = drain
    plan.processes = pid
    return plan
  }

  private func requestClass() throws -> RequestClass {
    var kind = RequestClass()
    kind.isStream = stream
    kind.body.model = model
    kind.body.promptBytes = promptBytes
    kind.body.promptPrefix = promptPrefix
    kind.body.hasPersonalData = !plainPrompt
    kind.body.findingsPerKiB = findingsPerKib
    if let bodyFile { kind.body.template = try String(contentsOfFile: bodyFile, encoding: .utf8) }
    return kind
  }

  private func keysOfFile() throws -> [String] {
    guard let keyFile else { return [] }
    return try String(contentsOfFile: keyFile, encoding: .utf8).split(whereSeparator: \.isNewline)
      .map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty && !$0.hasPrefix("#") }
  }
}
