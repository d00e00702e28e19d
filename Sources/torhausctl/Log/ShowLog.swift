import ArgumentParser

struct ShowLog: TorhausctlCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show one request; with --reason its content too.",
    discussion: """
      The id is the x-request-id of the answer. Content needs the permission log.content in the tenant; each opening is
      an audit record with the reason (10 characters or more).
      """)

  @Argument(help: "The x-request-id of the answer.") var id: String
  @OptionGroup var tenant: TenantOptions
  @Option(help: "Why the content must be read.") var reason: String?
  @OptionGroup var server: ServerOptions
  @OptionGroup var output: OutputOptions

  func perform(in session: Session) throws {
    let client = try session.client(server)
    guard let reason else {
      show(try client.get(tenant.path("log", id)), in: session)
      return
    }
    let answer = try client.post(tenant.path("log", id, "content"), .members(("reason", .text(reason))))
    guard output.format == .table else {
      session.show(Detail(fields: LogCommand.columns, value: answer, nameMember: "request_id"))
      return
    }
    show(answer["entry"], in: session)
    for part in ["request", "response"] {
      let text = answer[part]["text"].text ?? answer[part]["base64"].text ?? ""
      session.console.writeData("\n\(part):\n\(DisplayText.escapedLines(text))\n")
    }
  }

  private func show(_ entry: JSONTree, in session: Session) {
    session.show(Detail(fields: LogCommand.columns, value: entry, nameMember: "request_id"))
  }
}
