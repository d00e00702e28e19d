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
