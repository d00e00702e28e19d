public import ArgumentParser
public import Tenancy

/// The tenant that a command is about.
struct TenantOptions: ParsableArguments {
  @Option(name: .customLong("tenant"), help: ArgumentHelp("As 'tenant list' prints it.", valueName: "slug"))
  var slug: Slug

  /// The tenant's place in the API, and what lies below it.
  func path(_ rest: String...) -> [String] { ["v1", "tenants", slug.text] + rest }
}

/// The tenant, or without one the installation itself.
struct ScopeOptions: ParsableArguments {
  @Option(name: .customLong("tenant"), help: ArgumentHelp("Without it: the installation itself.", valueName: "slug"))
  var slug: Slug?

  func path(_ rest: String...) -> [String] { (slug.map { ["v1", "tenants", $0.text] } ?? ["v1"]) + rest }
}

extension Slug: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

extension Identifier: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}
