internal import Cryptography
internal import Routing
internal import Tenancy

/// Turns policy files into a ``PolicySet``, or into all that is wrong with them.
public enum PolicyLoader {
  /// Reads every `*.yaml` of a folder, in the order of their names; subfolders are not looked at.
  /// - Throws: ``PolicyError``: `policy_unreadable`, or `policy_invalid` with every diagnostic.
  public static func load(folder: String) throws(PolicyError) -> PolicySet {
    try load(files: PolicyFolder.files(in: folder))
  }

  /// ``load(folder:)`` for files at hand.
  public static func load(files: [PolicyFile]) throws(PolicyError) -> PolicySet {
    try load(files: files, refusesUnavailable: true)
  }

  /// - Parameter refusesUnavailable: False only for tests of the language itself.
  static func load(files: [PolicyFile], refusesUnavailable: Bool) throws(PolicyError) -> PolicySet {
    let report = Report()
    var documents = Documents(
      report: report, availability: Availability(report: report, isEnforced: refusesUnavailable))
    for file in files {
      for node in YAMLReader.documents(file: file.name, bytes: file.bytes, report: report) { documents.add(node) }
    }
    if files.isEmpty {
      throw PolicyError(.unreadable, "there are no policy files")
    }
    let set = documents.checked(files: files)
    guard !report.hasErrors, let set else {
      let count = report.diagnostics.count { $0.severity == .error }
      throw PolicyError(
        .invalid, "the policies have \(count) error\(count == 1 ? "" : "s")", diagnostics: report.diagnostics)
    }
    return set
  }
}

/// The documents of all files, sorted by kind.
private struct Documents {
  enum Kind: String, CaseIterable {
    case catalogue = "Catalogue"
    case providers = "Providers"
    case routing = "Routing"
    case roles = "Roles"
    case plans = "Plans"
    case redaction = "Redaction"
    case detection = "Detection"
    case policy = "Policy"
    case tenants = "Tenants"
    case tests = "Tests"

    /// The one key that the kind's content stands under.
    var contentKey: String? {
      switch self {
      case .catalogue: "catalogue"
      case .providers: "providers"
      case .routing: "aliases"
      case .roles: "roles"
      case .plans: "plans"
      case .redaction, .detection: "profiles"
      case .tenants: "tenants"
      case .tests: "tests"
      case .policy: nil
      }
    }
  }

  let report: Report
  let availability: Availability
  private var contents: [Kind: [YAMLNode]] = [:]
  private var policies: [PolicyDocument] = []
  private var canonical: [String] = []

  init(report: Report, availability: Availability) {
    self.report = report
    self.availability = availability
  }

  mutating func add(_ node: YAMLNode) {
    guard let map = MapReader(node, "a document", report), let text = map.requiredText("kind"),
      let kind = map.word(text, "kind", Kind.self)?.value
    else { return }
    var form = ""
    node.writeCanonical(into: &form)
    if kind != .tests { canonical.append(form) }
    guard let key = kind.contentKey else {
      if var document = PolicyDocumentReader(report: report, availability: availability).document(map) {
        document.hash = Self.hash([form])
        policies.append(document)
      }
      return
    }
    if let content = map.required(key) { contents[kind, default: []].append(content) }
    map.finish()
  }

  /// The entries of all maps of a kind; a name stands once over all files.
  private func entries(_ kind: Kind) -> [YAMLNode.Entry] {
    var seen: [String: Place] = [:]
    var entries: [YAMLNode.Entry] = []
    for node in contents[kind] ?? [] {
      guard let map = MapReader(node, "'\(kind.contentKey ?? "")'", report) else { continue }
      for entry in map.all {
        if let first = seen[entry.key] {
          report.error("'\(entry.key)' stands twice", at: entry.keyPlace, hint: "the first is at \(first)")
        } else {
          seen[entry.key] = entry.keyPlace
          entries.append(entry)
        }
      }
    }
    return entries
  }

