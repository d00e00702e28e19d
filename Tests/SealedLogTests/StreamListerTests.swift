import Foundation
import KeyProviders
import Tenancy
import Testing

@testable import SealedLog

/// The signed list of all streams, which several processes add to.
@Suite struct StreamListerTests {
  private let fixture: LogFixture
  private let disk: PosixDisk

  init() throws {
    fixture = try LogFixture()
    disk = try PosixDisk(folder: fixture.log)
  }

  private func lister() -> StreamLister { StreamLister(log: fixture.log, host: "torhaus", disk: disk) }

  private func stream(_ number: UInt128) -> StreamName {
    StreamName(tenant: TenantID(number), node: LogFixture.node, mode: .managed)
  }

  private func listed() throws -> [StreamName] {
    let list = try StreamLister.read(try readFile(LogLayout.streamList(fixture.log)))
    #expect(list.isSigned(by: try fixture.provider.installationKey()))
    return list.streams
  }

  @Test func whatAnotherProcessHasAddedStays() throws {
    var (one, other) = (lister(), lister())
    try one.add([stream(3)], provider: fixture.provider)
    try other.add([stream(1), stream(2)], provider: fixture.provider)
    try one.add([stream(4), stream(1)], provider: fixture.provider)
    try one.add([stream(5)], provider: fixture.provider)
    #expect(try listed() == (1...5).map { stream($0) })
  }

  @Test func whatIsListedIsNotWrittenAgain() throws {
    var one = lister()
    try one.add([stream(1)], provider: fixture.provider)
    let path = LogLayout.streamList(fixture.log)
    let before = try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int
    try one.add([stream(1)], provider: fixture.provider)
    #expect(try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int == before)
  }

  /// Also where this process knows what stood there before.
  @Test func aChangedListIsNotSignedAnew() throws {
    var one = lister()
    try one.add([stream(1)], provider: fixture.provider)
    let path = LogLayout.streamList(fixture.log)
    var text = String(decoding: try readFile(path), as: UTF8.self)
    text = text.replacing("\(stream(1))", with: "\(stream(7))")
    try Data(text.utf8).write(to: URL(filePath: path))
    #expect { try one.add([stream(2)], provider: fixture.provider) } throws: {
      ($0 as? SealedLogError)?.code == .notAuthentic
    }
  }
}
