import ArgumentParser
import Foundation
import MockProvider

/// The scripted provider as a program.
@main
struct TorhausMock: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "torhaus-mock",
    abstract: "A scripted provider of many dialects on 127.0.0.1, for tests and load. Ends with Ctrl-C.")

  @Option(help: "Port to listen on; 0 takes a free one.") var port = 0
  @Option(help: "File to write the port to, once it listens.") var portFile: String?
  @Option(help: "Event loops.") var loops = 1
  @Option(help: "How many of the last requests GET /mock/report holds.") var keep = 256
  @Option(help: "ID:SECRET with which Bedrock's requests must be signed (SigV4); without it, any credential will do.")
  var awsKey: String?

  private var amazonKey: AmazonKey? {
    let halves = awsKey?.split(separator: ":", maxSplits: 1) ?? []
    return halves.count == 2 ? AmazonKey(id: String(halves[0]), secret: String(halves[1])) : nil
  }

  func validate() throws {
    guard awsKey == nil || amazonKey != nil else { throw ValidationError("--aws-key must be ID:SECRET.") }
    guard (0...65_535).contains(port) else { throw ValidationError("--port must be 0 to 65535.") }
    guard (1...64).contains(loops) else { throw ValidationError("--loops must be 1 to 64.") }
    guard (0...100_000).contains(keep) else { throw ValidationError("--keep must be 0 to 100000.") }
  }

  func run() throws {
    let server = MockServer(port: port, loops: loops, keep: keep, amazonKey: amazonKey)
    try server.start()
    if let portFile { try Data("\(server.port)\n".utf8).write(to: URL(fileURLWithPath: portFile), options: .atomic) }
    print("torhaus-mock listens on \(server.baseURL)")
    // The loops have threads of their own; the default action of SIGINT and SIGTERM ends the process.
    while true { sleep(3_600) }
  }
}