  func checked(files: [PolicyFile]) -> PolicySet? {
    let catalogue = Catalogue(entries(.catalogue), report: report)
    let reader = ProvidersReader(report: report)
    var providers: [Located<Provider>] = []
    for node in contents[.providers] ?? [] {
      for provider in reader.providers(node, catalogue: catalogue) {
        if let first = providers.first(where: { $0.value.id == provider.value.id }) {
          report.error(
            "provider '\(provider.value.id)' stands twice", at: provider.place, hint: "the first is at \(first.place)")
        } else {
          providers.append(provider)
        }
      }
    }
    let aliases = RoutingReader(report: report).aliases(entries(.routing), providers: providers)
    let roles = RolesReader(report: report).roles(entries(.roles))
    let plans = PlansReader(report: report).plans(entries(.plans))
    let redaction = RedactionReader(report: report, availability: availability).profiles(entries(.redaction))
    let detection = DetectionReader(report: report).profiles(entries(.detection))
    let effective = PolicyResolver(
      report: report, plans: plans, redaction: redaction, detection: detection, aliases: Set(aliases.keys),
      roles: roles
    ).policies(policies)
    checkRules(redaction, aliases: Set(aliases.keys), roles: Set(roles.keys))
    warnOfUnused(redaction: redaction, effective: effective)
    let tenants = (contents[.tenants] ?? []).flatMap { node in
      TenantsReader(report: report).tenants(node, policies: effective)
    }
    let tests = (contents[.tests] ?? []).flatMap { PolicyTestsReader(report: report).tests($0) }
    let hash = Self.hash(canonical)
    guard !hash.isEmpty else { return nil }
    return PolicySet(
      hash: hash,
      routes: RouteTable(providers: providers.map(\.value), aliases: aliases.values.map(\.value)),
      roles: RoleCatalog(roles.values.map(\.value)), plans: plans.mapValues(\.value),
      redaction: redaction.mapValues(\.value), detection: detection.mapValues(\.value), policies: effective,
      tenants: tenants, tests: tests, prices: reader.prices.all, warnings: report.diagnostics, files: files,
      documentHashes: Dictionary(policies.map { ($0.id.value, $0.hash) }, uniquingKeysWith: { first, _ in first }))
  }

  /// A rule for an alias or role that does not exist would silently never match.
  private func checkRules(
    _ profiles: [String: Located<RedactionProfileSpec>], aliases: Set<String>, roles: Set<String>
  ) {
    for (_, profile) in profiles {
      for rule in profile.value.rules {
        for alias in rule.aliases ?? [] where !aliases.contains(alias) {
          report.error(
            "rule '\(rule.id)' of profile '\(profile.value.name)' names no alias '\(alias)'", at: profile.place,
            hint: Suggestion.hint(for: alias, among: Array(aliases)))
        }
        for role in rule.roles ?? [] where !roles.contains(role) {
          report.error(
            "rule '\(rule.id)' of profile '\(profile.value.name)' names no role '\(role)'", at: profile.place,
            hint: Suggestion.hint(for: role, among: Array(roles)))
        }
      }
    }
  }

  private func warnOfUnused(
    redaction: [String: Located<RedactionProfileSpec>], effective: [String: EffectivePolicy]
  ) {
    guard !effective.isEmpty else { return }
    let used = Set(effective.values.map(\.redaction.name))
    for (name, profile) in redaction where !used.contains(name) {
      report.warn("no policy uses the redaction profile '\(name)'", at: profile.place)
    }
  }

  /// SHA-256 of the sorted canonical documents; empty only if the primitive fails.
  private static func hash(_ documents: [String]) -> String {
    let text = documents.sorted().joined(separator: "\n")
    guard let digest = try? SHA256Hasher().hash(Array(text.utf8)) else { return "" }
    return digest.bytes.map { byte in
      let digits = String(byte, radix: 16)
      return byte < 16 ? "0" + digits : digits
    }.joined()
  }
}
