/// The version that binaries, user agents and packages name.
package enum InstallationVersion {
  package static let text = ProviderTargets.version
}
