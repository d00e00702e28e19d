import Admin
import Cryptography
import Foundation
import Glibc
import Tenancy

/// Makes a new installation: folders, master key, policies, configuration, the first operator. Overwrites nothing.
package enum InstallationSetup {
  package struct Made: Sendable {
    /// Where the operator's token was written.
    package let tokenFile: String
  }

  package static func make(data: String, configuration path: String, email: String) throws -> Made {
    guard access(path, F_OK) != 0 else {
      throw InstallationError(
        .invalidConfiguration, "there is a configuration already", place: path, hint: "serve it, or move it away first")
    }
    try FileBytes.makeFolder(data)
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    try FileBytes.makeFolder(folder)
    let master = "\(folder)/master.key"
    let policies = "\(folder)/policies"
    guard access(master, F_OK) != 0 else {
      throw InstallationError(.invalidConfiguration, "there is a master key already", place: master)
    }
    try FileBytes.replace(
      master,
      with: try SecureBytes.random(32).flatMap { byte -> [UInt8] in
        let hex = Array("0123456789abcdef".utf8)
        return [hex[Int(byte >> 4)], hex[Int(byte & 15)]]
      })
    try copyPolicies(to: policies)
    let text = """
      data: \(data)
      production: false
      listen:
        api:   {address: 127.0.0.1, port: 8080}
        admin: {address: 127.0.0.1, port: 8081}
        hosts: []
      keys: {kind: file, master: "file:\(master)"}
      policies: {path: \(policies), default: base}
      # The provider register names credentials; here is where each is kept, for example:
      # credentials:
      #   mistral-eu: {from: "file:\(folder)/mistral-eu.key", origins: ["https://api.mistral.ai"]}
      drain: {streams: 300s}
      locale: {timezone: Europe/Zurich, currency: EUR, rates: {USD: "0.92", CHF: "1.06"}}

      """
    try FileBytes.replace(path, with: Array(text.utf8))
    let core = try InstallationCore(try ConfigurationFile.load(path), loops: 1)
    defer { core.stop() }
    let token = try Seeding(core: core).person(
      name: email, email: email, role: "operator", tenant: nil, days: 30, reason: "first operator, by torhaus init")
    let tokenFile = "\(folder)/operator.token"
    try FileBytes.replace(tokenFile, with: Array("\(token)\n".utf8))
    return Made(tokenFile: tokenFile)
  }

  private static func copyPolicies(to folder: String) throws {
    guard access(folder, F_OK) != 0 else { return }
    let source = try ShippedPolicies.folder()
    try FileBytes.makeFolder(folder)
    for name in try FileManager.default.contentsOfDirectory(atPath: source) where name.hasSuffix(".yaml") {
      guard let bytes = FileBytes.read("\(source)/\(name)", limit: 1 << 20) else { continue }
      try FileBytes.replace("\(folder)/\(name)", with: bytes, mode: 0o644)
    }
  }
}

/// Where the shipped policies lie: in the working folder, beside the binary, or where the Debian package puts them.
package enum ShippedPolicies {
  package static func folder() throws -> String {
    let binary = URL(fileURLWithPath: CommandLine.arguments.first ?? "").resolvingSymlinksInPath()
      .deletingLastPathComponent().path
    let places = [
      "policies", "\(binary)/policies", "\(binary)/../../policies", "\(binary)/../../../policies",
      "/usr/share/torhaus/policies",
    ]
    guard let found = places.first(where: { access("\($0)/demo.yaml", R_OK) == 0 }) else {
      throw InstallationError(
        .invalidPolicies, "the shipped policies were not found", hint: "run from the source folder, or name them")
    }
    return found
  }
}
