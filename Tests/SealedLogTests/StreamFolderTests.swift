import Foundation
import Tenancy
import Testing

@testable import SealedLog

/// A folder that cannot be read is no empty one: going on from it would begin the stream anew beside its past.
struct StreamFolderTests {
  private let fixture: LogFixture

  init() throws { fixture = try LogFixture() }

  private func entry(_ number: Int, _ subjects: [Subject] = []) throws -> LogEntry {
    LogEntry(
      stream: try fixture.stream(), recordID: UInt128(number), subjects: subjects, request: bytes(100),
      metadata: Array("{}".utf8), token: UInt64(number))
  }

  /// Beside the days of the stream lies one that nobody can open.
  private func unreadableDay() throws -> String {
    let segment = try #require(fixture.segments().first)
    let stream = (segment as NSString).deletingLastPathComponent.replacing(/\/[^\/]*$/, with: "")
    let day = stream + "/9999-12-31"
    try FileManager.default.createSymbolicLink(atPath: day, withDestinationPath: day)
    return day
  }

  @Test func noStreamGoesOnFromAFolderThatCannotBeRead() throws {
    let first = try fixture.writer()
    #expect(first.append(try entry(1), loop: 0))
    #expect(fixture.confirmed.waits(for: 1) && first.drain())
    first.stop()
    let day = try unreadableDay()
    #expect(throws: SealedLogError.self) { try fixture.reader().list(.first) }
    #expect(try fixture.verify().exitCode == 1)
    let second = try fixture.writer(epoch: 2)
    #expect(second.append(try entry(2), loop: 0))
    #expect(holds { second.health.state != .ok })
    #expect(fixture.segments().isEmpty && !fixture.confirmed.all.contains(2))
    try FileManager.default.removeItem(atPath: day)
    #expect(fixture.confirmed.waits(for: 2) && second.drain())
    second.stop()
    #expect(try fixture.verify().findings == [])
    #expect(fixture.segments().count == 2)
  }

  @Test func whatIsMissingIsEmpty() throws {
    #expect(try Files.names(in: fixture.log + "/none").isEmpty)
    try writeFile(fixture.log + "/file", [1])
    #expect(try Files.names(in: fixture.log + "/file").isEmpty)
    #expect(try Files.size(ifThere: fixture.log + "/none") == nil && Files.size(ifThere: fixture.log + "/file") == 1)
  }

  @Test func namesOfManyPeopleEndASegment() throws {
    var options = WriterOptions()
    options.segmentSlots = 40
    let writer = try fixture.writer(options: options)
    for number in 1...40 {
      #expect(writer.append(try entry(number, (0..<3).map { Subject(.tag, id: "\(number)-\($0)") }), loop: 0))
      #expect(fixture.confirmed.waits(for: UInt64(number)))
    }
    #expect(writer.drain())
    writer.stop()
    #expect(fixture.segments().count >= 4, "four keys for each record")
    #expect(try fixture.verify().findings == [])
    for number in 1...40 { #expect(try fixture.reader().open(UInt128(number), tenant: .first).request == bytes(100)) }
  }
}
