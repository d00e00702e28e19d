internal import Routing
internal import Tenancy

/// Folds every policy with its ancestors and gives what is missing its closed value.
struct PolicyResolver {
  let report: Report
  let plans: [String: Located<PlanSpec>]
  let redaction: [String: Located<RedactionProfileSpec>]
  let detection: [String: Located<DetectionProfileSpec>]
  let aliases: Set<String>
  let roles: [String: Located<Role>]
  static let maxChain = 8

  func policies(_ documents: [PolicyDocument]) -> [String: EffectivePolicy] {
    var byID: [String: PolicyDocument] = [:]
    for document in documents {
      if let first = byID[document.id.value] {
        report.error(
          "policy '\(document.id.value)' stands twice", at: document.id.place,
          hint: "the first is at \(first.id.place); a changed policy has a new version")
      } else {
        byID[document.id.value] = document
      }
    }
    var done: [String: (document: PolicyDocument, chain: [String])] = [:]
    var underWay: Set<String> = []
    func resolve(_ id: String) -> (document: PolicyDocument, chain: [String])? {
      if let folded = done[id] { return folded }
      guard let document = byID[id] else { return nil }
      guard underWay.insert(id).inserted else {
        report.error("policy '\(id)' extends itself", at: document.extends?.place ?? document.id.place)
        return nil
      }
      defer { underWay.remove(id) }
      checkReferences(document)
      var folded = (document: document, chain: [id])
      if let extends = document.extends {
        if let parent = resolve(extends.value) {
          folded = (fold(document, over: parent.document), [id] + parent.chain)
          if folded.chain.count > Self.maxChain {
            report.error("more than \(Self.maxChain) policies extend each other", at: extends.place)
          }
        } else if byID[extends.value] == nil {
          report.error(
            "there is no policy '\(extends.value)'", at: extends.place,
            hint: Suggestion.hint(for: extends.value, among: Array(byID.keys)))
        }
      }
      done[id] = folded
      return folded
    }
    var effective: [String: EffectivePolicy] = [:]
    for id in byID.keys.sorted() {
      if let (document, chain) = resolve(id) { effective[id] = closed(document, chain: chain) }
    }
    return effective
  }

  /// Names in a policy must exist, also where nothing is tightened.
  private func checkReferences(_ document: PolicyDocument) {
    func check(_ name: Located<String>?, _ what: String, _ known: some Collection<String>) {
      guard let name, !known.contains(name.value) else { return }
      report.error(
        "there is no \(what) '\(name.value)'", at: name.place,
        hint: Suggestion.hint(for: name.value, among: Array(known)))
    }
    check(document.plan, "plan", plans.keys)
    check(document.redaction, "redaction profile", redaction.keys)
    check(document.detection, "detection profile", detection.keys)
    func checkModels(_ models: Set<String>?, _ place: Place) {
      for model in (models ?? []).subtracting(aliases).sorted() {
        report.error(
          "there is no alias '\(model)'", at: place, hint: Suggestion.hint(for: model, among: Array(aliases)))
      }
    }
    if let models = document.models { checkModels(models.value, models.place) }
    for (name, narrowing) in document.roles?.value ?? [:] {
      if roles[name] == nil {
        report.error(
          "there is no role '\(name)'", at: narrowing.place, hint: Suggestion.hint(for: name, among: Array(roles.keys)))
      }
      checkModels(narrowing.value.models, narrowing.place)
    }
    for path in document.locked?.value ?? [] where path.value.hasPrefix("redaction.") {
      let rule = path.value.dropFirst("redaction.".count)
      if let profile = document.redaction, let spec = redaction[profile.value],
        !spec.value.rules.contains(where: { $0.id == rule })
      {
        report.error("profile '\(profile.value)' has no rule '\(rule)' to lock", at: path.place)
      }
    }
  }

  private func fold(_ child: PolicyDocument, over parent: PolicyDocument) -> PolicyDocument {
    let locks = Set((parent.locked?.value ?? []).map(\.value))
    let tighten = Tightening(report: report, parentID: parent.id.value, locked: locks)
    var out = child
    out.logMode = tighten.foldWords("log.mode", child.logMode, over: parent.logMode)
    out.durability = tighten.foldWords("log.durability", child.durability, over: parent.durability)
    out.contentRetention = tighten.foldDown(
      "log.retention.content", child.contentRetention, over: parent.contentRetention)
    out.metadataRetention = tighten.foldDown(
      "log.retention.metadata", child.metadataRetention, over: parent.metadataRetention)
    out.countries = tighten.foldAllowed("compliance.countries", child.countries, over: parent.countries)
    out.agreement = tighten.foldWords("compliance.agreement", child.agreement, over: parent.agreement)
    out.training = tighten.fold("compliance.training", child.training, over: parent.training) { $0 < $1 }
    out.providerRetention = tighten.foldDown(
      "compliance.retention", child.providerRetention, over: parent.providerRetention)
    out.certificates = tighten.foldRequired("compliance.certificates", child.certificates, over: parent.certificates)
    out.regimes = tighten.foldRequired("secrecy.regimes", child.regimes, over: parent.regimes)
    out.undertaking = tighten.foldWords("secrecy.undertaking", child.undertaking, over: parent.undertaking)
    out.hideTenant = tighten.foldFlag(
      "secrecy.hide-tenant-upstream", child.hideTenant, over: parent.hideTenant, tight: true)
    out.plan = foldPlan(child.plan, over: parent.plan, tighten)
    out.redaction = foldRedaction(child.redaction, over: parent.redaction, tighten)
    out.detection = foldDetection(child.detection, over: parent.detection, tighten)
    out.translation = tighten.foldWords("translation", child.translation, over: parent.translation)
    out.showProvider = tighten.foldFlag("show.provider", child.showProvider, over: parent.showProvider, tight: false)
    out.showCost = tighten.foldFlag("show.cost", child.showCost, over: parent.showCost, tight: false)
    out.showRedactions = tighten.foldFlag(
      "show.redactions", child.showRedactions, over: parent.showRedactions, tight: false)
    out.models = tighten.foldAllowed("models", child.models, over: parent.models)
    out.roles = tighten.foldRoles(child.roles, over: parent.roles)
    out.networks = tighten.foldNetworks("networks", child.networks, over: parent.networks)
    out.hours = tighten.fold("hours", child.hours, over: parent.hours) { $0.isWithin($1) }
    out.dedicatedConnections = tighten.foldFlag(
      "dedicated-connections", child.dedicatedConnections, over: parent.dedicatedConnections, tight: true)
    let mine = child.locked?.value ?? []
    let theirs = parent.locked?.value ?? []
    out.locked = (child.locked ?? parent.locked).map { Located(value: mine + theirs, place: $0.place) }
    return out
  }

