import Frontend
import NodeFolder
import Quotas
import Routing
import Tenancy
import Yams

/// Reads `torhaus.yaml`. Unknown keys stop the start; secrets are never values, only where they are.
package enum ConfigurationFile {
  package static func load(_ path: String) throws(InstallationError) -> ServerConfiguration {
    guard let bytes = FileBytes.read(path, limit: 1 << 20) else {
      throw InstallationError(
        .invalidConfiguration, "the configuration cannot be read", place: path,
        hint: "make one with 'torhaus init', or name it by --config")
    }
    return try parse(String(decoding: bytes, as: UTF8.self), path: path)
  }

  package static func parse(_ text: String, path: String) throws(InstallationError) -> ServerConfiguration {
    let parser: Parser
    let node: Node?
    do {
      parser = try Parser(yaml: text, resolver: .basic, constructor: .default, encoding: .utf8)
      node = try parser.singleRoot()
    } catch let error as YamlError {
      throw InstallationError(.invalidConfiguration, "this is no YAML", place: place(of: error, path))
    } catch {
      throw InstallationError(.invalidConfiguration, "this is no YAML", place: path)
    }
    // Anchors are known only as long as their parser lives, and anchors are refused.
    defer { withExtendedLifetime(parser) {} }
    guard let node else {
      throw InstallationError(.invalidConfiguration, "the configuration is empty", place: path)
    }
    var top = try ConfigurationMap(node, path: path)
    var configuration = ServerConfiguration(
      dataFolder: try top.text("data") ?? "/var/lib/torhaus", policies: "/etc/torhaus/policies",
      masterKey: .credential("master-key"))
    configuration.isProduction = try top.flag("production") ?? false
    if var listen = try top.map("listen") {
      if var api = try listen.map("api") {
        configuration.tls = try tls(&api)
        configuration.api = try listener(api, configuration.api)
      }
      if let admin = try listen.map("admin") { configuration.admin = try listener(admin, configuration.admin) }
      configuration.also = try listen.maps("also").map { (map) throws(InstallationError) in
        try listener(map, ServerConfiguration.Listener(address: "127.0.0.1", port: 8080))
      }
      configuration.hosts = Set(try listen.list("hosts").map { $0.lowercased() })
      try trustedProxies(&listen, &configuration)
      try listen.finish()
    }
    guard ["127.0.0.1", "::1", "localhost"].contains(configuration.admin.address) else {
      throw InstallationError(
        .invalidConfiguration, "the Admin API listens on loopback only", place: path,
        hint: "set listen.admin.address to 127.0.0.1 and reach it by SSH or a reverse proxy with TLS")
    }
    if var keys = try top.map("keys") {
      if let kind = try keys.text("kind"), kind != "file" {
        throw keys.wrong("kind", "the key provider '\(kind)' does not exist", "write: kind: file")
      }
      if let master = try keys.text("master") { configuration.masterKey = try keys.secret("master", master) }
      try keys.finish()
    }
    if var policies = try top.map("policies") {
      if let folder = try policies.text("path") { configuration.policies = folder }
      configuration.defaultPolicy = try policies.text("default")
      try policies.finish()
    }
    if var credentials = try top.map("credentials") {
      for name in credentials.names {
        configuration.credentials[name] = try credential(name, &credentials)
      }
      try credentials.finish()
    }
    if var drain = try top.map("drain") {
      configuration.drainSeconds = try drain.seconds("streams") ?? configuration.drainSeconds
      try drain.finish()
    }
    if var locale = try top.map("locale") {
      if let zone = try locale.text("timezone") {
        guard SystemZoneRules().offsetSeconds(zone: zone, at: 0) != nil else {
          throw locale.wrong("timezone", "there is no time zone '\(zone)'", "write an IANA name such as Europe/Zurich")
        }
        configuration.timeZone = zone
      }
      configuration.currency = try locale.text("currency") ?? configuration.currency
      if var rates = try locale.map("rates") {
        for currency in rates.names { configuration.currencyRates[currency] = try rates.decimal(currency) }
        try rates.finish()
      }
      try locale.finish()
    }
    configuration.loops = try top.number("loops")
    guard configuration.loops.map({ (1...256).contains($0) }) ?? true else {
      throw top.wrong("loops", "'loops' is 1 to 256", "leave it out for one for each core")
    }
    try top.finish()
    return configuration
  }

  /// Its place alone, or `{from: PLACE, origins: [https://host]}`.
  private static func credential(_ name: String, _ credentials: inout ConfigurationMap) throws(InstallationError)
    -> ServerConfiguration.Credential?
  {
    guard credentials.isMap(name) else {
      return try credentials.text(name).map { (text) throws(InstallationError) in
        ServerConfiguration.Credential(source: try credentials.secret(name, text))
      }
    }
    guard var map = try credentials.map(name) else { return nil }
    guard let from = try map.text("from") else {
      throw credentials.wrong(name, "a credential needs its place", "write from: credential:NAME or file:PATH")
    }
    var credential = ServerConfiguration.Credential(source: try map.secret("from", from))
    for text in try map.list("origins") {
      guard let origin = origin(text) else {
        throw map.wrong("origins", "'\(text)' is no origin", "write scheme, host and port: https://api.example.com")
      }
      credential.origins.append(origin)
    }
    // Not bound by accident: no list is any origin, an empty one would be none.
    guard map.places["origins"] == nil || !credential.origins.isEmpty else {
      throw map.wrong("origins", "'origins' is empty", "name one, or leave it out")
    }
    try map.finish()
    return credential
  }

  /// A provider's or a proxy's.
  private static func origin(_ text: String) -> String? {
    if let endpoint = try? Endpoint(text, local: true) { return endpoint.path == "/" ? endpoint.origin : nil }
    return (try? ProxyEndpoint(text, local: true))?.origin
  }

  private static func place(of error: YamlError, _ path: String) -> String {
    switch error {
    case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _):
      "\(path):\(mark.line):\(mark.column)"
    default: path
    }
  }

  private static func tls(_ api: inout ConfigurationMap) throws(InstallationError) -> ServerConfiguration.TLS? {
    guard var map = try api.map("tls") else { return nil }
    let places = map.places
    guard let certificate = try map.text("certificate"), let key = try map.text("key") else {
      throw api.wrong(
        "tls", "TLS needs a certificate and its key", "write tls: {certificate: PATH, key: \"file:PATH\"}")
    }
    var tls = ServerConfiguration.TLS(certificate: certificate, key: try map.secret("key", key), places: places)
    tls.clientAuthorities = try map.text("client-ca")
    if let minimum = try map.text("minimum") {
      guard let version = TLSContext.Version(rawValue: minimum) else {
        throw map.wrong("minimum", "'minimum' is 1.2 or 1.3", "leave it out for 1.2")
      }
      tls.minimum = version
    }
    try map.finish()
    return tls
  }

  private static func listener(_ map: ConfigurationMap, _ usual: ServerConfiguration.Listener)
    throws(InstallationError) -> ServerConfiguration.Listener
  {
    var map = map
    let port = try map.number("port")
    var listener = ServerConfiguration.Listener(
      address: try map.text("address") ?? usual.address, port: port ?? usual.port)
    guard (0...65_535).contains(listener.port) else { throw map.wrong("port", "no such port", "write 0 to 65535") }
    let mode = try map.text("mode")
    if let path = listener.path {
      guard path.hasPrefix("/"), path.utf8.count <= 107 else {
        throw map.wrong(
          "address", "a socket's path is absolute and at most 107 bytes long", "write unix:/run/torhaus/api")
      }
      guard port == nil else { throw map.wrong("port", "a Unix-domain socket has no port", "leave the port out") }
      if let mode {
        guard mode.utf8.count <= 4, let bits = UInt32(mode, radix: 8), bits <= 0o777 else {
          throw map.wrong("mode", "'\(mode)' is no file mode", "write mode: \"0660\"")
        }
        listener.mode = bits
      }
    } else if mode != nil {
      throw map.wrong("mode", "only a Unix-domain socket has a mode", "leave it out, or write address: unix:/PATH")
    }
    try map.finish()
    return listener
  }

  private static func trustedProxies(
    _ listen: inout ConfigurationMap, _ configuration: inout ServerConfiguration
  ) throws(InstallationError) {
    for text in try listen.list("trusted-proxies") {
      if text == "unix" {
        configuration.trustsUnixClients = true
      } else if let network = Network(text) {
        configuration.trustedProxies.append(network)
      } else {
        throw listen.wrong(
          "trusted-proxies", "'\(text)' is no network", "write networks such as 10.0.0.0/24, or unix")
      }
    }
  }
}

