/// Reads `kind: Plans`.
struct PlansReader {
  let report: Report
  /// At most so many budgets in one plan (`design/quotas.md` section 1: 16 per request over all levels).
  static let maxBudgets = 12

  /// Fields of a plan as written; nil is "as the parent has it".
  struct Fields {
    var requests: Located<RateSpec>?
    var tokens: Located<RateSpec>?
    var concurrency: Located<Int64>?
    var budgets: Located<[Located<BudgetSpec>]>?
    var body: Located<Int64>?
    var outputTokens: Located<Int64>?
    var clamp: Located<PlanSpec.Clamp>?
  }

  /// All plans of the entries, parents first resolved.
  func plans(_ entries: [YAMLNode.Entry]) -> [String: Located<PlanSpec>] {
    var written: [String: (entry: YAMLNode.Entry, extends: Located<String>?, fields: Fields)] = [:]
    for entry in entries {
      guard let map = MapReader(entry.value, "plan '\(entry.key)'", report) else { continue }
      let extends = map.text("extends")
      written[entry.key] = (entry, extends, fields(map))
      map.finish()
    }
    var done: [String: Located<PlanSpec>] = [:]
    var underWay: Set<String> = []
    func resolve(_ name: String) -> Located<PlanSpec>? {
      if let plan = done[name] { return plan }
      guard let plan = written[name] else { return nil }
      guard underWay.insert(name).inserted else {
        report.error("plan '\(name)' extends itself", at: plan.entry.keyPlace)
        return nil
      }
      defer { underWay.remove(name) }
      var spec = PlanSpec(name: name)
      if let extends = plan.extends {
        guard let parent = resolve(extends.value) else {
          if written[extends.value] == nil {
            report.error(
              "there is no plan '\(extends.value)'", at: extends.place,
              hint: Suggestion.hint(for: extends.value, among: Array(written.keys)))
          }
          return nil
        }
        spec = parent.value
        spec.name = name
        apply(plan.fields, to: &spec, under: parent)
      } else {
        apply(plan.fields, to: &spec, under: nil)
      }
      let located = Located(value: spec, place: plan.entry.keyPlace)
      done[name] = located
      return located
    }
    for name in written.keys.sorted() { _ = resolve(name) }
    return done
  }

  func fields(_ map: MapReader) -> Fields {
    var fields = Fields()
    fields.requests = map.measured("requests", Units.rate)
    fields.tokens = map.measured("tokens", Units.rate)
    fields.concurrency = map.measured("concurrency", Units.count)
    if let node = map.node("budgets") { fields.budgets = budgets(node, map) }
    fields.body = map.measured("body", Units.size)
    fields.outputTokens = map.measured("output-tokens", Units.count)
    fields.clamp = map.word("clamp", PlanSpec.Clamp.self)
    return fields
  }

  private func budgets(_ node: YAMLNode, _ map: MapReader) -> Located<[Located<BudgetSpec>]>? {
    guard let items = report.list(node, "'budgets'", hint: "write [2M tokens/day]") else { return nil }
    if items.count > Self.maxBudgets {
      report.error("a plan has at most \(Self.maxBudgets) budgets", at: node.place)
    }
    var budgets: [Located<BudgetSpec>] = []
    for item in items {
      var kind = BudgetSpec.Kind.hard
      var text: Located<String>?
      if case .map = item.content, let inner = MapReader(item, "a budget", report) {
        for candidate in BudgetSpec.Kind.allCases {
          if let found = inner.text(candidate.rawValue) {
            if text != nil { report.error("a budget is hard, soft or shadow, not several", at: item.place) }
            kind = candidate
            text = found
          }
        }
        inner.finish()
      } else {
        text = map.scalar(item, "budgets")
      }
      guard let text, let (dimension, amount, window) = map.measured(text, "budgets", Units.budget)?.value else {
        continue
      }
      let budget = BudgetSpec(dimension: dimension, amount: amount, window: window, kind: kind)
      if budgets.contains(where: { $0.value.isSameLimit(as: budget) }) {
        report.error("the same budget stands twice", at: text.place)
      }
      budgets.append(Located(value: budget, place: text.place))
    }
    return Located(value: budgets, place: node.place)
  }

  /// Lays fields over a plan; with a parent each may only tighten.
  func apply(_ fields: Fields, to spec: inout PlanSpec, under parent: Located<PlanSpec>?) {
    func refuse(_ field: String, _ place: Place) {
      guard let parent else { return }
      report.error(
        "'\(field)' is looser than in plan '\(parent.value.name)'", at: place,
        hint: "a child can only tighten; the parent is at \(parent.place)")
    }
    if let requests = fields.requests {
      if let limit = parent?.value.requests, !requests.value.isWithin(limit) { refuse("requests", requests.place) }
      spec.requests = requests.value
    }
    if let tokens = fields.tokens {
      if let limit = parent?.value.tokens, !tokens.value.isWithin(limit) { refuse("tokens", tokens.place) }
      spec.tokens = tokens.value
    }
    if let concurrency = fields.concurrency {
      if let limit = parent?.value.concurrency, concurrency.value > limit {
        refuse("concurrency", concurrency.place)
      }
      spec.concurrency = concurrency.value
    }
    for budget in fields.budgets?.value ?? [] {
      if let limit = parent?.value.budgets.first(where: { $0.isSameLimit(as: budget.value) }),
        budget.value.amount > limit.amount
      {
        refuse("budgets", budget.place)
      }
    }
    spec.merge((fields.budgets?.value ?? []).map(\.value))
    if spec.budgets.count > Self.maxBudgets, let place = fields.budgets?.place {
      report.error("with its parent the plan has more than \(Self.maxBudgets) budgets", at: place)
    }
    if let body = fields.body {
      if let limit = parent?.value.bodyBytes, body.value > limit { refuse("body", body.place) }
      spec.bodyBytes = body.value
    }
    if let output = fields.outputTokens {
      if let limit = parent?.value.outputTokens, output.value > limit { refuse("output-tokens", output.place) }
      spec.outputTokens = output.value
    }
    if let clamp = fields.clamp { spec.clamp = clamp.value }
  }
}
