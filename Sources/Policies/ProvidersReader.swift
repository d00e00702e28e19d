internal import Routing

/// Reads `kind: Providers`, the register.
struct ProvidersReader {
  let report: Report
  var prices = PriceSources()

  func providers(_ node: YAMLNode, catalogue: Catalogue) -> [Located<Provider>] {
    guard let items = report.list(node, "'providers'") else { return [] }
    return items.compactMap { provider(catalogue.completed($0)) }
  }

  private func provider(_ node: YAMLNode) -> Located<Provider>? {
    guard let map = MapReader(node, "a provider", report) else { return nil }
    let id = map.requiredText("id")
    let adapter = map.requiredText("adapter").flatMap { map.word($0, "adapter", Adapter.self) }
    let isLocal = map.flag("local")?.value ?? false
    var endpoint: Endpoint?
    if let text = map.requiredText("endpoint") {
      do throws(RoutingError) { endpoint = try Endpoint(text.value, local: isLocal) } catch {
        report.error("'\(text.value)' is no endpoint", at: text.place, hint: error.message)
      }
    }
    let credential = map.text("credential")
    if let credential, !isName(credential.value) {
      report.error(
        "a credential is given by its name", at: credential.place,
        hint: "never write the key here; the name is looked up in the credentials folder")
    }
    if credential == nil, !isLocal {
      report.error("'\(id?.value ?? "?")' needs a credential", at: map.place, hint: "credential: NAME, never the key")
    }
    var country: Country?
    if let text = map.requiredText("country") {
      do throws(RoutingError) { country = try Country(text.value) } catch {
        report.error("'\(text.value)' is no country", at: text.place, hint: error.message)
      }
    }
    let agreement = map.required("agreement").flatMap { self.agreement($0) }
    var certificates: [String: CalendarDay] = [:]
    if let node = map.node("certificates"), let inner = MapReader(node, "'certificates'", report) {
      for entry in inner.all {
        if let text = inner.scalar(entry.value, entry.key), let day = day(text) {
          certificates[entry.key.lowercased()] = day
        }
      }
    }
    let retention = map.required("retention").flatMap { map.scalar($0, "retention") }
      .flatMap { map.measured($0, "retention", Units.days) }
    let training = map.required("training").flatMap { map.scalar($0, "training") }
      .flatMap { map.word($0, "training", Training.self) }
    var models: [Model] = []
    if let node = map.required("models") {
      for item in report.list(node, "'models'") ?? [] {
        if case .scalar(let name) = item.content {
          report.error(
            "a model must be a map, not a value", at: item.place,
            hint: "\(name) alone needs a record with 'catalogue'; else write its id, max-output and price")
          continue
        }
        guard let model = model(item, adapter: adapter, of: id?.value ?? "?") else { continue }
        if models.contains(where: { $0.id == model.id }) {
          report.error("model '\(model.id)' stands twice", at: item.place)
        } else {
          models.append(model)
        }
      }
    }
    let traits = TraitsReader(report: report).traits(map, adapter: adapter)
    let timeouts = timeouts(map)
    let limits = limits(map)
    let connection = connection(map)
    let networks = NetworksReader(report: report).local(
      map, isLocal: isLocal, own: endpoint?.ownNetworks, isNeeded: endpoint != nil && map.node("proxy") == nil)
    if endpoint?.scheme == .http {
      for key in ["ca", "client-certificate", "pinned-keys"] {
        guard let node = map.node(key) else { continue }
        report.error("'\(key)' does nothing without TLS", at: node.place, hint: "use https, or leave it out")
      }
    }
    map.finish()
    guard let id, let adapter, let endpoint, let country, let agreement, let retention, let training else { return nil }
    if !isName(id.value) {
      report.error("'\(id.value)' is no id", at: id.place, hint: "1 to 63 of a–z, 0–9, - and .")
    }
    return Located(
      value: Provider(
        id: id.value, adapter: adapter.value, endpoint: endpoint, networks: networks,
        credential: credential?.value, country: country, agreement: agreement, certificates: certificates,
        retentionDays: retention.value,
        training: training.value, models: models, traits: traits, timeouts: timeouts,
        limits: limits, connection: connection),
      place: id.place)
  }

  private func agreement(_ node: YAMLNode) -> Agreement? {
    guard let map = MapReader(node, "'agreement'", report) else { return nil }
    let kind = map.requiredText("kind").flatMap { map.word($0, "kind", Agreement.Kind.self) }
    let expires = map.text("expires").flatMap { day($0) }
    let undertaking = map.flag("secrecy-undertaking")?.value ?? false
    map.finish()
    return kind.map { Agreement(kind: $0.value, expires: expires, secrecyUndertaking: undertaking) }
  }