/// A mapping of the file whose keys are taken one by one; what is left at the end is unknown.
struct ConfigurationMap {
  private let path: String
  private var left: [String: Node]
  /// `file:line:column` of each key.
  let places: [String: String]

  init(_ node: Node, path: String) throws(InstallationError) {
    self.path = path
    guard case .mapping(let mapping) = node else {
      throw InstallationError(.invalidConfiguration, "a mapping is expected here", place: Self.place(path, node))
    }
    var left: [String: Node] = [:]
    var places: [String: String] = [:]
    for (key, value) in mapping {
      guard case .scalar(let name) = key, value.anchor == nil else {
        throw InstallationError(
          .invalidConfiguration, "keys are plain words, without anchors", place: Self.place(path, key))
      }
      left[name.string] = value
      places[name.string] = Self.place(path, key)
    }
    self.left = left
    self.places = places
  }

  private static func place(_ path: String, _ node: Node) -> String {
    node.mark.map { "\(path):\($0.line):\($0.column)" } ?? path
  }

  var names: [String] { left.keys.sorted() }

  /// A list of mappings; empty if there is no such key.
  mutating func maps(_ key: String) throws(InstallationError) -> [ConfigurationMap] {
    guard let node = left.removeValue(forKey: key) else { return [] }
    guard case .sequence(let sequence) = node else {
      throw wrong(key, "'\(key)' is a list", "write \(key): [{address: ADDRESS, port: PORT}]")
    }
    var maps: [ConfigurationMap] = []
    for element in sequence { maps.append(try ConfigurationMap(element, path: path)) }
    return maps
  }

