import Foundation
import Frontend
import Tenancy
import Testing

@testable import Installation

/// `torhaus.yaml`: what is read, and where a mistake is pointed out.
struct ConfigurationFileTests {
  private static func error(_ text: String) -> InstallationError? {
    do throws(InstallationError) {
      _ = try ConfigurationFile.parse(text, path: "torhaus.yaml")
      return nil
    } catch {
      return error
    }
  }

  @Test func everyKeyIsRead() throws {
    let configuration = try ConfigurationFile.parse(
      """
      data: /srv/torhaus
      production: true
      loops: 3
      listen:
        api:
          address: 0.0.0.0
          port: 443
          tls: {certificate: /srv/chain.pem, key: "credential:tls-key", client-ca: /srv/clients.pem, minimum: 1.3}
        admin: {address: "::1", port: 8099}
        hosts: [KI.Example.ch, gate.example.ch]
      keys: {kind: file, master: "credential:master"}
      policies: {path: /srv/policies, default: fiduciary}
      credentials:
        mistral-eu: "file:/srv/mistral.key"
        openai: {from: "environment:OPENAI", origins: ["https://EU.api.openai.com", "http://10.0.0.5:8000/", "socks5://p.example:1080"]}
      drain: {streams: 45s}
      locale: {timezone: Europe/Vienna, currency: CHF, rates: {USD: "0.92", EUR: "1.06", JPY: "0.000000001", GBP: 2}}
      """, path: "torhaus.yaml")
    #expect(configuration.dataFolder == "/srv/torhaus" && configuration.isProduction && configuration.loops == 3)
    #expect(configuration.api == .init(address: "0.0.0.0", port: 443))
    #expect(configuration.tls?.certificate == "/srv/chain.pem" && configuration.tls?.key == .credential("tls-key"))
    #expect(configuration.tls?.clientAuthorities == "/srv/clients.pem" && configuration.tls?.minimum == .tls13)
    #expect(configuration.tls?.place("client-ca") == "torhaus.yaml:8:67")
    #expect(configuration.admin == .init(address: "::1", port: 8099))
    #expect(configuration.hosts == ["ki.example.ch", "gate.example.ch"])
    #expect(configuration.masterKey == .credential("master"))
    #expect(configuration.policies == "/srv/policies" && configuration.defaultPolicy == "fiduciary")
    #expect(
      configuration.credentials == [
        "mistral-eu": .init(source: .file("/srv/mistral.key")),
        "openai": .init(
          source: .environment("OPENAI"),
          origins: ["https://eu.api.openai.com:443", "http://10.0.0.5:8000", "socks5://p.example:1080"]),
      ])
    #expect(configuration.drainSeconds == 45)
    #expect(configuration.timeZone == "Europe/Vienna" && configuration.currency == "CHF")
    #expect(
      configuration.currencyRates == ["USD": 920_000_000, "EUR": 1_060_000_000, "JPY": 1, "GBP": 2_000_000_000])
  }

  @Test func furtherListenersAndProxiesAreRead() throws {
    let configuration = try ConfigurationFile.parse(
      """
      listen:
        api: {address: "unix:/run/torhaus/api.sock", mode: "0666"}
        also: [{address: 10.0.0.1, port: 8443}, {address: "unix:/run/torhaus/b.sock"}]
        trusted-proxies: [10.0.0.0/24, "2001:db8::1", unix]
      """, path: "torhaus.yaml")
    #expect(configuration.api.path == "/run/torhaus/api.sock" && configuration.api.mode == 0o666)
    #expect(configuration.also.map(\.address) == ["10.0.0.1", "unix:/run/torhaus/b.sock"])
    #expect(configuration.also.map(\.port).first == 8443 && configuration.also.last?.mode == 0o660)
    #expect(configuration.trustedProxies.map(\.text) == ["10.0.0.0/24", "2001:db8::1"])
    #expect(configuration.trustsUnixClients)
  }

  @Test func whatIsNotSaidIsAsTheDefaultsAre() throws {
    let configuration = try ConfigurationFile.parse("data: /srv/torhaus", path: "torhaus.yaml")
    #expect(!configuration.isProduction && configuration.loops == nil && configuration.hosts.isEmpty)
    #expect(configuration.tls == nil)
    #expect(configuration.api == .init(address: "127.0.0.1", port: 8080))
    #expect(configuration.admin == .init(address: "127.0.0.1", port: 8081))
    #expect(configuration.masterKey == .credential("master-key") && configuration.credentials.isEmpty)
    #expect(configuration.drainSeconds == 300 && configuration.currencyRates.isEmpty)
  }

  /// The text, where the mistake stands in it, and a word of the message.
  static let mistakes: [(text: String, place: String, word: String)] = [
    ("listen:\n  api: {address: \"unix:run/api\"}", "torhaus.yaml:2:9", "absolute"),
    ("listen:\n  api: {address: \"unix:/run/api\", port: 80}", "torhaus.yaml:2:35", "no port"),
    ("listen:\n  api: {address: \"unix:/run/api\", mode: \"0999\"}", "torhaus.yaml:2:35", "no file mode"),
    ("listen:\n  api: {address: 127.0.0.1, mode: \"0660\"}", "torhaus.yaml:2:29", "only a Unix-domain socket"),
    ("listen:\n  also: {address: 127.0.0.1}", "torhaus.yaml:2:3", "is a list"),
    ("listen:\n  also: [{adress: 127.0.0.1}]", "torhaus.yaml:2:11", "'adress' is no key"),
    ("listen:\n  trusted-proxies: [10.0.0.1/24]", "torhaus.yaml:2:3", "is no network"),
    ("dta: /srv", "torhaus.yaml:1:1", "'dta' is no key"),
    ("data: /srv\nlisten:\n  api: {adress: 127.0.0.1}", "torhaus.yaml:3:9", "'adress' is no key"),
    ("data: /srv\nlisten:\n  admin:\n    prt: 1", "torhaus.yaml:4:5", "'prt' is no key"),
    ("data: /srv\nkeys:\n  master: \"abc\"", "torhaus.yaml:3:3", "never a value"),
    ("data: /srv\nkeys: {master: \"vault:a\"}", "torhaus.yaml:2:8", "never a value"),
    ("data: /srv\nkeys: {master: \"file:\"}", "torhaus.yaml:2:8", "never a value"),
    ("data: /srv\nkeys: {kind: vault}", "torhaus.yaml:2:8", "does not exist"),
    ("credentials:\n  openai: plainsecret", "torhaus.yaml:2:3", "never a value"),
    ("credentials:\n  openai: [a]", "torhaus.yaml:2:3", "one value"),
    ("credentials:\n  openai: {origins: [\"https://a.example\"]}", "torhaus.yaml:2:3", "needs its place"),
    ("credentials:\n  openai: {from: secret}", "torhaus.yaml:2:12", "never a value"),
    ("credentials:\n  openai: {from: \"file:/k\", origins: [a.example]}", "torhaus.yaml:2:29", "no origin"),
    (
      "credentials:\n  openai: {from: \"file:/k\", origins: [\"https://a.example/v1\"]}", "torhaus.yaml:2:29",
      "no origin"
    ),
    ("credentials:\n  openai: {from: \"file:/k\", origins: []}", "torhaus.yaml:2:29", "is empty"),
    ("credentials:\n  openai: {from: \"file:/k\", origin: a}", "torhaus.yaml:2:29", "no key here"),
    ("production: yes", "torhaus.yaml:1:1", "true or false"),
    ("loops: two", "torhaus.yaml:1:1", "whole number"),
    ("loops: -1", "torhaus.yaml:1:1", "whole number"),
    ("loops: 99999999999999999999", "torhaus.yaml:1:1", "whole number"),
    ("listen:\n  api: {port: 65536}", "torhaus.yaml:2:9", "no such port"),
    ("listen:\n  api:\n    tls: {certificate: a}", "torhaus.yaml:3:5", "needs a certificate and its key"),
    ("listen:\n  api:\n    tls: {key: \"file:a\"}", "torhaus.yaml:3:5", "needs a certificate and its key"),
    ("listen:\n  api:\n    tls: {certificate: a, key: b}", "torhaus.yaml:3:27", "never a value"),
    ("listen:\n  api:\n    tls: {certificate: a, key: \"file:b\", minimum: 1.1}", "torhaus.yaml:3:42", "1.2 or 1.3"),
    ("listen:\n  api:\n    tls: {certificate: a, key: \"file:b\", ciphers: x}", "torhaus.yaml:3:42", "no key here"),
    ("listen:\n  api: {tls: /a.pem}", "torhaus.yaml:2:14", "mapping is expected"),
    ("listen:\n  admin: {tls: {certificate: a}}", "torhaus.yaml:2:11", "'tls' is no key"),
    ("listen: 8080", "torhaus.yaml:1:9", "mapping is expected"),
    ("listen:\n  hosts: a", "torhaus.yaml:2:3", "is a list"),
    ("listen:\n  hosts: [[a]]", "torhaus.yaml:2:3", "list of words"),
    ("drain: {streams: 5m}", "torhaus.yaml:1:9", "in seconds"),
    ("drain: {streams: -1s}", "torhaus.yaml:1:9", "in seconds"),
    ("locale:\n  rates:\n    USD: free", "torhaus.yaml:3:5", "no rate"),
    ("locale: {rates: {USD: \"0.1234567890\"}}", "torhaus.yaml:1:18", "no rate"),
    ("locale: {rates: {USD: \"1000000\"}}", "torhaus.yaml:1:18", "no rate"),
    ("locale: {rates: {USD: \"1.2.3\"}}", "torhaus.yaml:1:18", "no rate"),
    ("locale: {rates: {USD: \"-1\"}}", "torhaus.yaml:1:18", "no rate"),
    ("- data", "torhaus.yaml:1:1", "mapping is expected"),
    ("data: &a /srv", "torhaus.yaml:1:1", "without anchors"),
  ]

  @Test(arguments: mistakes) func aMistakeIsPointedOut(text: String, place: String, word: String) {
    let error = Self.error(text)
    #expect(error?.code == .invalidConfiguration)
    #expect(error?.message.contains(word) == true, "\(error?.message ?? "accepted")")
    #expect(error?.place == place)
  }

  /// A port that is no port is pointed out where it stands, not at its parent.
  @Test func aWrongPortIsPointedOutAtItsOwnKey() {
    #expect(Self.error("listen:\n  api:\n    address: 127.0.0.1\n    port: 65536")?.place == "torhaus.yaml:4:5")
  }

  @Test(arguments: ["", "---\n", "# nothing"]) func anEmptyFileIsNone(text: String) {
    #expect(Self.error(text)?.code == .invalidConfiguration)
  }

  @Test(arguments: ["a: b: c", "data: [1", "\tdata: x", "data: \"x", "a: 1\n---\nb: 2"])
  func whatIsNoYAMLNamesItsLine(text: String) {
    let error = Self.error(text)
    #expect(error?.code == .invalidConfiguration)
    #expect(error?.place.wholeMatch(of: /torhaus\.yaml:[0-9]+:[0-9]+/) != nil, "\(error?.place ?? "accepted")")
  }

  @Test func aKeyThatStandsTwiceIsRefused() {
    #expect(Self.error("production: true\nproduction: false") != nil)
  }

  @Test(arguments: ["0.0.0.0", "192.168.1.5", "::", "admin.example.ch", "127.0.0.2", ""])
  func theAdminAPIListensOnLoopbackOnly(address: String) {
    let error = Self.error("listen:\n  admin: {address: \"\(address)\"}")
    #expect(error?.message.contains("loopback only") == true)
    #expect(error?.hint.contains("listen.admin.address") == true)
  }

  @Test(arguments: ["127.0.0.1", "::1", "localhost"]) func loopbackIsAccepted(address: String) {
    #expect(Self.error("listen:\n  admin: {address: \"\(address)\"}") == nil)
  }

  /// What the process would trap on later is refused here.
  @Test func aGateWithoutLoopsIsRefused() { #expect(Self.error("loops: 0") != nil) }

  /// A sign has no place in a rate: half a dollar is no answer to minus half a one.
  @Test(arguments: ["-0.5", "+1", "1.+5", "0.-5"]) func aSignedRateIsRefused(rate: String) {
    #expect(Self.error("locale: {rates: {USD: \"\(rate)\"}}") != nil)
  }

  @Test func aZoneThatDoesNotExistIsRefused() {
    #expect(Self.error("locale: {timezone: Europe/Atlantis}") != nil)
  }

  /// An error is read by people: it must never print the secret that somebody wrote by mistake.
  @Test func aSecretWrittenAsAValueIsNotPrinted() {
    let secret = ["sk", "live", "0123456789"].joined(separator: "-")
    for text in ["credentials: {openai: \(secret)}", "keys: {master: \(secret)}", "keys: {master: \"\(secret):x\"}"] {
      let error = Self.error(text)
      #expect(error != nil)
      #expect(error?.description.contains(secret) == false, "\(error?.description ?? "")")
    }
  }

  @Test func aFileThatIsNotThereIsSaidSo() {
    do throws(InstallationError) {
      _ = try ConfigurationFile.load("/nonexistent/torhaus.yaml")
      Issue.record("it was read")
    } catch {
      #expect(error.code == .invalidConfiguration && error.place == "/nonexistent/torhaus.yaml")
      #expect(error.description.hasPrefix("error: ") && error.description.contains("\nhint: "))
    }
  }
}
