import ArgumentParser

struct CheckProviders: TorhausctlCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Ask providers for their models, by the server's own way and credentials.",
    discussion: """
      No content is sent. Ends with 1 when a provider does not answer, refuses the credential, or lacks a model of the
      register. Example: torhausctl provider check openai-eu
      """)

  @Argument(help: "As 'provider list' prints them; all without any.") var ids: [String] = []
  @OptionGroup var server: ServerOptions
  @OptionGroup var output: OutputOptions

  func perform(in session: Session) throws {
    let client = try session.client(server)
    let names = ids.isEmpty ? try client.list(["v1", "providers"]).compactMap { $0["id"].text } : ids
    var rows: [JSONTree] = []
    for name in names {
      session.talk("asking \(name)")
      rows.append(try client.post(["v1", "providers", name, "check"]))
    }
    session.show(
      Listing(
        columns: [
          Column("PROVIDER", "provider"), Column("OUTCOME", "outcome", words: Self.words),
          Column("STATUS", "status", .number), Column("MS", "milliseconds", .number), Column("MISSING", "missing"),
          Column("DETAIL", "detail"),
        ], rows: rows, nameMember: "provider"))
    let bad = rows.count { $0["good"] != .boolean(true) }
    guard bad > 0 else { return }
    throw CommandFailure(.failed, code: "checks_failed", "\(bad) of \(rows.count) providers are not well")
  }

  private static let words = [
    "models_missing": "models missing", "no_list": "answers, no list", "credential_missing": "no usable credential",
    "credential_refused": "credential refused", "rate_limited": "rate limited", "not_callable": "not callable",
  ]
}
