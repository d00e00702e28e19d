// swift-tools-version: 6.2
import PackageDescription

/// One list for every Swift target: Swift 6 mode comes with the tools version, the rest is strictness.
let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("ExistentialAny"),
]

let package = Package(
  name: "torhaus",
  platforms: [.macOS(.v15)],
  targets: [
    // C libraries: a module map and a thin shim each
    .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    // Leaves
    .target(name: "Cryptography", dependencies: ["COpenSSL"], swiftSettings: strict),
    .target(name: "JSONText", swiftSettings: strict),
    .target(name: "Tenancy", dependencies: ["Cryptography"], swiftSettings: strict),
  ]
)
