import Foundation
import Policies
import Routing
import Tenancy
import Testing

/// The folder that is shipped beside the sources.
private var shippedFolder: String {
  URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "policies").path
}

@Test func shippedPoliciesLoadWithoutWarning() throws {
  let set = try PolicyLoader.load(folder: shippedFolder)
  #expect(set.warnings.map(\.description) == [])
  #expect(Set(set.policies.keys).isSuperset(of: ["base@1", "office@1", "fiduciary@1", "practice@1", "demo@1"]))
  #expect(set.hash.count == 64)
}

/// What `init` lays down must serve a tenant in the usual currency: nothing in it is refused where rules are compiled.
@Test func everyShippedPolicyCanBeCarriedOut() throws {
  let set = try PolicyLoader.load(folder: shippedFolder)
  for (id, policy) in set.policies {
    #expect(policy.logMode == .managed, "\(id)")
    #expect(!policy.redaction.rules.isEmpty, "\(id)")
    for rule in policy.redaction.rules {
      #expect(rule.sides == [.input], "\(id) \(rule.id)")
      #expect(rule.scope == .tenant && rule.lists.isEmpty && rule.action != .surrogate, "\(id) \(rule.id)")
      #expect(!rule.types.isEmpty && rule.types.allSatisfy(RedactionTypes.available.contains), "\(id) \(rule.id)")
    }
    for budget in policy.plan.budgets {
      if case .money(let currency) = budget.dimension { #expect(currency == "EUR", "\(id)") }
    }
  }
}

@Test func aPolicyWithoutRedactionBlocksWhatCanBeFoundAndNothingElse() throws {
  let set = try PolicyLoader.load(files: [PolicyFixture.file("kind: Policy\nid: bare@1\n")])
  let rule = try #require(set.policies["bare@1"]?.redaction.rules.first)
  #expect(Set(rule.types) == RedactionTypes.available)
  #expect(rule.sides == [.input] && rule.action == .block)
}

@Test func theExampleOfTenantsLoadsWithTheShippedPolicies() throws {
  var files: [PolicyFile] = []
  for name in try FileManager.default.contentsOfDirectory(atPath: shippedFolder).sorted() where name.contains(".yaml") {
    let bytes = try Data(contentsOf: URL(filePath: shippedFolder).appending(path: name))
    files.append(PolicyFile(name: name, bytes: Array(bytes)))
  }
  let set = try PolicyLoader.load(files: files)
  #expect(set.tenants.map(\.slug.text) == ["treuhand-a", "praxis-mueller"])
  for tenant in set.tenants {
    for budget in set.plan(of: tenant.slug, policy: tenant.policy)?.budgets ?? [] {
      if case .money(let currency) = budget.dimension { #expect(currency == tenant.currency ?? "EUR") }
    }
  }
}

@Test func shippedTestsHold() throws {
  let set = try PolicyLoader.load(folder: shippedFolder)
  #expect(set.tests.count >= 10)
  for test in set.tests { #expect(set.failure(of: test) == nil) }
}

@Test func shippedRolesOfTheOperatorOpenNoContent() throws {
  let set = try PolicyLoader.load(folder: shippedFolder)
  for role in set.roles.roles.values where role.scope == .installation {
    #expect(role.permissions.isDisjoint(with: .content), "\(role.name)")
  }
  #expect(set.roles["app"]?.permissions == [.chat, .embed])
}

@Test(arguments: ["fiduciary@1", "practice@1", "strict@1", "office@1"])
func noShippedAliasOfATenantReachesAForeignCountry(id: String) throws {
  let set = try PolicyLoader.load(folder: shippedFolder)
  let policy = try #require(set.policies[id])
  let allowed = Country.economicArea.union(try Country.expand("CH"))
  var served = 0
  for model in policy.models {
    let candidates = try? set.routes.candidates(for: model, meeting: policy.compliance, epochSeconds: 1_795_000_000)
    for candidate in candidates ?? [] {
      #expect(allowed.contains(candidate.provider.country))
      served += 1
    }
  }
  #expect(served > 0)
}

@Test func shippedDemoPolicyServesTheScriptedProvider() throws {
  let set = try PolicyLoader.load(folder: shippedFolder)
  let policy = try #require(set.policies["demo@1"])
  let candidates = try set.routes.candidates(
    for: "demo", meeting: policy.compliance, epochSeconds: 1_795_000_000)
  #expect(candidates.map(\.name) == ["mock/mock-chat"])
  #expect(policy.redaction.rules.first { $0.id == "secrets" }?.action == .mask)
  #expect(policy.plan.concurrency == 4096)
}

/// Policies know the engine by name only; this holds the two lists together.
@Test func whatIsAvailableIsWhatTheEngineFinds() throws {
  let file = URL(filePath: shippedFolder).deletingLastPathComponent().appending(
    path: "Sources/Redaction/FindingType.swift")
  let source = try String(contentsOf: file, encoding: .utf8)
  let rows = source.matches(of: /Row\("([a-z0-9-]+)", "[A-Z0-9_]+", \.([a-zA-Z]+)\)/)
  #expect(Set(rows.map { String($0.1) }) == RedactionTypes.available)
  for row in rows {
    let group = RedactionTypes.group(of: String(row.1)) ?? ""
    #expect(group.replacing("-", with: "").lowercased() == row.2.lowercased(), "\(row.1)")
  }
}