  private func foldPlan(_ child: Located<String>?, over parent: Located<String>?, _ tighten: Tightening)
    -> Located<String>?
  {
    guard let child, let parent, let mine = plans[child.value], let theirs = plans[parent.value] else {
      return child ?? parent
    }
    let looser = mine.value.looserFields(than: theirs.value)
    return tighten.foldNamed("plan", child, over: parent, weaker: looser)
  }

  private func foldRedaction(_ child: Located<String>?, over parent: Located<String>?, _ tighten: Tightening)
    -> Located<String>?
  {
    guard let child, let parent, let mine = redaction[child.value]?.value, let theirs = redaction[parent.value]?.value
    else { return child ?? parent }
    for rule in theirs.rules where tighten.isLocked("redaction.\(rule.id)") {
      guard mine.rules.first(where: { $0.id == rule.id }) != rule else { continue }
      report.error(
        "'redaction.\(rule.id)' is locked by policy '\(tighten.parentID)'", at: child.place,
        hint: "profile '\(mine.name)' changes that rule; the parent's profile is at \(parent.place)")
    }
    return tighten.foldNamed("redaction", child, over: parent, weaker: mine.weakerFields(than: theirs))
  }

  private func foldDetection(_ child: Located<String>?, over parent: Located<String>?, _ tighten: Tightening)
    -> Located<String>?
  {
    guard let child, let parent, let mine = detection[child.value]?.value, let theirs = detection[parent.value]?.value
    else { return child ?? parent }
    let missing = theirs.rules.filter { rule in !mine.rules.contains(rule) }.map(\.id)
    return tighten.foldNamed("detection", child, over: parent, weaker: missing)
  }

  private func closed(_ document: PolicyDocument, chain: [String]) -> EffectivePolicy {
    EffectivePolicy(
      id: document.id.value, chain: chain, logMode: document.logMode?.value ?? .off,
      durability: document.durability?.value ?? .strict,
      contentRetentionDays: document.contentRetention?.value ?? 0,
      metadataRetentionDays: document.metadataRetention?.value ?? 0,
      compliance: ComplianceRequirement(
        countries: document.countries?.value ?? [], agreementRequired: document.agreement?.value != .optional,
        training: document.training?.value ?? .never, retentionDays: document.providerRetention?.value ?? 0,
        certificates: document.certificates?.value ?? [],
        secrecyUndertaking: document.undertaking?.value == .required),
      secrecyRegimes: document.regimes?.value ?? [], hidesTenantUpstream: document.hideTenant?.value ?? true,
      plan: document.plan.flatMap { plans[$0.value]?.value }
        ?? PlanSpec(name: "none", requests: RateSpec(count: 0, period: .minute), concurrency: 0),
      redaction: document.redaction.flatMap { redaction[$0.value]?.value } ?? Self.blockEverything,
      detection: document.detection.flatMap { detection[$0.value]?.value }
        ?? DetectionProfileSpec(name: "none", rules: []),
      strictTranslation: document.translation?.value != .loud, showsProvider: document.showProvider?.value ?? false,
      showsCost: document.showCost?.value ?? false, showsRedactions: document.showRedactions?.value ?? false,
      models: document.models?.value ?? [],
      roles: (document.roles?.value ?? [:]).mapValues(\.value), networks: document.networks?.value,
      hours: document.hours?.value, dedicatedConnections: document.dedicatedConnections?.value ?? false,
      locked: Set((document.locked?.value ?? []).map(\.value)))
  }

  /// A policy without redaction profile lets nothing through that looks like anything.
  private static let blockEverything = RedactionProfileSpec(
    name: "none",
    rules: [
      RedactionRuleSpec(
        id: "default", sides: [.input], detect: RedactionTypes.groups.map(\.name), action: .block, min: .possible)
    ])
}

extension Tightening {
  /// A named thing in place of another: allowed if nothing in it is weaker.
  func foldNamed(_ path: String, _ child: Located<String>, over parent: Located<String>, weaker: [String])
    -> Located<String>
  {
    guard child.value != parent.value else { return child }
    if isLocked(path) {
      report.error(
        "'\(path)' is locked by policy '\(parentID)'", at: child.place,
        hint: "leave it out; the parent's value is at \(parent.place)")
      return parent
    }
    guard weaker.isEmpty else {
      report.error(
        "\(path) '\(child.value)' is looser than '\(parent.value)' of policy '\(parentID)': "
          + weaker.joined(separator: ", "),
        at: child.place, hint: "a child can only tighten; the parent's value is at \(parent.place)")
      return parent
    }
    return child
  }
}
