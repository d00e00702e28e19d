import ArgumentParser
import FoundationEssentials
import Tenancy

/// A command that shows data and talks, and ends with an exit code of `operating.md` section 1.
protocol TorhausctlCommand: ParsableCommand {
  var output: OutputOptions { get }
  func perform(in session: Session) throws
}

extension TorhausctlCommand {
  func run() throws {
    let console = Console.ofProcess(environment: ProcessInfo.processInfo.environment)
    try run(in: Session(console: console, output: output) { CurlTransport(server: $0, token: $1) })
  }

  /// Does the work; a failure is told in the form that was asked for, then thrown as its exit code.
  func run(in session: Session) throws {
    do {
      try perform(in: session)
    } catch let failure as CommandFailure {
      session.console.writeTalk(failure.rendered(as: output.format, style: session.talkStyle))
      throw ExitCode(failure.exit.rawValue)
    }
  }
}

/// What a command works with: its console, its output options, and the way to the server.
struct Session {
  let console: Console
  private let output: OutputOptions
  private let makeTransport: (ServerAddress, String?) -> any AdminTransport

  init(
    console: Console, output: OutputOptions, makeTransport: @escaping (ServerAddress, String?) -> any AdminTransport
  ) {
    self.console = console
    self.output = output
    self.makeTransport = makeTransport
  }

  var talkStyle: Style {
    Style(choice: output.colour, environment: console.environment, isTerminal: console.talkIsTerminal)
  }

  private var dataStyle: Style {
    Style(choice: output.colour, environment: console.environment, isTerminal: console.dataIsTerminal)
  }

  /// - Parameter isWhole: Nothing is cut to the width of a terminal.
  func show(_ listing: Listing, isWhole: Bool = false) {
    console.writeData(
      listing.rendered(as: output.format, width: isWhole ? nil : console.columns, style: dataStyle))
  }

  func show(_ detail: Detail) {
    console.writeData(detail.rendered(as: output.format, style: dataStyle))
  }

  /// A secret alone on its line; the whole answer where JSON was asked for.
  func show(secret: String, answer: JSONTree) {
    switch output.format {
    case .json: console.writeData(answer.pretty() + "\n")
    case .jsonl: console.writeData(answer.line + "\n")
    case .table, .csv, .name: console.writeData(secret + "\n")
    }
  }

  /// A hint for people; silent with `--quiet` and for scripts that read JSON.
  func talk(_ line: String) {
    guard !output.quiet, output.format == .table || output.format == .name else { return }
    console.talk(line)
  }

  /// - Throws: ``CommandFailure`` when the address is refused or there is no token.
  func client(_ options: ServerOptions) throws(CommandFailure) -> AdminClient {
    guard let path = options.tokenFile ?? console.environment["TORHAUS_TOKEN_FILE"], !path.isEmpty else {
      throw CommandFailure(
        .notLoggedIn, code: "no_token", "no admin token is named",
        hint: "set TORHAUS_TOKEN_FILE or give --token-file FILE ('-' reads standard input)")
    }
    return AdminClient(
      transport: makeTransport(try address(options), try TokenFile.read(path, console: console)))
  }

  /// A client that bears no token, for what is open to all.
  func anonymousClient(_ options: ServerOptions) throws(CommandFailure) -> AdminClient {
    AdminClient(transport: makeTransport(try address(options), nil))
  }

  func address(_ options: ServerOptions) throws(CommandFailure) -> ServerAddress {
    try ServerAddress(options.server ?? console.environment["TORHAUS_SERVER"] ?? ServerAddress.standard)
  }

  /// Asks before a mild danger, where there is somebody to ask; scripts are not asked.
  func confirm(_ question: String, unless yes: Bool) throws(CommandFailure) {
    guard !yes, !output.noInput, console.inputIsTerminal, console.talkIsTerminal else { return }
    console.writeTalk("\(DisplayText.escaped(question, limit: 200)) [y/N] ")
    guard let answer = console.readInput()?.lowercased(), answer == "y" || answer == "yes" else {
      throw CommandFailure(.declined, code: "declined", "nothing was changed")
    }
  }
}
