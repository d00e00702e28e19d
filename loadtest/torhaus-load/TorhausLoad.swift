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
      long does a caller wait). Only addresses of this machine are taken.
      """)

  @Option(help: "http://127.0.0.1:PORT[/v1]; may be repeated, connections take them in turn.") var target: [String]
  @Option(help: "API key; may be repeated, requests take them in turn.") var key: [String] = []
  @Option(help: "File with a key per line; empty lines and lines with # are skipped.") var keyFile: String?
  @Option(help: "Connections.") var connections = 16
  @Option(help: "Event loops of the harness.") var loops = 1
  @Option(help: "Requests per second; makes it an open loop.") var rate: Double?
  @Option(help: "Seconds that are measured.") var duration = 5.0
  @Option(help: "Seconds before that.") var warmUp = 1.0
  @Option(help: "End after this many requests.") var count: Int?
  @Flag(help: "Ask for streams, and check that each is complete.") var stream = false
  @Option(help: "Model name.") var model = "mock-fast"
  @Option(help: "Bytes of the prompt.") var promptBytes = 2_048
  @Option(help: "What the prompt begins with, such as [[mock chunks=50;delay=20]].") var promptPrefix = ""
  @Flag(help: "Leave personal data out of the prompt.") var plainPrompt = false
  @Option(help: "Body template with {{model}}, {{prompt}} and {{stream}}.") var bodyFile: String?
  @Option(help: "Extra header, NAME: VALUE; may be repeated.") var header: [String] = []
  @Option(help: "Seconds that one answer may take.") var timeout = 60.0
  @Option(help: "Seconds to wait for open answers at the end.") var drain = 10.0
  @Option(help: "Measure CPU and memory of this process and its children; may be repeated.") var pid: [Int32] = []
  @Option(help: "Write the report as JSON to this file.") var json: String?
  @Flag(help: "Print nothing.") var quiet = false

  func run() throws {
    let report = try LoadRun.run(plan())
    if !quiet { print(ReportText.lines(report)) }
    if let json { try ReportText.json(report).write(to: URL(fileURLWithPath: json), options: .atomic) }
  }

  private func plan() throws -> LoadPlan {
    var plan = LoadPlan(targets: try target.map { try LoopbackTarget($0) })
    plan.keys = try key + keysOfFile()
    if let rate { plan.pace = .open(requestsPerSecond: rate) }
    plan.connections = connections
    plan.loops = loops
    plan.durationSeconds = duration
    plan.warmUpSeconds = warmUp
    plan.requestLimit = count
    plan.isStream = stream
    plan.body.model = model
    plan.body.promptBytes = promptBytes
    plan.body.promptPrefix = promptPrefix
    plan.body.hasPersonalData = !plainPrompt
    if let bodyFile { plan.body.template = try String(contentsOfFile: bodyFile, encoding: .utf8) }
    plan.extraHeaders = header
    plan.timeoutSeconds = timeout
    plan.drainSeconds = drain
    plan.processes = pid
    return plan
  }

  private func keysOfFile() throws -> [String] {
    guard let keyFile else { return [] }
    return try String(contentsOfFile: keyFile, encoding: .utf8).split(whereSeparator: \.isNewline)
      .map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty && !$0.hasPrefix("#") }
  }
}
