import ArgumentParser

struct ListProviders: TorhausctlCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the providers with what they promised, their models and prices.",
    discussion: """
      A row for each model, and for each service tier and length of prompt that has a price of its own; -o json has the
      records. Prices are per million tokens; by the piece where it says so.
      """)

  @OptionGroup var server: ServerOptions
  @OptionGroup var output: OutputOptions

  func perform(in session: Session) throws {
    let providers = try session.client(server).list(["v1", "providers"])
    session.show(
      Listing(
        columns: [
          Column("PROVIDER", "provider"), Column("COUNTRY", "country"), Column("AGREEMENT", "agreement"),
          Column("CERTIFICATES", "certificates"), Column("RETENTION", "retention"), Column("TRAINING", "training"),
          Column("MODEL", "model"), Column("TIER", "tier"), Column("ABOVE", "above", .number),
          Column("INPUT", "input", .number), Column("CACHED", "cached", .number), Column("OUTPUT", "output", .number),
          Column("BY PIECE", "unit"),
          Column("CURRENCY", "currency"), Column("PRICE OF", "price_version"), Column("FAULT", "fault"),
        ], rows: providers.flatMap(Self.rows), nameMember: "provider", document: .list(providers)))
  }

  private static func rows(_ provider: JSONTree) -> [JSONTree] {
    let agreement = [provider["agreement"]["kind"].text ?? "", provider["agreement"]["expires"].text ?? ""]
    let certificates = provider["certificates"].elements.map { Cell($0["name"]).text }
    let models = provider["models"].elements
    return (models.isEmpty ? [.null] : models).flatMap { model -> [JSONTree] in
      let price = model["price"]
      let others = price["tiers"].elements
      // The price itself stands first, then what stands beside it.
      return ([price] + others).enumerated().map { index, amounts -> JSONTree in
        let usual: JSONTree = others.isEmpty ? .null : .text("default")
        return .members(
          ("provider", provider["id"]), ("country", provider["country"]),
          ("agreement", .text(agreement.filter { !$0.isEmpty }.joined(separator: " "))),
          ("certificates", .text(certificates.joined(separator: " "))),
          ("retention", .text("\(Cell(provider["retention_days"]).text)d")), ("training", provider["training"]),
          ("model", model["id"]),
          ("tier", index > 0 ? amounts["tier"] : usual),
          ("above", amounts["above_input_tokens"]), ("input", amounts["input"]), ("cached", amounts["cached"]),
          ("output", amounts["output"]), ("unit", index > 0 ? .null : unit(price["unit"])),
          ("currency", price["currency"]), ("price_version", price["version"]),
          ("fault", provider["fault"]))
      }
    }
  }

  /// `0.002 per-search`.
  private static func unit(_ price: JSONTree) -> JSONTree {
    price["unit"].text.map { .text("\(Cell(price["amount"]).text) \($0)") } ?? .null
  }
}
