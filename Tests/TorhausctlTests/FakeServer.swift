import ArgumentParser

@testable import torhausctl

/// Answers from a script and keeps what it was asked.
final class FakeServer: AdminTransport {
  private(set) var requests: [TransportRequest] = []
  private var answers: [TransportResponse]

  init(_ answers: [(Int, String)]) {
    self.answers = answers.map { TransportResponse(status: $0.0, requestID: "req_1", body: Array($0.1.utf8)) }
  }

  func send(_ request: TransportRequest) throws(CommandFailure) -> TransportResponse {
    requests.append(request)
    guard !answers.isEmpty else {
      throw CommandFailure(.unreachable, code: "unreachable", "the script is over")
    }
    return answers.removeFirst()
  }
}

/// What one command line did.
struct Run {
  let data: String
  let talk: String
  let exit: Int32
  let requests: [TransportRequest]

  var first: TransportRequest? { requests.first }

  /// Runs a command line against scripted answers.
  /// - Parameters:
  ///   - inputs: What standard input has to say, line by line; the token is read from it first.
  ///   - isInteractive: Whether all three streams are a terminal.
  init(
    _ arguments: String..., answers: [(Int, String)] = [(200, "{}")],
    inputs: [String] = [["tha", "x", "y"].joined(separator: "_")],
    environment: [String: String] = ["TORHAUS_TOKEN_FILE": "-"],
    isInteractive: Bool = false, columns: Int? = nil
  ) {
    self.init(
      arguments: arguments, answers: answers, inputs: inputs, environment: environment, isInteractive: isInteractive,
      columns: columns)
  }

  init(
    arguments: [String], answers: [(Int, String)] = [(200, "{}")],
    inputs: [String] = [["tha", "x", "y"].joined(separator: "_")],
    environment: [String: String] = ["TORHAUS_TOKEN_FILE": "-"], isInteractive: Bool = false, columns: Int? = nil
  ) {
    let server = FakeServer(answers)
    var data = ""
    var talk = ""
    var exit: Int32 = 0
    var lines = inputs[...]
    let console = Console(
      writeData: { data += $0 }, writeTalk: { talk += $0 }, readInput: { lines.popFirst() }, environment: environment,
      dataIsTerminal: isInteractive, talkIsTerminal: isInteractive, inputIsTerminal: isInteractive, columns: columns)
    do {
      let parsed = try Torhausctl.parseAsRoot(arguments)
      guard let command = parsed as? any TorhausctlCommand else { throw CleanExit.helpRequest() }
      try command.run(in: Session(console: console, output: command.output) { _, _ in server })
    } catch let code as ExitCode {
      exit = code.rawValue
    } catch {
      talk += Torhausctl.fullMessage(for: error)
      exit = Torhausctl.exitCode(for: error).rawValue
    }
    self.data = data
    self.talk = talk
    self.exit = exit
    requests = server.requests
  }

  var body: String? { first?.body.map { String(decoding: $0, as: UTF8.self) } }
}
