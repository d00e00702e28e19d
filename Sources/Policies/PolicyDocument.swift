internal import Routing
public import Tenancy

/// Closed words of a policy, each list from loose to tight.
public enum LogMode: String, Sendable, CaseIterable {
  /// Sealed; the installation's key provider can open it.
  case managed
  /// Sealed to the tenant's own key only.
  case writeOnly = "write-only"
  /// Metadata only.
  case off
}

public enum LogDurability: String, Sendable, CaseIterable { case buffered, strict }

enum Translation: String, CaseIterable { case loud, strict }

enum Demand: String, CaseIterable { case optional, required }

/// How a policy narrows a role; nil is "as the role has it".
public struct RoleNarrowing: Hashable, Sendable {
  public var models: Set<String>?
  public var networks: [Network]?
  public var hours: Hours?

  public init(models: Set<String>? = nil, networks: [Network]? = nil, hours: Hours? = nil) {
    self.models = models
    self.networks = networks
    self.hours = hours
  }
}

/// A `kind: Policy` document as written; what is nil was not said.
struct PolicyDocument {
  var id: Located<String>
  var extends: Located<String>?
  var logMode: Located<LogMode>?
  var durability: Located<LogDurability>?
  var contentRetention: Located<Int>?
  var metadataRetention: Located<Int>?
  var countries: Located<Set<Country>>?
  var agreement: Located<Demand>?
  var training: Located<Training>?
  var providerRetention: Located<Int>?
  var certificates: Located<Set<String>>?
  var regimes: Located<Set<String>>?
  var undertaking: Located<Demand>?
  var hideTenant: Located<Bool>?
  var plan: Located<String>?
  var redaction: Located<String>?
  var detection: Located<String>?
  var translation: Located<Translation>?
  var showProvider: Located<Bool>?
  var showCost: Located<Bool>?
  var showRedactions: Located<Bool>?
  var models: Located<Set<String>>?
  var roles: Located<[String: Located<RoleNarrowing>]>?
  var networks: Located<[Network]>?
  var hours: Located<Hours>?
  var dedicatedConnections: Located<Bool>?
  var locked: Located<[Located<String>]>?
  var hash: String = ""
}

/// Reads `kind: Policy`.
struct PolicyDocumentReader {
  let report: Report
  let availability: Availability

  /// Every path that `locked` may name; also a prefix of one, and `redaction.RULE`.
  static let paths = [
    "log.mode", "log.durability", "log.retention.content", "log.retention.metadata", "compliance.countries",
    "compliance.agreement", "compliance.training", "compliance.retention", "compliance.certificates",
    "secrecy.regimes", "secrecy.undertaking", "secrecy.hide-tenant-upstream", "plan", "redaction", "detection",
    "translation", "show.provider", "show.redactions", "models", "roles", "networks", "hours",
    "dedicated-connections",
  ]

  static let regimes = [
    "stgb-203", "stberg-62a", "brao-43a", "wpo-43", "ch-stgb-321", "ch-bankg-47", "at-stgb-121", "gdpr-art9",
  ]

  /// - Parameter map: The document, its `kind` already read.
  func document(_ map: MapReader) -> PolicyDocument? {
    guard let id = map.requiredText("id") else { return nil }
    if !Self.isReference(id.value) {
      report.error("'\(id.value)' is no policy id", at: id.place, hint: "write name@version: base@3")
    }
    var document = PolicyDocument(id: id)
    if let extends = map.text("extends") {
      if Self.isReference(extends.value) {
        document.extends = extends
      } else {
        report.error(
          "'\(extends.value)' names no version", at: extends.place, hint: "pin it: \(extends.value)@VERSION")
      }
    }
    _ = map.node("about")
    if let node = map.node("log") { log(node, into: &document) }
    if let node = map.node("compliance") { compliance(node, into: &document) }
    if let node = map.node("secrecy") { secrecy(node, into: &document) }
    document.plan = map.text("plan")
    document.redaction = map.text("redaction")
    document.detection = map.text("detection")
    document.translation = map.word("translation", Translation.self)
    if let node = map.node("show"), let show = MapReader(node, "'show'", report) {
      document.showProvider = show.flag("provider")
      document.showCost = show.flag("cost")
      document.showRedactions = show.flag("redactions")
      show.finish()
    }
    document.models = set(map, "models")
    if let node = map.node("roles") { document.roles = roles(node) }
    document.networks = NetworksReader(report: report).networks(map)
    document.hours = map.measured("hours", Hours.init(parsing:))
    document.dedicatedConnections = map.flag("dedicated-connections")
    document.locked = map.texts("locked")
    for path in document.locked?.value ?? [] { checkPath(path) }
    map.finish()
    return document
  }

