/// What a role may do: a set of named permissions; the empty set allows nothing.
package struct Permissions: OptionSet, Hashable, Sendable {
  package let rawValue: UInt64
  package init(rawValue: UInt64) { self.rawValue = rawValue }

  // Data plane
  package static let chat = Permissions(rawValue: 1 << 0)
  package static let embed = Permissions(rawValue: 1 << 1)
  // Reading
  package static let usageRead = Permissions(rawValue: 1 << 2)
  package static let reportsRead = Permissions(rawValue: 1 << 3)
  package static let auditRead = Permissions(rawValue: 1 << 4)
  package static let policiesRead = Permissions(rawValue: 1 << 5)
  package static let providersRead = Permissions(rawValue: 1 << 6)
  package static let alertsRead = Permissions(rawValue: 1 << 7)
  // Administration of a tenant or project
  package static let keysManage = Permissions(rawValue: 1 << 8)
  package static let projectsManage = Permissions(rawValue: 1 << 9)
  package static let usersManage = Permissions(rawValue: 1 << 10)
  package static let rolesManage = Permissions(rawValue: 1 << 11)
  package static let quotaManage = Permissions(rawValue: 1 << 12)
  package static let policiesPropose = Permissions(rawValue: 1 << 13)
  package static let reviewSign = Permissions(rawValue: 1 << 14)
  // The log
  package static let logMetadata = Permissions(rawValue: 1 << 16)
  package static let logContent = Permissions(rawValue: 1 << 17)
  package static let logExport = Permissions(rawValue: 1 << 18)
  package static let logErase = Permissions(rawValue: 1 << 19)
  // The installation
  package static let tenantsManage = Permissions(rawValue: 1 << 24)
  package static let policiesApply = Permissions(rawValue: 1 << 25)
  package static let providersManage = Permissions(rawValue: 1 << 26)
  package static let installationManage = Permissions(rawValue: 1 << 27)

  /// Every permission with its name in policies, in the order of the list above.
  package static let names: [(name: String, permission: Permissions)] = [
    ("chat", .chat), ("embed", .embed), ("usage.read", .usageRead), ("reports.read", .reportsRead),
    ("audit.read", .auditRead), ("policies.read", .policiesRead), ("providers.read", .providersRead),
    ("alerts.read", .alertsRead), ("keys.manage", .keysManage), ("projects.manage", .projectsManage),
    ("users.manage", .usersManage), ("roles.manage", .rolesManage), ("quota.manage", .quotaManage),
    ("policies.propose", .policiesPropose), ("review.sign", .reviewSign), ("log.metadata", .logMetadata),
    ("log.content", .logContent), ("log.export", .logExport), ("log.erase", .logErase),
    ("tenants.manage", .tenantsManage), ("policies.apply", .policiesApply),
    ("providers.manage", .providersManage), ("installation.manage", .installationManage),
  ]

  /// Nil for a name that is no permission.
  package init?(name: String) {
    guard let found = Self.names.first(where: { $0.name == name }) else { return nil }
    self = found.permission
  }

  /// The names of what is in the set, in the order of ``names``.
  package var nameList: [String] { Self.names.filter { contains($0.permission) }.map(\.name) }

  /// What opens prompts and answers, or destroys them. Never in a role of the installation: the operator's power over
  /// the house is no power over what was said in it.
  package static let content: Permissions = [.logContent, .logExport, .logErase]
  /// What makes sense on the installation only.
  package static let installationOnly: Permissions = [
    .tenantsManage, .policiesApply, .providersManage, .installationManage,
  ]
  /// What an API key can use on the data plane, whatever else its role holds.
  package static let ofKeys: Permissions = [.chat, .embed, .usageRead, .reportsRead]
  /// All that a tenant can give its own people.
  package static let ofTenants: Permissions = {
    var all = Permissions()
    for entry in names { all.formUnion(entry.permission) }
    return all.subtracting(installationOnly)
  }()
}
