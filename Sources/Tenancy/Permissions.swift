/// What a role may do: a set of named permissions; the empty set allows nothing.
public struct Permissions: OptionSet, Hashable, Sendable {
  public let rawValue: UInt64
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  // Data plane
  public static let chat = Permissions(rawValue: 1 << 0)
  public static let embed = Permissions(rawValue: 1 << 1)
  // Reading
  public static let usageRead = Permissions(rawValue: 1 << 2)
  public static let reportsRead = Permissions(rawValue: 1 << 3)
  public static let auditRead = Permissions(rawValue: 1 << 4)
  public static let policiesRead = Permissions(rawValue: 1 << 5)
  public static let providersRead = Permissions(rawValue: 1 << 6)
  public static let alertsRead = Permissions(rawValue: 1 << 7)
  // Administration of a tenant or project
  public static let keysManage = Permissions(rawValue: 1 << 8)
  public static let projectsManage = Permissions(rawValue: 1 << 9)
  public static let usersManage = Permissions(rawValue: 1 << 10)
  public static let rolesManage = Permissions(rawValue: 1 << 11)
  public static let quotaManage = Permissions(rawValue: 1 << 12)
  public static let policiesPropose = Permissions(rawValue: 1 << 13)
  public static let reviewSign = Permissions(rawValue: 1 << 14)
  // The log
  public static let logMetadata = Permissions(rawValue: 1 << 16)
  public static let logContent = Permissions(rawValue: 1 << 17)
  public static let logExport = Permissions(rawValue: 1 << 18)
  public static let logErase = Permissions(rawValue: 1 << 19)
  // The installation
  public static let tenantsManage = Permissions(rawValue: 1 << 24)
  public static let policiesApply = Permissions(rawValue: 1 << 25)
  public static let providersManage = Permissions(rawValue: 1 << 26)
  public static let installationManage = Permissions(rawValue: 1 << 27)

  /// Every permission with its name in policies, in the order of the list above.
  public static let names: [(name: String, permission: Permissions)] = [
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
  public init?(name: String) {
    guard let found = Self.names.first(where: { $0.name == name }) else { return nil }
    self = found.permission
  }

  /// The names of what is in the set, in the order of ``names``.
  public var nameList: [String] { Self.names.filter { contains($0.permission) }.map(\.name) }

  /// What opens prompts and answers, or destroys them. Never in a role of the installation: the operator's power over
  /// the house is no power over what was said in it.
  public static let content: Permissions = [.logContent, .logExport, .logErase]
  /// What makes sense on the installation only.
  public static let installationOnly: Permissions = [
    .tenantsManage, .policiesApply, .providersManage, .installationManage,
  ]
  /// What an API key can use on the data plane, whatever else its role holds.
  public static let ofKeys: Permissions = [.chat, .embed, .usageRead, .reportsRead]
  /// All that a tenant can give its own people.
  public static let ofTenants: Permissions = {
    var all = Permissions()
    for entry in names { all.formUnion(entry.permission) }
    return all.subtracting(installationOnly)
  }()
}