  /// `name@version`.
  static func isReference(_ text: String) -> Bool {
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    return parts.count == 2 && Slug(String(parts[0])) != nil && (1...9).contains(parts[1].utf8.count)
      && parts[1].utf8.allSatisfy { (0x30...0x39).contains($0) } && parts[1].first != "0"
  }

  private func log(_ node: YAMLNode, into document: inout PolicyDocument) {
    guard let map = MapReader(node, "'log'", report) else { return }
    document.logMode = map.word("mode", LogMode.self)
    if let mode = document.logMode { availability.check(logMode: mode) }
    document.durability = map.word("durability", LogDurability.self)
    if let inner = map.node("retention"), let retention = MapReader(inner, "'retention'", report) {
      document.contentRetention = retention.measured("content", Units.days)
      document.metadataRetention = retention.measured("metadata", Units.days)
      retention.finish()
    }
    map.finish()
  }

  private func compliance(_ node: YAMLNode, into document: inout PolicyDocument) {
    guard let map = MapReader(node, "'compliance'", report) else { return }
    if let words = map.texts("countries") {
      var countries = Set<Country>()
      for word in words.value {
        do throws(RoutingError) { countries.formUnion(try Country.expand(word.value)) } catch {
          report.error("'\(word.value)' is no country or group", at: word.place, hint: "EU, EEA, DACH or a code as CH")
        }
      }
      document.countries = Located(value: countries, place: words.place)
    }
    document.agreement = map.word("agreement", Demand.self)
    document.training = map.word("training", Training.self)
    document.providerRetention = map.measured("retention", Units.days)
    document.certificates = set(map, "certificates").map {
      Located(value: Set($0.value.map { $0.lowercased() }), place: $0.place)
    }
    map.finish()
  }

  private func secrecy(_ node: YAMLNode, into document: inout PolicyDocument) {
    guard let map = MapReader(node, "'secrecy'", report) else { return }
    if let words = map.texts("regimes") {
      for word in words.value where !Self.regimes.contains(word.value) {
        report.error(
          "'\(word.value)' is no secrecy regime", at: word.place,
          hint: Suggestion.hint(for: word.value, among: Self.regimes))
      }
      document.regimes = Located(value: Set(words.value.map(\.value)), place: words.place)
    }
    document.undertaking = map.word("undertaking", Demand.self)
    document.hideTenant = map.flag("hide-tenant-upstream")
    map.finish()
  }

  private func set(_ map: MapReader, _ key: String) -> Located<Set<String>>? {
    map.texts(key).map { Located(value: Set($0.value.map(\.value)), place: $0.place) }
  }

  private func roles(_ node: YAMLNode) -> Located<[String: Located<RoleNarrowing>]>? {
    guard let map = MapReader(node, "'roles'", report) else { return nil }
    var roles: [String: Located<RoleNarrowing>] = [:]
    for entry in map.all {
      guard let inner = MapReader(entry.value, "role '\(entry.key)'", report) else { continue }
      let narrowing = RoleNarrowing(
        models: set(inner, "models")?.value, networks: NetworksReader(report: report).networks(inner)?.value,
        hours: inner.measured("hours", Hours.init(parsing:))?.value)
      inner.finish()
      roles[entry.key] = Located(value: narrowing, place: entry.keyPlace)
    }
    return Located(value: roles, place: node.place)
  }

  private func checkPath(_ path: Located<String>) {
    let known =
      Self.paths.contains { $0 == path.value || $0.hasPrefix(path.value + ".") }
      || path.value.hasPrefix("redaction.") || path.value.hasPrefix("roles.")
    if !known {
      report.error(
        "there is no value '\(path.value)' to lock", at: path.place,
        hint: Suggestion.nearest(to: path.value, among: Self.paths).map { "did you mean '\($0)'?" })
    }
  }
}
