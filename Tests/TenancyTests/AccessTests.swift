import Tenancy
import Testing

private let tenantA = TenantID(1)
private let tenantB = TenantID(2)
private let projectA1 = ProjectID(11)
private let projectA2 = ProjectID(12)
private let eva = UserID(100)
private let max = UserID(101)

private func catalog() throws -> RoleCatalog {
  RoleCatalog([
    try Role(name: "clerk", scope: .project, permissions: [.chat]),
    try Role(name: "partner", scope: .tenant, permissions: [.chat, .reportsRead, .keysManage]),
    try Role(name: "admin", scope: .tenant, permissions: [.chat, .reportsRead, .rolesManage, .keysManage]),
    try Role(name: "privacy", scope: .tenant, permissions: [.logContent, .logMetadata]),
    try Role(
      name: "operator", scope: .installation, permissions: [.tenantsManage, .logMetadata, .rolesManage, .chat]),
  ])
}

private func binding(_ role: String, _ scope: Scope, user: UserID = eva, expires: Int64? = nil, id: UInt128 = 1)
  -> RoleBinding
{
  RoleBinding(id: BindingID(id), user: user, role: role, scope: scope, reason: "test", expires: expires, grantedAt: 0)
}

private struct Case: Sendable, CustomStringConvertible {
  let description: String
  let held: [RoleBinding]
  let asked: Permissions
  let at: Scope
  let allowed: Bool
  var rule = "default"
}

private let matrix: [Case] = [
  Case(description: "no binding", held: [], asked: .chat, at: .tenant(tenantA), allowed: false),
  Case(
    description: "own project", held: [binding("clerk", .project(tenantA, projectA1))], asked: .chat,
    at: .project(tenantA, projectA1), allowed: true),
  Case(
    description: "other project of the tenant", held: [binding("clerk", .project(tenantA, projectA1))], asked: .chat,
    at: .project(tenantA, projectA2), allowed: false, rule: "tenant-scope"),
  Case(
    description: "a project's role does not hold for the tenant",
    held: [binding("clerk", .project(tenantA, projectA1))], asked: .chat, at: .tenant(tenantA), allowed: false,
    rule: "tenant-scope"),
  Case(
    description: "a tenant's role holds in its projects", held: [binding("partner", .tenant(tenantA))], asked: .chat,
    at: .project(tenantA, projectA2), allowed: true),
  Case(
    description: "and nowhere else", held: [binding("partner", .tenant(tenantA))], asked: .reportsRead,
    at: .tenant(tenantB), allowed: false, rule: "tenant-scope"),
  Case(
    description: "the same project id under another tenant", held: [binding("clerk", .project(tenantA, projectA1))],
    asked: .chat, at: .project(tenantB, projectA1), allowed: false, rule: "tenant-scope"),
  Case(
    description: "what the role lacks", held: [binding("clerk", .project(tenantA, projectA1))], asked: .embed,
    at: .project(tenantA, projectA1), allowed: false),
  Case(
    description: "all of what is asked", held: [binding("partner", .tenant(tenantA))], asked: [.chat, .logContent],
    at: .tenant(tenantA), allowed: false),
  Case(
    description: "together two bindings suffice",
    held: [binding("partner", .tenant(tenantA)), binding("privacy", .tenant(tenantA), id: 2)],
    asked: [.chat, .logContent], at: .tenant(tenantA), allowed: true),
  Case(
    description: "nothing asked is nothing allowed", held: [binding("partner", .tenant(tenantA))], asked: [],
    at: .tenant(tenantA), allowed: false),
  Case(
    description: "a role bound wider than it was made for counts nowhere", held: [binding("clerk", .tenant(tenantA))],
    asked: .chat, at: .tenant(tenantA), allowed: false),
  Case(
    description: "an unknown role", held: [binding("ghost", .tenant(tenantA))], asked: .chat, at: .tenant(tenantA),
    allowed: false),
  Case(
    description: "the operator on the installation", held: [binding("operator", .installation)],
    asked: .tenantsManage, at: .installation, allowed: true),
  Case(
    description: "the operator sees a tenant's metadata", held: [binding("operator", .installation)],
    asked: .logMetadata, at: .tenant(tenantA), allowed: true),
  Case(
    description: "the operator never sees content", held: [binding("operator", .installation)], asked: .logContent,
    at: .tenant(tenantA), allowed: false),
  Case(
    description: "a tenant's role on the installation", held: [binding("privacy", .installation)], asked: .logContent,
    at: .tenant(tenantA), allowed: false),
  Case(
    description: "a tenant's role never reaches the installation", held: [binding("admin", .tenant(tenantA))],
    asked: .rolesManage, at: .installation, allowed: false, rule: "tenant-scope"),
  Case(
    description: "before its end", held: [binding("partner", .tenant(tenantA), expires: 51)], asked: .chat,
    at: .tenant(tenantA), allowed: true),
  Case(
    description: "at its end", held: [binding("partner", .tenant(tenantA), expires: 50)], asked: .chat,
    at: .tenant(tenantA), allowed: false),
]

