/// One kind of request in a mix.
package struct RequestClass: Sendable {
  /// How some of the requests are given up before their answer is complete, as users do.
  package struct Abort: Sendable, Equatable {
    /// Which part of the requests, 0 to 1.
    package var share: Double
    /// After so many events of a stream.
    package var afterEvents: Int?
    /// After so many milliseconds; whatever comes first counts.
    package var afterMilliseconds: Int?

    package init(share: Double, afterEvents: Int? = nil, afterMilliseconds: Int? = nil) {
      self.share = share
      self.afterEvents = afterEvents
      self.afterMilliseconds = afterMilliseconds
    }
  }

  package var name = "chat"
  package var weight = 1.0
  package var isStream = false
  package var body = RequestBody()
  /// Where it goes, if not to the target's own path.
  package var path: String?
  package var abort: Abort?
  /// Names of those who send it; nobody named: all.
  package var tenants: Set<String> = []

  package init() {}

  func isSent(by tenant: LoadTenant) -> Bool { tenants.isEmpty || tenants.contains(tenant.name) }

  func check() throws(LoadError) {
    guard weight >= 0, weight <= 1_000_000 else {
      throw LoadError(.badPlan, "The weight of class \(name) must be 0 to 1000000.")
    }
    guard body.promptPrefix.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }),
      body.promptBytes >= 0, body.promptBytes <= 67_108_864
    else {
      throw LoadError(.badPlan, "The prompt's prefix is ASCII without quotes, its size at most 64 MiB.")
    }
    guard (0...128).contains(body.tools), (0.0...20).contains(body.findingsPerKiB ?? 0) else {
      throw LoadError(.badPlan, "Class \(name): at most 128 tools and 20 findings per KiB.")
    }
    if let path {
      guard path.hasPrefix("/"), path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x23 }) else {
        throw LoadError(.badPlan, "The path of class \(name) must start with / and hold what a path may hold.")
      }
    }
    if let abort {
      guard (0...1).contains(abort.share), abort.afterEvents ?? 1 >= 1, abort.afterMilliseconds ?? 0 >= 0,
        abort.afterMilliseconds ?? 0 <= 3_600_000, abort.afterEvents != nil || abort.afterMilliseconds != nil,
        abort.afterEvents == nil || isStream
      else {
        throw LoadError(
          .badPlan, "An abort of class \(name) needs a share of 0 to 1, and after_events (streams) or after_ms.")
      }
    }
  }
}

/// One caller of several: its share of the load, and the keys that it takes in turn.
package struct LoadTenant: Sendable {
  package var name = "all"
  package var weight = 1.0
  /// Without keys no `Authorization` is sent.
  package var keys: [String] = []

  package init() {}
}
