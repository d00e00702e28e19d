// swift-tools-version: 6.2
import PackageDescription

/// How often each piece ran under load, for the compiler to lay out and inline by: made by `make profile`, which builds
/// with TORHAUS_PROFILE=generate. What has changed since is compiled as without it.
let profile =
  Context.environment["TORHAUS_PROFILE"] == "generate"
  ? ["-Xfrontend", "-ir-profile-generate"]
  : ["-Xfrontend", "-ir-profile-use=\(Context.packageDirectory)/profile/torhaus.profdata"]

/// Names in the profile are the same in whatever folder they are counted and used.
let profileNames = ["-Xllvm", "-static-func-full-module-prefix=false"]

/// One list for every Swift target: Swift 6 mode comes with the tools version, the rest is strictness.
let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("ExistentialAny"),
  // What is `public` in other modules is inlined; what is `package` is not (Swift 6.3). Overlapping accesses are checked
  // in debug builds, which the tests run.
  .unsafeFlags(
    ["-enforce-exclusivity=unchecked", "-cross-module-optimization"] + profile + profileNames,
    .when(configuration: .release)),
]

let nio: [Target.Dependency] = [
  .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
  .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
]
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let sqlite: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

let package = Package(
  name: "torhaus",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "torhaus", targets: ["torhaus"]),
    .executable(name: "torhausctl", targets: ["torhausctl"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
    .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", exact: "0.2.0"),
  ],
  targets: [
    // C libraries and kernel interfaces: a module map and a thin shim each
    .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CTLS", pkgConfig: "libssl", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
    .systemLibrary(name: "CLinux"),
    .systemLibrary(name: "CTimex"),
    .target(name: "CRE2", linkerSettings: [.linkedLibrary("re2")]),

    // Leaves
    .target(name: "Cryptography", dependencies: ["COpenSSL"], swiftSettings: strict),
    .target(name: "JSONText", swiftSettings: strict),

    // Contexts: they decide, and touch nothing
    .target(name: "Tenancy", dependencies: ["Cryptography"], swiftSettings: strict),
    .target(name: "Inference", dependencies: ["JSONText"], swiftSettings: strict),
    .target(name: "Redaction", dependencies: ["Cryptography", "JSONText"], swiftSettings: strict),
    .target(name: "Routing", dependencies: ["Tenancy"], swiftSettings: strict),
    .target(name: "Quotas", dependencies: ["Cryptography", "Tenancy"], swiftSettings: strict),
    .target(name: "Staging", dependencies: ["CLinux"], swiftSettings: strict),
    .target(name: "SealedLog", dependencies: ["Cryptography", "Staging", "Tenancy", crypto], swiftSettings: strict),
    .target(
      name: "Policies", dependencies: ["Cryptography", "Routing", "Tenancy", yams], swiftSettings: strict),

    .target(
      name: "Batches", dependencies: ["Cryptography", "Quotas", "SealedLog", "Tenancy"], swiftSettings: strict),

    // The data plane
    .target(
      name: "Gateway",
      dependencies: [
        "Batches", "Cryptography", "Inference", "JSONText", "Policies", "Quotas", "Redaction", "Routing", "SealedLog",
        "Tenancy",
      ], swiftSettings: strict),

    .target(name: "EventLoop", dependencies: ["CLinux"], swiftSettings: strict),

    // Adapters: one technology each
    .target(
      name: "Frontend", dependencies: ["CLinux", "CNghttp2", "CTLS", "EventLoop", "Gateway", "JSONText", "Tenancy"],
      swiftSettings: strict),
    .target(
      name: "Upstream", dependencies: ["CCurl", "CTLS", "EventLoop", "Gateway", "JSONText", "Routing", "Tenancy"],
      swiftSettings: strict),
    .target(name: "PatternsRE2", dependencies: ["CRE2", "Redaction"], swiftSettings: strict),
    .target(
      name: "StorageSQLite", dependencies: ["Batches", "Cryptography", "Quotas", "SealedLog", "Tenancy", grdb, sqlite],
      swiftSettings: strict),
    .target(name: "NodeFolder", dependencies: ["CTimex", "Quotas", "Staging"], swiftSettings: strict),
    .target(
      name: "KeyProviders", dependencies: ["Cryptography", "SealedLog", "Tenancy", crypto], swiftSettings: strict),
    .target(
      name: "Admin",
      dependencies: [
        "Cryptography", "Tenancy", logging, .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "HTTPTypes", package: "swift-http-types"), .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ], swiftSettings: strict),

    // The whole, and the executables
    .target(
      name: "Installation",
      dependencies: [
        "Admin", "Batches", "CLinux", "Cryptography", "EventLoop", "Frontend", "Gateway", "Inference", "KeyProviders",
        "MockProvider",
        "NodeFolder", "PatternsRE2", "Policies", "Quotas", "Redaction", "Routing", "SealedLog", "Staging",
        "StorageSQLite", "Tenancy", "Upstream", logging, yams,
      ], swiftSettings: strict),
    // mimalloc takes the place of glibc's malloc: blocks above 1 KiB, made on one thread and freed on another, were an
    // eighth of a request's cost. Sanitizers and tests keep glibc's.
    .executableTarget(
      name: "torhaus", dependencies: ["Installation", argumentParser], swiftSettings: strict,
      linkerSettings: [.linkedLibrary("mimalloc", .when(configuration: .release))]),
    .executableTarget(
      name: "torhausctl", dependencies: ["CCurl", "Policies", "Tenancy", argumentParser], swiftSettings: strict),

    // Load and the scripted provider: they speak HTTP and import none of the above
    .target(name: "MockProvider", dependencies: nio, path: "loadtest/MockProvider", swiftSettings: strict),
    .executableTarget(
      name: "torhaus-mock", dependencies: ["MockProvider", argumentParser], path: "loadtest/torhaus-mock",
      swiftSettings: strict),
    .target(
      name: "LoadHarness", dependencies: nio + [.product(name: "Histogram", package: "hdrhistogram-swift")],
      path: "loadtest/LoadHarness", swiftSettings: strict),
    .executableTarget(
      name: "torhaus-load", dependencies: ["LoadHarness", argumentParser], path: "loadtest/torhaus-load",
      swiftSettings: strict),

    // What parts of a request cost, without network
    .executableTarget(
      name: "torhaus-cost", dependencies: ["Cryptography", "Inference", "JSONText", "LoadHarness", "Redaction"],
      path: "loadtest/torhaus-cost", swiftSettings: strict),

    // Tests mirror the sources
    .testTarget(name: "CryptographyTests", dependencies: ["Cryptography"], swiftSettings: strict),
    .testTarget(name: "JSONTextTests", dependencies: ["JSONText"], swiftSettings: strict),
    .testTarget(name: "TenancyTests", dependencies: ["Cryptography", "Tenancy"], swiftSettings: strict),
    .testTarget(
      name: "InferenceTests", dependencies: ["Inference", "JSONText"], exclude: ["Golden"], swiftSettings: strict),
    .testTarget(
      name: "RedactionTests", dependencies: ["Cryptography", "JSONText", "Redaction"], swiftSettings: strict),
    .testTarget(name: "PatternsRE2Tests", dependencies: ["PatternsRE2", "Redaction"], swiftSettings: strict),
    .testTarget(name: "RoutingTests", dependencies: ["Routing"], swiftSettings: strict),
    .testTarget(
      name: "QuotasTests", dependencies: ["NodeFolder", "Quotas", "Staging", "StorageSQLite"], swiftSettings: strict),
    .testTarget(
      name: "SealedLogTests",
      dependencies: ["Cryptography", "KeyProviders", "SealedLog", "Staging", "StorageSQLite", "Tenancy"],
      swiftSettings: strict),
    .testTarget(
      name: "KeyProvidersTests", dependencies: ["KeyProviders", "SealedLog", "Tenancy"], swiftSettings: strict),
    .testTarget(
      name: "PoliciesTests", dependencies: ["Cryptography", "Policies", "Routing", "Tenancy"], exclude: ["Golden"],
      swiftSettings: strict),
    .testTarget(
      name: "ConformanceTests",
      dependencies: [
        "Batches", "Cryptography", "KeyProviders", "Quotas", "SealedLog", "StorageSQLite", "Tenancy", grdb,
      ],
      swiftSettings: strict),
    .testTarget(
      name: "GatewayTests",
      dependencies: [
        "Batches", "Cryptography", "Gateway", "Inference", "JSONText", "KeyProviders", "Policies", "Quotas",
        "Redaction",
        "Routing",
        "SealedLog", "Tenancy",
      ], swiftSettings: strict),
    .testTarget(
      name: "InstallationTests",
      dependencies: [
        "Admin", "Cryptography", "Frontend", "Gateway", "Inference", "Installation", "Policies", "Quotas", "Routing",
        "SealedLog", "StorageSQLite", "Tenancy", "Upstream",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "EventLoopTests", dependencies: ["CLinux", "EventLoop"], swiftSettings: strict),
    .testTarget(
      name: "FrontendTests",
      dependencies: [
        "CNghttp2", "CTLS", "Cryptography", "EventLoop", "Frontend", "Gateway", "JSONText", "KeyProviders", "Policies",
        "Quotas", "Routing", "SealedLog", "Tenancy",
      ], swiftSettings: strict),
    .testTarget(
      name: "UpstreamTests", dependencies: ["EventLoop", "Gateway", "Routing", "Upstream"], swiftSettings: strict),
    .testTarget(
      name: "AdminTests", dependencies: ["Admin", "Cryptography", "Tenancy", "torhausctl", argumentParser, logging],
      swiftSettings: strict),
    .testTarget(name: "StagingTests", dependencies: ["Staging"], swiftSettings: strict),
    .testTarget(name: "TorhausctlTests", dependencies: ["torhausctl", argumentParser], swiftSettings: strict),
    .testTarget(
      name: "MockProviderTests", dependencies: ["MockProvider"] + nio, path: "loadtest/Tests/MockProviderTests",
      swiftSettings: strict),
    .testTarget(
      name: "LoadHarnessTests", dependencies: ["LoadHarness", "MockProvider"] + nio,
      path: "loadtest/Tests/LoadHarnessTests", swiftSettings: strict),
  ]
)