@Test(arguments: matrix)
private func accessFollowsTheMatrix(row: Case) throws {
  let decision = Access(catalog: try catalog()).decide(row.asked, at: row.at, bindings: row.held, now: 50)
  #expect(decision.isAllowed == row.allowed)
  if !row.allowed { #expect(decision == .denied(rule: row.rule)) }
}

@Test func theBindingNamedInADecisionCarriesWhatWasAsked() throws {
  let held = [binding("privacy", .tenant(tenantB), id: 5), binding("partner", .tenant(tenantA), id: 6)]
  #expect(
    Access(catalog: try catalog()).decide(.chat, at: .tenant(tenantA), bindings: held, now: 0)
      == .allowed(BindingID(6)))
}

@Test func rolesKeepContentAndInstallationApart() {
  for permission in [Permissions.logContent, .logExport, .logErase] {
    #expect(throws: TenancyError.self) {
      try Role(name: "x", scope: .installation, permissions: [.chat, permission])
    }
  }
  for permission in [Permissions.tenantsManage, .installationManage, .policiesApply, .providersManage] {
    #expect(throws: TenancyError.self) { try Role(name: "x", scope: .tenant, permissions: permission) }
    #expect(throws: TenancyError.self) { try Role(name: "x", scope: .project, permissions: permission) }
  }
}

@Test func permissionNamesAreUniqueAndReadBack() {
  #expect(Set(Permissions.names.map(\.name)).count == Permissions.names.count)
  #expect(Set(Permissions.names.map(\.permission)).count == Permissions.names.count)
  for entry in Permissions.names { #expect(Permissions(name: entry.name) == entry.permission) }
  #expect(Permissions(name: "log.contents") == nil)
  #expect(Permissions([.chat, .logErase]).nameList == ["chat", "log.erase"])
}

private func grantCode(
  _ role: String, at scope: Scope = .tenant(tenantA), to receiver: UserID = max, holding: [RoleBinding]
) throws -> TenancyError.Code? {
  do throws(TenancyError) {
    try Access(catalog: try unwrapped()).checkGrant(
      of: role, at: scope, to: receiver, by: eva, holding: holding, now: 0)
    return nil
  } catch { return error.code }
}

private func unwrapped() throws(TenancyError) -> RoleCatalog {
  do { return try catalog() } catch { throw TenancyError(.invalid, "catalog") }
}

@Test func anAdministratorGrantsWhatTheyHold() throws {
  #expect(try grantCode("partner", holding: [binding("admin", .tenant(tenantA))]) == nil)
}

@Test func nobodyGrantsMoreThanTheyHold() throws {
  #expect(try grantCode("privacy", holding: [binding("admin", .tenant(tenantA))]) == .forbidden)
}

@Test func nobodyChangesTheirOwnBindings() throws {
  #expect(try grantCode("clerk", to: eva, holding: [binding("admin", .tenant(tenantA))]) == .forbidden)
}

@Test func grantingNeedsRolesManageAtThatPlace() throws {
  #expect(try grantCode("clerk", holding: [binding("partner", .tenant(tenantA))]) == .invalid)
  #expect(
    try grantCode("clerk", at: .project(tenantA, projectA1), holding: [binding("partner", .tenant(tenantA))])
      == .forbidden)
  #expect(try grantCode("partner", at: .tenant(tenantB), holding: [binding("admin", .tenant(tenantA))]) == .forbidden)
}

@Test func othersBindingsLendNothing() throws {
  #expect(try grantCode("partner", holding: [binding("admin", .tenant(tenantA), user: max)]) == .forbidden)
}

@Test func theOperatorCannotGrantContent() throws {
  #expect(try grantCode("privacy", holding: [binding("operator", .installation)]) == .forbidden)
}

@Test func aRoleIsNotBoundWiderThanItWasMadeFor() throws {
  #expect(try grantCode("clerk", at: .installation, holding: [binding("operator", .installation)]) == .invalid)
  #expect(try grantCode("ghost", holding: [binding("admin", .tenant(tenantA))]) == .notFound)
}
