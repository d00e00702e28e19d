internal import Foundation
internal import Tenancy

/// A case of a `kind: Tests` document.
public struct PolicyTestCase: Hashable, Sendable {
  public enum Expectation: String, Sendable, CaseIterable { case allow, deny }

  public let name: String
  public let place: Place
  /// A tenant of `tenants.yaml`; nil where the case names a policy instead.
  public let tenant: String?
  public let policy: String?
  public let role: String
  /// The permission asked for.
  public let permission: String
  /// Another tenant's name, where the act aims at one.
  public let target: String?
  public let model: String?
  /// Seconds since 1970; nil: a Wednesday at noon in UTC.
  public let at: Int64?
  public let address: String?
  public let expect: Expectation
  public let rule: String?
  /// A text to send; what must be missing, present and found in what would go upstream is checked by the gateway.
  public let input: String?
  public let upstreamLacks: String?
  public let upstreamHas: String?
  public let finds: [String: Int]
}

/// Reads `kind: Tests`.
struct PolicyTestsReader {
  let report: Report

  func tests(_ node: YAMLNode) -> [PolicyTestCase] {
    guard let items = report.list(node, "'tests'") else { return [] }
    return items.compactMap { test($0) }
  }

  private func test(_ node: YAMLNode) -> PolicyTestCase? {
    guard let map = MapReader(node, "a test", report) else { return nil }
    let name = map.requiredText("name")
    var tenant: Located<String>?
    var policy: Located<String>?
    var role: Located<String>?
    if let node = map.required("as"), let who = MapReader(node, "'as'", report) {
      policy = who.text("policy")
      tenant = policy == nil ? who.requiredText("tenant") : nil
      role = who.requiredText("role")
      who.finish()
    }
    let permission = map.requiredText("do")
    if let permission, Permissions(name: permission.value) == nil {
      report.error(
        "there is no permission '\(permission.value)'", at: permission.place,
        hint: Suggestion.nearest(to: permission.value, among: Permissions.names.map(\.name)).map {
          "did you mean '\($0)'?"
        })
    }
    let target = map.text("target")?.value
    let model = map.text("model")?.value
    let at = map.measured("at", Self.instant)?.value
    let address = map.text("from")
    if let address, NetworkAddress(address.value) == nil {
      report.error("'\(address.value)' is no address", at: address.place)
    }
    let expect = map.requiredText("expect").flatMap { map.word($0, "expect", PolicyTestCase.Expectation.self) }
    let rule = map.text("rule")?.value
    let input = map.text("input")?.value
    let lacks = map.text("upstream-lacks")?.value
    let has = map.text("upstream-has")?.value
    var finds: [String: Int] = [:]
    if let node = map.node("finds"), let inner = MapReader(node, "'finds'", report) {
      for entry in inner.all {
        if let count = inner.scalar(entry.value, entry.key).flatMap({ inner.measured($0, entry.key, Units.count) }) {
          finds[entry.key] = Int(count.value)
        }
      }
    }
    map.finish()
    guard let name, let role, tenant != nil || policy != nil, let permission, let expect else { return nil }
    return PolicyTestCase(
      name: name.value, place: map.place, tenant: tenant?.value, policy: policy?.value, role: role.value,
      permission: permission.value,
      target: target, model: model, at: at, address: address?.value, expect: expect.value, rule: rule, input: input,
      upstreamLacks: lacks, upstreamHas: has, finds: finds)
  }

  /// RFC 3339 with or without seconds.
  private static func instant(_ text: String) throws(UnitError) -> Int64 {
    let strategy = Date.ISO8601FormatStyle()
    var full = text
    if let separator = text.firstIndex(of: "T") {
      let time = text[text.index(after: separator)...]
      if time.prefix(while: { $0.isNumber || $0 == ":" }).utf8.count == 5 {
        full = text[...separator] + time.prefix(5) + ":00" + time.dropFirst(5)
      }
    }
    guard let date = try? strategy.parse(full), abs(date.timeIntervalSince1970) < 1e11 else {
      throw UnitError(hint: "write it as in 2026-11-23T10:00+01:00")
    }
    return Int64(date.timeIntervalSince1970)
  }
}

extension PolicySet {
  /// Runs the part of a test that policies alone decide; nil if it holds, else what happened instead.
  ///
  /// What would go upstream (`upstream-lacks`, `upstream-has`, `finds`) needs the redaction engine: the gateway checks it.
  public func failure(of test: PolicyTestCase) -> PolicyDiagnostic? {
    func fail(_ why: String) -> PolicyDiagnostic {
      PolicyDiagnostic(.error, "test '\(test.name)' failed: \(why)", at: test.place)
    }
    let tenant = test.tenant.flatMap { name in tenants.first { $0.slug.text == name } }
    guard let id = test.policy ?? tenant?.policy else { return fail("there is no tenant '\(test.tenant ?? "")'") }
    guard let policy = policies[id], let needed = Permissions(name: test.permission) else {
      return fail("there is no policy '\(id)'")
    }
    let decision: PolicyDecision
    if let target = test.target, target != test.tenant {
      decision = .denied(rule: "tenant-scope")
    } else {
      decision = policy.decide(
        role: test.role, held: roles[test.role]?.permissions ?? [], needed: needed, alias: test.model,
        address: test.address.flatMap { NetworkAddress($0) }, epochSeconds: test.at ?? 1_795_003_200,
        zone: tenant?.timeZone ?? "UTC")
    }
    switch (decision, test.expect) {
    case (.allowed, .allow): return nil
    case (.allowed, .deny): return fail("allowed, not denied")
    case (.denied(let rule), .allow): return fail("denied by \(rule), not allowed")
    case (.denied(let rule), .deny):
      guard let expected = test.rule, expected != rule else { return nil }
      return fail("denied by \(rule), not by \(expected)")
    }
  }
}
