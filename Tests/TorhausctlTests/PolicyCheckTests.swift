import Foundation
import Testing

@testable import torhausctl

struct PolicyCheckTests {
  private func withFolder(_ files: [String: String], _ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("policy-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (name, text) in files {
      try text.write(to: folder.appendingPathComponent(name), atomically: true, encoding: .utf8)
    }
    try body(folder.path)
  }

  @Test func goodPoliciesPassWithoutServerOrToken() throws {
    try withFolder(["roles.yaml": "kind: Roles\nroles:\n  auditor: {scope: tenant, can: [log.metadata]}\n"]) { folder in
      let run = Run("policy", "check", folder, environment: [:])
      #expect(run.exit == 0, "\(run.talk)")
      #expect(run.data.contains("auditor"))
      #expect(run.requests.isEmpty)
    }
  }

  @Test func anErrorNamesItsPlace() throws {
    try withFolder(["roles.yaml": "kind: Roles\nroles:\n  auditor: {scope: tenant, can: [log.metadat]}\n"]) { folder in
      let run = Run("policy", "check", folder)
      #expect(run.exit == 1)
      #expect(run.data.isEmpty)
      #expect(run.talk.hasPrefix("error: "))
      #expect(run.talk.contains("  --> roles.yaml:3:"), "\(run.talk)")
    }
  }

  @Test func aHostileFileIsToldWithoutItsControlCharacters() throws {
    try withFolder(["roles.yaml": "kind: Roles\nroles:\n  \"a\\e[31mb\": {scope: tenant, can: [x]}\n"]) { folder in
      let run = Run("policy", "check", folder)
      #expect(run.exit == 1)
      #expect(!run.talk.contains("\u{1B}"))
    }
  }

  @Test func whatIsNotThereIsAFailure() {
    let run = Run("policy", "check", "/nonexistent/policies", "-o", "json")
    #expect(run.exit == 1)
    #expect(run.talk.contains(#""code":"not_found""#))
  }
}
