import Foundation
import Routing
import Testing

@testable import Policies

/// Another gateway's configuration as a register: golden files, prices digit by digit, and whatever else a file may hold.
struct LiteLLMImportTests {
  private static var folder: URL {
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/litellm")
  }

  private static func file(_ name: String) throws -> PolicyFile {
    PolicyFile(name: name, bytes: Array(try Data(contentsOf: folder.appending(path: name))))
  }

  private static func read(_ text: String) throws -> LiteLLMImport {
    try LiteLLMImport.read(PolicyFile(name: "config.yaml", bytes: Array(text.utf8)))
  }

  @Test(arguments: ["office", "odd"]) func aConfigurationBecomesItsGoldenFiles(name: String) throws {
    let imported = try LiteLLMImport.read(try Self.file("\(name).config.yaml"))
    let text = try String(contentsOf: Self.folder.appending(path: "\(name).policies.txt"), encoding: .utf8)
    let notes = try String(contentsOf: Self.folder.appending(path: "\(name).notes.txt"), encoding: .utf8)
    #expect(imported.text == text)
    #expect(imported.notes.map(\.description).joined(separator: "\n") + "\n" == notes)
  }

  /// A name of the house can be at any of its addresses; which are meant is for a person to say.
  @Test(arguments: [("http://vllm:8000/v1", true), ("http://localhost:8000/v1", false), ("http://10.0.0.5/v1", false)])
  func aNameInTheHouseGetsItsNetworks(base: String, hasNetworks: Bool) throws {
    let imported = try Self.read(
      """
      model_list:
        - model_name: m
          litellm_params: {model: hosted_vllm/m, api_base: "\(base)"}
          model_info: {input_cost_per_token: 0, output_cost_per_token: 0, max_output_tokens: 4096}
      """)
    #expect(imported.text.contains("    local: true\n"))
    #expect(imported.text.contains("    networks: [10.0.0.0/8") == hasNetworks)
    _ = try PolicyFixture.load(imported.text)
  }

  /// It loads as it is, and no policy lets a request through before somebody has filled it in.
  @Test(arguments: ["office", "odd"]) func whatIsWrittenLoadsAndServesNobody(name: String) throws {
    let imported = try LiteLLMImport.read(try Self.file("\(name).config.yaml"))
    let set = try PolicyLoader.load(files: [PolicyFixture.file(imported.text)])
    #expect(!set.routes.providers.isEmpty && !set.routes.aliases.isEmpty)
    for provider in set.routes.providers {
      #expect(provider.country.code == "ZZ" && provider.agreement.kind == .none && provider.training == .allowed)
    }
    for alias in set.routes.aliases.values { #expect(!alias.candidates.isEmpty) }
  }

  @Test func noKeyOfTheFileIsRepeated() throws {
    let secret = ["sk", "verysecret", "0123456789"].joined(separator: "-")
    let imported = try Self.read(
      """
      model_list:
        - {model_name: a, litellm_params: {model: openai/gpt-4o, api_key: "\(secret)"}}
      general_settings: {master_key: "\(secret)"}
      """)
    let all = imported.text + imported.notes.map(\.description).joined()
    #expect(!all.contains("verysecret") && all.contains("stands in the file itself"))
  }

  @Test(
    arguments: [
      ("2.5e-06", "2.5"), ("0.0000025", "2.5"), ("0.000003", "3"), ("1e-7", "0.1"), ("1.5E-05", "15"), ("0", "0"),
      ("0.0", "0"), ("3e-05", "30"), ("0.00000000015", "0.00015"), ("1", "1000000"), (".5e-6", "0.5"),
      ("1e-16", nil), ("-1e-6", nil), ("1e", nil), ("", nil), ("x", nil), ("1e-06e1", nil), ("1.2.3", nil), (".", nil),
      ("1e99", nil), ("1e30", nil), ("0x1p-3", nil), ("12345678901234567890123456789012345678901", nil),
    ] as [(String, String?)])
  func pricesKeepEachDigit(perToken: String, perMillion: String?) {
    #expect(DecimalShift.perMillion(perToken) == perMillion)
  }

  @Test(arguments: ["", "[]", "a: b", "model_list: 5", "x", "model_list:\n  - &a {model_name: x}\n"])
  func whatIsNoConfigurationIsAnError(text: String) {
    #expect(throws: PolicyError.self) { try Self.read(text) }
  }

  /// Cut, doubled and spliced: read or refused, and what is written always loads.
  @Test(arguments: 0..<4) func mutatedConfigurationsAreReadOrRefused(seed: Int) throws {
    let sources = try ["office", "odd"].map { Array(try Self.file("\($0).config.yaml").bytes) }
    var state = UInt64(seed) &+ 1
    func random(_ bound: Int) -> Int {
      // Knuth's linear congruential numbers: enough to choose places.
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(max(1, bound)))
    }
    let splices = ["\"", "{", "]", ": ", "\n", "- ", "\u{202E}", "\\", "#", "os.environ/", "*", "http://", "e-9", "/"]
    for round in 0..<200 {
      var bytes = sources[round % sources.count]
      for _ in 0...random(4) {
        let at = random(bytes.count)
        let length = min(random(30), bytes.count - at)
        switch random(4) {
        case 0: bytes.removeSubrange(at..<(at + length))
        case 1: bytes.insert(contentsOf: bytes[at..<(at + length)], at: random(bytes.count))
        case 2: bytes[at] = UInt8(random(256))
        default: bytes.insert(contentsOf: Array(splices[random(splices.count)].utf8), at: at)
        }
        if bytes.isEmpty { bytes = [0x61] }
      }
      guard let imported = try? LiteLLMImport.read(PolicyFile(name: "fuzz.yaml", bytes: bytes)) else { continue }
      #expect(throws: Never.self, "\(imported.text)") {
        try PolicyLoader.load(files: [PolicyFixture.file(imported.text)])
      }
    }
  }
}