  func wrong(_ key: String, _ message: String, _ hint: String) -> InstallationError {
    InstallationError(.invalidConfiguration, message, place: places[key] ?? path, hint: hint)
  }

  mutating func map(_ key: String) throws(InstallationError) -> ConfigurationMap? {
    guard let node = left.removeValue(forKey: key) else { return nil }
    return try ConfigurationMap(node, path: path)
  }

  /// Whether the value is a mapping.
  func isMap(_ key: String) -> Bool { left[key]?.mapping != nil }

  mutating func text(_ key: String) throws(InstallationError) -> String? {
    guard let node = left.removeValue(forKey: key) else { return nil }
    guard case .scalar(let scalar) = node else { throw wrong(key, "'\(key)' is one value", "write \(key): VALUE") }
    return scalar.string
  }

  mutating func list(_ key: String) throws(InstallationError) -> [String] {
    guard let node = left.removeValue(forKey: key) else { return [] }
    guard case .sequence(let sequence) = node else { throw wrong(key, "'\(key)' is a list", "write \(key): [a, b]") }
    var values: [String] = []
    for element in sequence {
      guard case .scalar(let scalar) = element else { throw wrong(key, "'\(key)' is a list of words", "") }
      values.append(scalar.string)
    }
    return values
  }

  mutating func flag(_ key: String) throws(InstallationError) -> Bool? {
    guard let text = try text(key) else { return nil }
    switch text {
    case "true": return true
    case "false": return false
    default: throw wrong(key, "'\(key)' is true or false", "")
    }
  }

  mutating func number(_ key: String) throws(InstallationError) -> Int? {
    guard let text = try text(key) else { return nil }
    guard let value = Int(text), value >= 0 else { throw wrong(key, "'\(key)' is a whole number", "") }
    return value
  }

  mutating func seconds(_ key: String) throws(InstallationError) -> Int64? {
    guard let text = try text(key) else { return nil }
    guard text.hasSuffix("s"), let value = Int64(text.dropLast()), value >= 0 else {
      throw wrong(key, "'\(key)' is a time in seconds", "write \(key): 300s")
    }
    return value
  }

  /// A decimal with at most nine places, in 10⁻⁹.
  mutating func decimal(_ key: String) throws(InstallationError) -> Int64? {
    guard let text = try text(key) else { return nil }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count),
      parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
      let whole = Int64(parts[0]), whole < 1_000_000
    else {
      throw wrong(key, "'\(text)' is no rate", "write \(key): \"0.92\"")
    }
    let fraction = parts.count == 2 ? String(parts[1]) : "0"
    guard fraction.count <= 9, let digits = Int64(fraction + String(repeating: "0", count: 9 - fraction.count)),
      digits >= 0
    else { throw wrong(key, "'\(text)' is no rate", "write at most nine places") }
    return whole * 1_000_000_000 + digits
  }

  func secret(_ key: String, _ text: String) throws(InstallationError) -> ServerConfiguration.SecretSource {
    let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
    guard parts.count == 2, !parts[1].isEmpty else {
      throw wrong(key, "a secret is never a value", "write credential:NAME, file:PATH or environment:NAME")
    }
    switch parts[0] {
    case "credential": return .credential(parts[1])
    case "file": return .file(parts[1])
    case "environment": return .environment(parts[1])
    default:
      throw wrong(key, "a secret is never a value", "write credential:NAME, file:PATH or environment:NAME")
    }
  }

  /// Unknown keys stop the start: a typo must not switch something off in silence.
  func finish() throws(InstallationError) {
    guard let key = names.first else { return }
    throw wrong(key, "'\(key)' is no key here", "check its spelling and place")
  }
}
