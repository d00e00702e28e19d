import Foundation
import Frontend
import Gateway
import Tenancy

/// The configuration in force and the limits of the data plane, as `torhaus config` prints them: what the file says, what
/// is the default where it says nothing, and what `Limits.swift` holds. Secrets are named by where they are.
package struct ConfigurationReport: Sendable, Encodable {
  package enum Value: Sendable, Equatable, Encodable {
    case text(String)
    case number(Int)
    case flag(Bool)
    case list([String])
    /// Nothing is set.
    case nothing

    package func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .text(let text): try container.encode(text)
      case .number(let number): try container.encode(number)
      case .flag(let flag): try container.encode(flag)
      case .list(let list): try container.encode(list)
      case .nothing: try container.encodeNil()
      }
    }

    var shown: String {
      switch self {
      case .text(let text): text
      case .number(let number): String(number)
      case .flag(let flag): String(flag)
      case .list(let list): list.isEmpty ? "none" : list.joined(separator: ", ")
      case .nothing: "none"
      }
    }
  }

  /// One of ``Limits``, by its name there, in the unit that the name ends in.
  package struct Limit: Sendable, Equatable, Encodable {
    package enum Unit: String, Sendable, Encodable {
      case bytes
      case milliseconds
      case bytesPerSecond = "bytes per second"
      case days
      case number
    }

    package let value: Int
    package let unit: Unit

    init(name: String, value: Int) {
      self.value = value
      unit =
        if name.hasSuffix("BytesPerSecond") {
          .bytesPerSecond
        } else if name.hasSuffix("Bytes") || name.contains("BytesPer") {
          .bytes
        } else if name.hasSuffix("Milliseconds") {
          .milliseconds
        } else if name.hasSuffix("Days") {
          .days
        } else {
          .number
        }
    }

    var shown: String {
      switch unit {
      case .bytes: Self.bytes(value)
      case .bytesPerSecond: "\(Self.bytes(value))/s"
      case .milliseconds: value % 1000 == 0 ? "\(value / 1000) s" : "\(value) ms"
      case .days: "\(value) days"
      case .number: String(value)
      }
    }

    private static func bytes(_ value: Int) -> String {
      for (factor, unit) in [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")] where value >= factor {
        if value % factor == 0 { return "\(value / factor) \(unit)" }
      }
      return "\(value) B"
    }
  }

  package let configuration: [String: Value]
  package let limits: [String: Limit]
  private let order: [String]
  private let limitOrder: [String]

  private enum CodingKeys: String, CodingKey { case configuration, limits }

  package init(_ configuration: ServerConfiguration) {
    var values: [String: Value] = [:]
    var order: [String] = []
    func put(_ key: String, _ value: Value) {
      values[key] = value
      order.append(key)
    }
    put("data", .text(configuration.dataFolder))
    put("production", .flag(configuration.isProduction))
    for (name, listener) in [("api", configuration.api), ("admin", configuration.admin)] {
      put("listen.\(name).address", .text(listener.address))
      if listener.path == nil {
        put("listen.\(name).port", .number(listener.port))
      } else {
        put("listen.\(name).mode", .text(listener.octalMode))
      }
    }
    if let tls = configuration.tls {
      put("listen.api.tls.certificate", .text(tls.certificate))
      put("listen.api.tls.key", .text(tls.key.shown))
      put("listen.api.tls.client-ca", tls.clientAuthorities.map { Value.text($0) } ?? .nothing)
      put("listen.api.tls.minimum", .text(tls.minimum.rawValue))
    }
    put("listen.also", .list(configuration.also.map(\.shown)))
    put("listen.hosts", configuration.hosts.isEmpty ? .text("any") : .list(configuration.hosts.sorted()))
    put(
      "listen.trusted-proxies",
      .list(configuration.trustedProxies.map(\.text) + (configuration.trustsUnixClients ? ["unix"] : [])))
    put("keys.kind", .text("file"))
    put("keys.master", .text(configuration.masterKey.shown))
    put("policies.path", .text(configuration.policies))
    put("policies.default", configuration.defaultPolicy.map { Value.text($0) } ?? .nothing)
    for (name, credential) in configuration.credentials.sorted(by: { $0.key < $1.key }) {
      put("credentials.\(name)", .text(credential.source.shown))
      put("credentials.\(name).origins", credential.origins.isEmpty ? .text("any") : .list(credential.origins))
    }
    put("drain.streams", .text("\(configuration.drainSeconds)s"))
    put("locale.timezone", .text(configuration.timeZone))
    put("locale.currency", .text(configuration.currency))
    for (currency, rate) in configuration.currencyRates.sorted(by: { $0.key < $1.key }) {
      put("locale.rates.\(currency)", .text(Self.decimal(rate)))
    }
    put("loops", .number(configuration.effectiveLoops))
    self.configuration = values
    self.order = order
    let all = Self.all(configuration.limits)
    limits = Dictionary(all, uniquingKeysWith: { first, _ in first })
    limitOrder = all.map(\.0)
  }

  /// Every limit that there is, in the order of the source; those of a part are named `part.limit`.
  static func all(_ limits: Limits) -> [(String, Limit)] { numbers(of: limits, "") }

  private static func numbers(of value: Any, _ prefix: String) -> [(String, Limit)] {
    Mirror(reflecting: value).children.flatMap { child -> [(String, Limit)] in
      let name = prefix + (child.label ?? "")
      guard let number = child.value as? Int else { return numbers(of: child.value, "\(name).") }
      return [(name, Limit(name: name, value: number))]
    }
  }

  /// 10⁻⁹ as the file writes them.
  private static func decimal(_ billionths: Int64) -> String {
    let digits = String(billionths % 1_000_000_000)
    let fraction = String(repeating: "0", count: max(0, 9 - digits.count)) + digits
    let end = fraction.lastIndex { $0 != "0" }
    return "\(billionths / 1_000_000_000)" + (end.map { ".\(fraction[...$0])" } ?? "")
  }

  /// Two tables: keys of the file, and limits.
  package var text: String {
    let rows =
      order.map { ($0, configuration[$0]?.shown ?? "") } + [("", "")] + limitOrder.map { ($0, limits[$0]?.shown ?? "") }
    let width = rows.map(\.0.count).max() ?? 0
    return rows.map { name, value in
      name.isEmpty ? "" : name + String(repeating: " ", count: width + 2 - name.count) + value
    }.joined(separator: "\n")
  }

  package var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }
}

extension ServerConfiguration.Listener {
  var octalMode: String { "0" + String(mode, radix: 8) }
  fileprivate var shown: String {
    path == nil ? url(port: port).replacingOccurrences(of: "http://", with: "") : "\(address) (\(octalMode))"
  }
}

extension ServerConfiguration.SecretSource {
  fileprivate var shown: String {
    switch self {
    case .credential(let name): "credential:\(name)"
    case .file(let path): "file:\(path)"
    case .environment(let name): "environment:\(name)"
    }
  }
}
