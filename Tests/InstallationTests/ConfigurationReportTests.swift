import Foundation
import Gateway
import Testing

@testable import Installation

/// `torhaus config`: all that is in force, and the README tells of the same keys and limits.
struct ConfigurationReportTests {
  private static let text = """
    data: /srv/torhaus
    loops: 2
    listen:
      api: {address: "unix:/run/api.sock", tls: {certificate: /srv/chain.pem, key: "file:/srv/key.pem"}}
      also: [{address: 0.0.0.0, port: 8443}]
      trusted-proxies: [10.0.0.0/8, unix]
    credentials: {openai: "file:/srv/openai.key"}
    locale: {rates: {USD: "0.92", JPY: "0.000000001", GBP: 2}}
    """

  private func report() throws -> ConfigurationReport {
    ConfigurationReport(try ConfigurationFile.parse(Self.text, path: "torhaus.yaml"))
  }

  @Test func whatTheFileSaysAndWhatItDoesNot() throws {
    let values = try report().configuration
    #expect(values["data"] == .text("/srv/torhaus") && values["production"] == .flag(false))
    #expect(values["listen.api.address"] == .text("unix:/run/api.sock") && values["listen.api.mode"] == .text("0660"))
    #expect(values["listen.api.port"] == nil && values["listen.admin.port"] == .number(8081))
    #expect(values["listen.also"] == .list(["0.0.0.0:8443"]))
    #expect(values["listen.trusted-proxies"] == .list(["10.0.0.0/8", "unix"]))
    #expect(values["credentials.openai.origins"] == .text("any"))
    #expect(values["credentials.openai"] == .text("file:/srv/openai.key") && values["loops"] == .number(2))
    #expect(values["locale.rates.USD"] == .text("0.92") && values["locale.rates.JPY"] == .text("0.000000001"))
    #expect(values["locale.rates.GBP"] == .text("2") && values["drain.streams"] == .text("300s"))
  }

  @Test func everyLimitIsThereWithItsUnit() throws {
    let report = try report()
    for child in Mirror(reflecting: Limits()).children {
      let name = child.label ?? ""
      #expect(report.limits.keys.contains { $0 == name || $0.hasPrefix("\(name).") })
    }
    #expect(report.limits["fieldBytes"] == .init(name: "fieldBytes", value: 8192))
    #expect(report.limits["headMilliseconds"]?.unit == .milliseconds)
    #expect(report.limits["bodyBytesPerSecond"]?.unit == .bytesPerSecond)
    #expect(report.limits["heldBodiesBytesPerTenant"]?.unit == .bytes)
    #expect(report.limits["connectionsPerSource"]?.unit == .number)
    let lines = report.text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    #expect(lines.contains(["fieldBytes", "8", "KiB"]) && lines.contains(["headMilliseconds", "10", "s"]))
    #expect(lines.contains(["bodyBytesPerSecond", "1", "KiB/s"]) && lines.contains(["connectionsPerSource", "200"]))
    let json = try #require(try JSONSerialization.jsonObject(with: Data(report.json.utf8)) as? [String: Any])
    let field = (json["limits"] as? [String: Any])?["fieldBytes"] as? [String: Any]
    #expect(field?["value"] as? Int == 8192 && field?["unit"] as? String == "bytes")
  }

  /// The tables of the README name every key and every limit that there is, and none that there is not.
  @Test func theReadmeNamesTheSame() throws {
    let root = (0..<3).reduce(URL(filePath: #filePath)) { place, _ in place.deletingLastPathComponent() }
    let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
    func section(_ title: String) -> [String] {
      let lines = readme.components(separatedBy: "\n")
      guard let start = lines.firstIndex(of: title) else { return [] }
      return lines[(start + 1)...].prefix { !$0.hasPrefix("## ") }.filter { $0.hasPrefix("| `") }
    }
    func names(_ rows: [String]) -> Set<String> {
      var names: Set<String> = []
      for row in rows {
        let cell = row.split(separator: "|").first.map(String.init) ?? ""
        let found = cell.matches(of: /`([^`]+)`/).map { String($0.output.1) }
        for name in found {
          // `listen.api.address`, `.port`: the second stands for what the first begins with.
          if name.hasPrefix("."), let first = found.first, let dot = first.lastIndex(of: ".") {
            names.insert(String(first[..<dot]) + name)
          } else {
            names.insert(name)
          }
        }
      }
      return names
    }
    let wildcards = [
      "credentials.openai": "credentials.NAME", "credentials.openai.origins": "credentials.NAME.origins",
    ]
    let keys = try Set(
      report().configuration.keys.map { key in
        key.hasPrefix("locale.rates.") ? "locale.rates.CUR" : wildcards[key] ?? key
      })
    // One listener of the two kinds is in the report: with a mode or with a port.
    let told = names(section("## Configuration")).subtracting(["listen.api.port"])
    #expect(told == keys)
    let rows = section("## Limits of the data plane")
    #expect(names(rows) == Set(try report().limits.keys))
    // And the values that they have on a machine with memory enough.
    let all = Dictionary(ConfigurationReport.all(Limits()), uniquingKeysWith: { first, _ in first })
    for row in rows {
      let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      let inForce = cells[0].matches(of: /`([^`]+)`/).map { all[String($0.output.1)]?.shown ?? "" }
      #expect(inForce == cells[1].split(separator: ", ").map(String.init))
    }
  }
}