  /// - Parameter provider: Nil where no record is read, and the price is nobody's.
  func model(_ node: YAMLNode, adapter: Located<Adapter>?, of provider: String? = nil) -> Model? {
    guard let map = MapReader(node, "a model", report) else { return nil }
    let id = map.requiredText("id")
    let maxOutput = map.measured("max-output", Units.count)?.value ?? 0
    let context = map.measured("context", Units.count)?.value
    let dimensions = map.measured("dimensions", Units.count)?.value
    let capabilities = map.texts("capabilities").map { self.capabilities($0.value) }
    let anthropicVersion = TraitsReader(report: report).anthropicVersion(map, adapter)
    let maxSeconds = map.measured("max-duration") { (text) throws(UnitError) in
      Int64(try Units.duration(text, in: 1_000...86_400_000) + 999) / 1_000
    }?.value
    let price = map.required("price").flatMap { self.price($0, writesOutput: maxOutput > 0, adapter: adapter?.value) }
    map.finish()
    guard let id, let price else { return nil }
    if let provider {
      prices.all.append(
        PriceSource(
          provider: provider, model: id.value, version: price.value.version, isFree: price.value.isFree,
          place: price.place))
    }
    let model = Model(
      id: id.value, maxOutput: maxOutput, context: context, price: price.value, dimensions: dimensions.map { Int($0) },
      capabilities: capabilities, anthropicVersion: anthropicVersion, maxSeconds: maxSeconds)
    check(model, adapter, at: price.place)
    return model
  }

  /// The whole list: what is not in it, the model cannot do.
  private func capabilities(_ words: [Located<String>]) -> ModelCapabilities {
    var all: ModelCapabilities = []
    for word in words {
      if let known = ModelCapabilities(name: word.value) {
        all.formUnion(known)
      } else {
        report.error(
          "'\(word.value)' is no capability of a model", at: word.place,
          hint: Suggestion.hint(for: word.value, among: ModelCapabilities.names.map(\.name)))
      }
    }
    return all
  }

  /// A model that is there for a route of its own is priced as that route is, and at a provider that has it.
  private func check(_ model: Model, _ adapter: Located<Adapter>?, at place: Place) {
    if let adapter, !model.routes.isEmpty, !adapter.value.hasFurtherRoutes {
      report.error(
        "the adapter '\(adapter.value.rawValue)' has no '\(model.routes.nameList.joined(separator: "', '"))'",
        at: place,
        hint: "such routes are passed through to providers that speak as OpenAI does")
    }
    if let adapter, model.capabilities?.contains(.batch) == true {
      if !adapter.value.hasBatches {
        report.error(
          "the adapter '\(adapter.value.rawValue)' has no 'batch'", at: place,
          hint: "files of requests are passed to providers that take them as OpenAI does")
      } else if !model.routes.isEmpty {
        report.error("'batch' is for models that talk or embed", at: place, hint: "leave it out")
      }
    }
    guard !model.isPriced else { return }
    let unit = model.price.unit?.unit
    if let unit, model.routes.isEmpty || !model.routes.isSubset(of: unit.routes) {
      report.error(
        "'\(unit.member)' is no price for this model", at: place,
        hint: "it is for capabilities: [\(unit.routes.nameList.joined(separator: ", "))] alone")
    } else {
      let hint =
        model.unpriced.contains(.speech)
        ? "per-1m-characters"
        : model.unpriced.contains(.imageGeneration)
          ? "per-image; or input and output, with max-output: the most tokens of one image"
          : "per-minute, with max-duration: the longest sound that it takes"
      report.error(
        "'\(model.unpriced.nameList.joined(separator: "', '"))' has no price here", at: place, hint: hint)
    }
  }

  /// A price by the piece; at most one.
  private func unit(_ map: MapReader, _ nano: (String) -> Int64?) -> UnitPrice? {
    var found: UnitPrice?
    for unit in UnitPrice.Unit.allCases {
      guard let amount = nano(unit.member) else { continue }
      if let other = found?.unit {
        report.error("'\(unit.member)' beside '\(other.member)'", at: map.place, hint: "write one of them")
      }
      found = UnitPrice(unit, amount: amount)
    }
    return found
  }

  private func price(_ node: YAMLNode, writesOutput: Bool, adapter: Adapter?) -> Located<Price>? {
    guard let map = MapReader(node, "'price'", report) else { return nil }
    let version = map.requiredText("version")
    let currency = map.requiredText("currency").flatMap { map.measured($0, "currency", Units.currency) }
    func nano(_ key: String) -> Int64? {
      guard let text = map.text(key) else { return nil }
      do throws(RoutingError) { return try Price.nano(decimal: text.value) } catch {
        report.error("'\(text.value)' is no price", at: text.place, hint: error.message)
        return nil
      }
    }
    let unit = unit(map, nano)
    for key in ["output", "tiers"] where unit != nil && map.node(key) != nil {
      report.error(
        "'\(key)' beside '\(unit?.unit.member ?? "")'", at: map.place,
        hint: "what is charged by the piece has one price, whatever the tier, and no tokens come out of it")
    }
    // Who charges by the piece may charge no tokens.
    let input = unit == nil ? map.required("input").flatMap { _ in nano("input") } : nano("input") ?? 0
    let output = nano("output")
    if writesOutput, output == nil, map.node("output") == nil {
      report.error("a model that writes needs the price of its output", at: map.place, hint: "unknown is never free")
    }
    let cached = nano("cached")
    let write5m = nano("cache-write-5m")
    let write1h = nano("cache-write-1h")
    let tiers = PriceTiersReader(report: report, writesOutput: writesOutput, adapter: adapter).tiers(map)
    map.finish()
    guard let version, let currency, let input else { return nil }
    var price = Price(
      version: version.value, currency: currency.value, input: input, cached: cached, cacheWrite5m: write5m,
      cacheWrite1h: write1h, output: output, unit: unit)
    price.tiers = tiers?.beside(price)
    return Located(value: price, place: version.place)
  }

