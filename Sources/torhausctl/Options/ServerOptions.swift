import ArgumentParser

/// Where the Admin API is, and as whom to speak to it.
struct ServerOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The Admin API; else TORHAUS_SERVER, else \(ServerAddress.standard).", valueName: "url"))
  var server: String?

  @Option(
    help: ArgumentHelp(
      "File that holds the admin token, - for standard input; else TORHAUS_TOKEN_FILE.", valueName: "file"))
  var tokenFile: String?
}
