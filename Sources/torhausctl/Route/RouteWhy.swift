import ArgumentParser
import Tenancy

struct RouteWhy: TorhausctlCommand {
  static let configuration = CommandConfiguration(
    commandName: "why",
    abstract: "Say for each candidate of an alias whether it may serve a tenant, and by which rule not.",
    discussion: """
      Nothing is sent. MOST is what the request can cost at most, in the tenant's currency.
      Example: torhausctl route why --tenant mandant-a --model chat --tokens 20000 --needs tools,images
      """)

  @OptionGroup var tenant: TenantOptions
  @Option(help: ArgumentHelp("The alias, as applications name it.", valueName: "alias")) var model: String
  @Option(help: ArgumentHelp("Whether its keys may use the alias, too.", valueName: "slug")) var project: Slug?
  @Option(help: ArgumentHelp("Whether this key may use the alias, too.", valueName: "id")) var key: KeyID?
  @Option(help: ArgumentHelp("Of the prompt; 1000 without.", valueName: "n")) var tokens: Int64?
  @Option(help: ArgumentHelp("images, audio, files, tools, json-schema, reasoning; with commas.", valueName: "list"))
  var needs: String?
  @Option(help: ArgumentHelp("The service tier that the request names: default, flex, priority, …", valueName: "tier"))
  var tier: String?
  @OptionGroup var server: ServerOptions
  @OptionGroup var output: OutputOptions

  func perform(in session: Session) throws {
    let answer = try session.client(server).get(
      tenant.path("route"),
      query: [
        ("alias", model), ("project", project?.text), ("key", key?.description), ("tokens", tokens.map { "\($0)" }),
        ("needs", needs), ("tier", tier),
      ])
    session.talk("policy \(Cell(answer["policy"]).text), order \(Cell(answer["order"]).text)")
    if let rule = answer["rule"].text {
      session.talk("the alias is not the tenant's (rule \(rule)): its clients read 404")
    }
    for caller in answer["callers"].elements {
      let name = "\(Cell(caller["name"]).text) (\(Cell(caller["role"]).text))"
      session.talk(caller["rule"].text.map { "key \(name) may not (rule \($0))" } ?? "key \(name) may use it")
    }
    let currency = answer["currency"]
    session.show(
      Listing(
        columns: [
          Column("CANDIDATE", "candidate"), Column("COUNTRY", "country"), Column("VERDICT", "verdict"),
          Column("RULE", "rule"), Column("MOST", "most", .number), Column("CURRENCY", "currency"),
          Column("TIERS", "tiers"),
          Column("DETAIL", "detail"),
        ],
        rows: answer["candidates"].elements.map { candidate in
          .members(
            ("candidate", .text("\(Cell(candidate["provider"]).text)/\(Cell(candidate["model"]).text)")),
            ("country", candidate["country"]), ("verdict", candidate["verdict"]), ("rule", candidate["rule"]),
            ("most", candidate["most"]), ("currency", candidate["most"].isNull ? .null : currency),
            ("tiers", .text(candidate["tiers"].elements.map { Cell($0).text }.joined(separator: ", "))),
            ("detail", candidate["detail"]))
        }, nameMember: "candidate", document: answer))
  }
}