  private func connection(_ map: MapReader) -> ProviderConnection {
    var connection = ProviderConnection()
    if let node = map.node("proxy"), let inner = MapReader(node, "'proxy'", report) {
      let url = inner.requiredText("url")
      let credential = credentialName("credential", of: inner)
      let isLocal = inner.flag("local")?.value ?? false
      _ = inner.node("networks")  // known, whatever is wrong with the address
      connection.proxyAuthorities = file("ca", of: inner)
      if let url {
        do throws(RoutingError) {
          var proxy = try ProxyEndpoint(url.value, local: isLocal, credential: credential)
          proxy.networks = NetworksReader(report: report).local(inner, isLocal: isLocal, own: proxy.ownNetworks)
          connection.proxy = proxy
        } catch {
          // The text may hold a password: it is not repeated.
          report.error("this is no address of a proxy", at: url.place, hint: error.message)
        }
      }
      inner.finish()
    }
    connection.authorities = file("ca", of: map)
    connection.clientCertificate = credentialName("client-certificate", of: map)
    connection.pinnedKeys = pins(map)
    return connection
  }

  private func pins(_ map: MapReader) -> [String] {
    guard let words = map.texts("pinned-keys") else { return [] }
    for word in words.value where !ProviderConnection.isPin(word.value) {
      report.error(
        "'\(word.value)' is no pin", at: word.place,
        hint: "write sha256// and the Base64 of the SHA-256 of the public key (SubjectPublicKeyInfo): 44 characters")
    }
    if words.value.isEmpty {
      report.error("'pinned-keys' is empty", at: words.place, hint: "name a key, better two, or leave it out")
    }
    return words.value.map(\.value)
  }

  private func file(_ key: String, of map: MapReader) -> String? {
    guard let path = map.text(key) else { return nil }
    guard path.value.hasPrefix("/"), path.value.utf8.allSatisfy({ $0 > 0x1F && $0 != 0x7F }) else {
      report.error("'\(key)' names a file", at: path.place, hint: "write its path from / on; the file is in PEM")
      return nil
    }
    return path.value
  }

  private func credentialName(_ key: String, of map: MapReader) -> String? {
    guard let name = map.text(key) else { return nil }
    guard isName(name.value) else {
      report.error(
        "'\(key)' is the name of a credential", at: name.place,
        hint: "never write a secret here; the name is looked up in torhaus.yaml")
      return nil
    }
    return name.value
  }

  private func limits(_ map: MapReader) -> ProviderLimits {
    guard let node = map.node("limits"), let inner = MapReader(node, "'limits'", report) else {
      return ProviderLimits()
    }
    let concurrency = inner.measured("concurrency") { (text) throws(UnitError) in
      guard let count = Int(text), (1...1_000_000).contains(count) else { throw UnitError(hint: "1 to 1000000") }
      return count
    }
    inner.finish()
    return ProviderLimits(concurrency: concurrency?.value)
  }

  private func timeouts(_ map: MapReader) -> ProviderTimeouts {
    guard let node = map.node("timeouts"), let inner = MapReader(node, "'timeouts'", report) else {
      return ProviderTimeouts()
    }
    func read(_ key: String, _ range: ClosedRange<Int>) -> Int? {
      inner.measured(key) { (text) throws(UnitError) in try Units.duration(text, in: range) }?.value
    }
    let answer = ProviderTimeouts.answerRange
    let timeouts = ProviderTimeouts(
      connect: read("connect", ProviderTimeouts.connectRange), firstByte: read("first-byte", answer),
      idle: read("idle", answer), total: read("total", answer))
    inner.finish()
    return timeouts
  }

  private func day(_ text: Located<String>) -> CalendarDay? {
    do throws(RoutingError) { return try CalendarDay(text.value) } catch {
      report.error("'\(text.value)' is no date", at: text.place, hint: "write YYYY-MM-DD")
      return nil
    }
  }

  private func isName(_ text: String) -> Bool {
    (1...63).contains(text.utf8.count)
      && text.utf8.allSatisfy {
        (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x2E
      }
  }
}
