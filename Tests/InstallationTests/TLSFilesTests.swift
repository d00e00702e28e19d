import Foundation
import Frontend
import Synchronization
import Testing

@testable import Installation

/// `listen.api.tls`: what is read, what is refused, and what happens when the files change.
struct TLSFilesTests {
  /// A folder with a pair, and a clock.
  private final class Place: Sendable {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tls-\(UUID())").path
    let clock = Mutex<Int64>(Int64(Date().timeIntervalSince1970))
    var chain: String { "\(folder)/chain.pem" }
    var key: String { "\(folder)/key.pem" }

    init() throws {
      try FileBytes.makeFolder(folder)
      try write(until: 90 * 86_400)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func write(until: Int, names: [String] = ["DNS:localhost"]) throws {
      let pair = try SelfSignedPair(names: names, from: -7200, until: until)
      try FileBytes.replace(chain, with: pair.certificate)
      try FileBytes.replace(key, with: pair.key)
    }

    func pass(seconds: Int64) { clock.withLock { $0 += seconds } }

    func files(clients: String? = nil) throws(InstallationError) -> TLSFiles {
      let places = ["certificate": "torhaus.yaml:1:1", "key": "torhaus.yaml:2:2", "client-ca": "torhaus.yaml:3:3"]
      let configuration = ServerConfiguration.TLS(
        certificate: chain, key: .file(key), clientAuthorities: clients, places: places)
      return try TLSFiles(configuration, hosts: [], isProduction: true, now: { self.clock.withLock { $0 } })
    }

    func fault(clients: String? = nil) -> InstallationError? {
      do throws(InstallationError) {
        _ = try files(clients: clients)
        return nil
      } catch {
        return error
      }
    }
  }

  @Test func eachPartIsPointedOut() throws {
    let place = try Place()
    #expect(place.fault() == nil)
    #expect(place.fault(clients: "/nonexistent/ca.pem")?.place == "torhaus.yaml:3:3")
    #expect(place.fault(clients: place.key)?.place == "torhaus.yaml:3:3")
    let good = try #require(FileBytes.read(place.key, limit: 65_536))
    try FileBytes.replace(place.key, with: good, mode: 0o640)
    #expect(place.fault()?.code == .secretExposed && place.fault()?.place == "torhaus.yaml:2:2")
    try FileBytes.replace(place.key, with: try SelfSignedPair(names: ["DNS:x"], until: 60).key)
    #expect(place.fault()?.message.contains("does not belong") == true && place.fault()?.place == "torhaus.yaml:2:2")
    try FileManager.default.removeItem(atPath: place.chain)
    #expect(place.fault()?.message.contains("cannot be read") == true && place.fault()?.place == "torhaus.yaml:1:1")
  }

  @Test func aChangedPairTakesEffect() throws {
    let place = try Place()
    let files = try place.files()
    let first = files.front.context
    files.refresh(asked: false)
    #expect(files.front.context === first)
    try place.write(until: 200 * 86_400)
    files.refresh(asked: false)
    #expect(files.front.context !== first && files.fault == nil)
    #expect(files.validUntil - first.validUntil >= 109 * 86_400)
  }

  /// The key is replaced a moment after the certificate: until then the old pair is served.
  @Test func halfAPairKeepsTheOldOne() throws {
    let place = try Place()
    let files = try place.files()
    let first = files.front.context
    let next = try SelfSignedPair(names: ["DNS:localhost"], until: 200 * 86_400)
    try FileBytes.replace(place.chain, with: next.certificate)
    files.refresh(asked: false)
    #expect(files.front.context === first)
    #expect(files.trouble?.contains("does not belong") == true && files.trouble?.contains("torhaus.yaml:2:2") == true)
    try FileBytes.replace(place.key, with: next.key)
    files.refresh(asked: false)
    #expect(files.front.context !== first && files.trouble == nil)
  }

  @Test func aLostFileKeepsTheOldPairAndComesBack() throws {
    let place = try Place()
    let files = try place.files()
    let first = files.front.context
    let chain = try #require(FileBytes.read(place.chain, limit: 65_536))
    try FileManager.default.removeItem(atPath: place.chain)
    files.refresh(asked: false)
    #expect(files.front.context === first && files.fault != nil)
    try FileBytes.replace(place.chain, with: chain)
    files.refresh(asked: false)
    #expect(files.fault == nil)
  }

  /// Asked for, or once a day: the keys of session tickets do not stay for the life of the process.
  @Test func allIsMadeAnewWhenAskedAndEachDay() throws {
    let place = try Place()
    let files = try place.files()
    let first = files.front.context
    files.refresh(asked: true)
    let second = files.front.context
    #expect(second !== first)
    place.pass(seconds: 86_399)
    files.refresh(asked: false)
    #expect(files.front.context === second)
    place.pass(seconds: 1)
    files.refresh(asked: false)
    #expect(files.front.context !== second)
  }

  /// It is served, for some clients do not look, and it is said.
  @Test func anExpiredCertificateIsTrouble() throws {
    let place = try Place()
    let files = try place.files()
    #expect(files.trouble == nil)
    place.pass(seconds: 91 * 86_400)
    #expect(files.trouble?.contains("expired") == true && files.fault == nil)
    place.pass(seconds: -181 * 86_400)
    #expect(files.trouble?.contains("not valid yet") == true)
  }
}
